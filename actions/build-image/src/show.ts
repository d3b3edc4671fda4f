import { formatDuration } from '@slashtrain/core/action/duration';
import { describe } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { code, escapeText, table } from '@slashtrain/core/markdown/markdown';
import { formatImageName } from '@slashtrain/core/registry/image-name';
import { formatPlatform } from '@slashtrain/core/registry/media-types';
import type { Built } from './built.ts';
import type { BuildInputs, ImageRequest } from './inputs.ts';
import type { Placement } from './publish.ts';

/** What there is to tell of a build. */
export interface Told {
  request: ImageRequest;
  sha: string;
  built: Built;
  isDryRun: boolean;
  seconds: number;
}

/** Reads the inputs; what is wrong with them stands in the summary as well. */
export async function tellEarly(host: Host, read: () => Promise<BuildInputs>): Promise<BuildInputs> {
  try {
    return await read();
  } catch (error) {
    setOutputs(host, { requests: [] }, []);
    await host.summarise(`### Image failed\n\n${escapeText(describe(error))}\n`);
    throw error;
  }
}

/** Sets all outputs to what is known by now; a step that fails leaves them so. */
export function setOutputs(host: Pick<Host, 'setOutput'>, inputs: Pick<BuildInputs, 'requests'>, told: readonly Told[]): void {
  const [only] = inputs.requests.length === 1 ? told : [];
  host.setOutput('image', (only && nameOf(only)) ?? '');
  const workflow = only && workflowText(only);
  host.setOutput('manifest', workflow ?? '');
  host.setOutput('digest', only?.built.digest ?? '');
  host.setOutput('tags', JSON.stringify(told.flatMap(tagsOf)));
  host.setOutput(
    'images',
    JSON.stringify(
      Object.fromEntries(told.flatMap((one) => (one.request.name === undefined ? [] : [[one.request.name, nameOf(one) ?? '']]))),
    ),
  );
  host.setOutput('reused', String(told.length > 0 && told.length === inputs.requests.length && told.every(({ built }) => built.isReused)));
}

/** A notebook's Workflow as submit-pipeline takes a manifest: in several lines. */
function workflowText(told: Told): string | undefined {
  const { built } = told;
  const image = nameOf(told);
  if (!built.workflow || image === undefined) return undefined;
  return JSON.stringify(built.workflow(image), undefined, 2);
}

function nameOf({ request, built }: Told): string | undefined {
  return built.digest === undefined ? undefined : formatImageName({ ...request.target, digest: built.digest });
}

function tagsOf({ request, sha }: Told): string[] {
  return [`sha-${sha}`, ...request.tags].map((tag) => formatImageName({ ...request.target, tag }));
}

/** One line for the log. */
export function resultLine(told: Told): string {
  const { built, isDryRun, seconds } = told;
  const name = nameOf(told);
  const moved = bytes(sum(built.placements.filter(({ placed }) => placed === 'sent')));
  if (isDryRun) return name === undefined ? 'dry run: the builder was not started' : `dry run: the image would be ${name}`;
  if (name === undefined) return `built in ${formatDuration(seconds)}, and not pushed`;
  if (built.isReused) return `image ${name}, reused`;
  return `image ${name}, ${built.placements.length === 0 ? 'built' : `${moved} sent`} in ${formatDuration(seconds)}`;
}

/** The step's summary. */
export function summary(told: Told): string {
  const { request, built } = told;
  const { files, packages, placements } = built;
  const name = nameOf(told);
  const rows: [string, string][] = [
    ['Image', name === undefined ? 'not pushed' : code(name)],
    ['Commit', code(told.sha)],
    ['Tags', tagsOf(told).map(code).join(' ')],
    ['Builder', escapeText(built.how)],
    ['Base', built.bases.length === 0 ? 'scratch' : built.bases.map(code).join(' ')],
  ];
  if (built.platforms.length > 0) rows.push(['Platforms', built.platforms.map((platform) => code(formatPlatform(platform))).join(' ')]);
  if (built.layers > 0) rows.push(['Size', `${built.layers} layers, compressed ${bytes(built.size)}`]);
  if (packages)
    rows.push([
      'Packages',
      `${code(packages.file)}, compressed ${bytes(packages.size)}, ${packages.isKept ? 'kept in the registry' : 'installed'}`,
    ]);
  if (files) rows.push(['Layer', `${files.files} files, ${bytes(files.unpacked)}, compressed ${bytes(files.size)}`]);
  for (const placed of ['sent', 'mounted', 'there'] as const) {
    const some = placements.filter((placement) => placement.placed === placed);
    if (some.length > 0) rows.push([words[placed], `${some.length} blobs, ${bytes(sum(some))}`]);
  }
  rows.push(['Reused', built.isReused ? 'yes' : 'no'], ['Time', formatDuration(told.seconds)]);
  const title = `Image${request.name === undefined ? '' : ` ${code(request.name)}`}${told.isDryRun ? ' (dry run: nothing was pushed)' : built.isReused ? ', reused' : ''}`;
  return [`### ${title}`, table(['', ''], rows), ...built.notices.map((notice) => `- ${escapeText(notice)}`), ''].join('\n\n');
}

/** The summary of an image that was not made: the job's page says it as well as its log. */
export function failureSummary(request: ImageRequest, sha: string, error: unknown): string {
  const rows: [string, string][] = [
    ['Image', code(formatImageName(request.target))],
    ['Commit', code(sha)],
    ['Why', escapeText(describe(error))],
  ];
  return [`### Image${request.name === undefined ? '' : ` ${code(request.name)}`} failed`, table(['', ''], rows), ''].join('\n\n');
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
