import { formatDuration } from '@slashtrain/core/action/duration';
import { code, escapeText, table } from '@slashtrain/core/markdown/markdown';
import { formatImageName, type ImageName } from '@slashtrain/core/registry/image-name';
import { formatPlatform } from '@slashtrain/core/registry/media-types';
import type { Base } from './base.ts';
import type { Layer } from './layer.ts';
import type { Placement } from './publish.ts';

/** What there is to tell of a build. */
export interface Told {
  target: ImageName;
  digest: string;
  sha: string;
  tags: readonly string[];
  base: Base;
  isReused: boolean;
  isDryRun: boolean;
  /** Absent where the image was reused. */
  layer?: Pick<Layer, 'files' | 'size' | 'unpacked' | 'digest'>;
  placements: readonly Placement[];
  notices: readonly string[];
  seconds: number;
}

/** One line for the log. */
export function resultLine(told: Told): string {
  const name = formatImageName({ ...told.target, digest: told.digest });
  const moved = bytes(sum(told.placements.filter(({ placed }) => placed === 'sent')));
  if (told.isDryRun) return `dry run: the image would be ${name}`;
  return told.isReused ? `image ${name}, reused` : `image ${name}, ${moved} sent in ${formatDuration(told.seconds)}`;
}

/** The step's summary. */
export function summary(told: Told): string {
  const { layer, base, placements } = told;
  const rows: [string, string][] = [
    ['Image', code(formatImageName({ ...told.target, digest: told.digest }))],
    ['Commit', code(told.sha)],
    ['Tags', told.tags.map(code).join(' ')],
    ['Base', base.name ? code(formatImageName(base.name)) : 'scratch'],
    ['Platforms', base.platforms.map(({ platform }) => code(formatPlatform(platform))).join(' ')],
  ];
  if (layer) rows.push(['Layer', `${layer.files} files, ${bytes(layer.unpacked)}, compressed ${bytes(layer.size)}`]);
  for (const placed of ['sent', 'mounted', 'there'] as const) {
    const some = placements.filter((placement) => placement.placed === placed);
    if (some.length > 0) rows.push([words[placed], `${some.length} blobs, ${bytes(sum(some))}`]);
  }
  rows.push(['Time', formatDuration(told.seconds)]);
  const title = told.isDryRun ? 'Image (dry run: nothing was pushed)' : told.isReused ? 'Image, reused' : 'Image';
  return [`### ${title}`, table(['', ''], rows), ...told.notices.map((notice) => `- ${escapeText(notice)}`)].join('\n\n');
}

const words = { sent: 'Sent', mounted: 'Mounted within the registry', there: 'There already' } as const;

function sum(placements: readonly Placement[]): number {
  return placements.reduce((total, { size }) => total + size, 0);
}

/** `512 B`, `1.5 MB`; as registries count, by thousands. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} ${units[power] ?? ''}`;
}
