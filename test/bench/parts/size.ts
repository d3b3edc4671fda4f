import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Part, Row } from '../part.ts';
import { root } from '../programs.ts';

/** What a runner downloads and unpacks of an action, and how many copies of undici are in it. */
export const part: Part = {
  rounds: { full: 1, quick: 1 },
  async run() {
    return readdirSync(join(root, 'actions')).flatMap((name): Row[] => {
      const dist = join(root, 'actions', name, 'dist');
      const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter(
        (entry) => entry.isFile() && !entry.name.startsWith('.'),
      );
      const whole = Buffer.concat(files.map((file) => readFileSync(join(file.parentPath, file.name))));
      const packages = JSON.parse(readFileSync(join(dist, '.packages.json'), 'utf8')) as string[];
      const copies = packages.filter((path) => path.endsWith('/undici')).length;
      return [
        {
          ...{ id: `size/${name}`, what: `${name}, compressed`, issues: [12], unit: 'MB', better: 'lower' },
          ours: [gzipSync(whole, { level: 6 }).length / 1e6],
          limits: [{ of: 'ours', most: 1.5 }],
        },
        {
          ...{ id: `size/${name}/undici`, what: `${name}, copies of undici`, issues: [6], unit: 'count', better: 'lower' },
          ours: [copies],
          limits: [{ of: 'ours', most: 1 }],
        },
      ];
    });
  },
};
