import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBundle } from '@slashtrain/testing/bundle/bundle';
import { startGitHub } from '@slashtrain/testing/github/github';
import { buildahPlace, startBuildx, startDockerd } from '../../support/builders.ts';
import { succeeded } from '../../support/steps.ts';
import { unique } from '../../support/targets.ts';
import { countingProxy } from '../counting-proxy.ts';
import { filesOf, pushBase, runProgram } from '../image-base.ts';
import type { Options, Part, Row } from '../part.ts';
import { absent, firstLine } from '../programs.ts';

/*
 * One changed line on a large base: the layer builder, `docker build` with `docker push`, and buildah, in one run on one registry,
 * with time and bytes over the line. `docker build` is BuildKit's since Docker 23; the classic builder, which Debian's package still
 * has alone, stands beside it. When warm, docker and buildah have the base and all of the last build on their disk, as a
 * machine of one's own has. A hosted runner is new each time: there a warm build is buildx's with its cache in the registry. Then ten images at once, and one after the other.
 */
const seconds = { unit: 's', better: 'lower', issues: [8] } as const;

export const part: Part = {
  rounds: { full: 5, quick: 5 },
  missing({ registry }) {
    if (registry === undefined) return 'name a registry that speaks http by --registry';
    const programs = absent('docker', 'dockerd', 'docker-buildx', 'buildah');
    return programs.length > 0 ? `${programs.join(', ')} not on PATH; install docker, buildx and buildah` : undefined;
  },
  run: measure,
};

/** How an image is made, and what of it takes no part in the time. */
interface Way {
  prepare?: () => void;
  work: () => Promise<unknown>;
}

/** Time in seconds and MB over the line of each round, by what was done. */
type Taken = Map<string, { seconds: number[]; megabytes: number[] }>;

async function measure({ registry = '', rounds, quick, megabytes = quick ? 64 : 2048 }: Options): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'slashtrain-bench-images-'));
  const watch = join(folder, 'watch.cjs');
  writeFileSync(
    watch,
    `const fs = require('node:fs');
    process.on('exit', () => fs.writeFileSync(${JSON.stringify(join(folder, 'peak'))}, /VmHWM:\\s+(\\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]));`,
  );
  const space = unique('bench');
  const line = await countingProxy(registry);
  const base = `${line.host}/${space}/base:1`;
  const github = await startGitHub();
  const single = github.createRepository({ owner: 'acme', name: 'bench', files: filesOf(0) });
  const ten = github.createRepository({ owner: 'acme', name: 'ten', files: filesOf(10) });
  const change = (repository = single): string =>
    repository.commit({ files: { 'train.py': `print("${randomBytes(4).toString('hex')}")\n` } });
  const taken: Taken = new Map();
  const timed = async (name: string, { prepare, work }: Way): Promise<void> => {
    prepare?.();
    // What was written before would be on its way to the disk meanwhile, and be waited for by who writes next.
    await runProgram('sync', []);
    const [start, before] = [performance.now(), line.bytes()];
    await work();
    const of = taken.get(name) ?? { seconds: [], megabytes: [] };
    taken.set(name, of);
    of.seconds.push((performance.now() - start) / 1000);
    of.megabytes.push((line.bytes() - before) / 1e6);
  };

  /** Runs the action on a new commit. @param isWatched whether it leaves its most memory in a file, which takes a little time */
  const build = async (
    inputs: Record<string, string>,
    { sha = change(), repository = single, isWatched = false }: { sha?: string; repository?: typeof single; isWatched?: boolean } = {},
  ): Promise<void> => {
    const { owner, name, id } = repository;
    const token = github.token({ contents: 'read' }, { repository });
    const env: Record<string, string> = isWatched ? { NODE_OPTIONS: `--require ${watch}` } : {};
    const given = { sha, dependencies: 'none', builder: 'layer', base, ...inputs };
    await succeeded(
      runBundle({ action: 'build-image', github: { url: github.url, token, repository: { owner, name, id } }, inputs: given, env }),
    );
  };
  /** The most memory that a build held, in MB. */
  const memoryOf = async (image: string): Promise<number> => {
    await build({ image }, { isWatched: true });
    return (Number(readFileSync(join(folder, 'peak'), 'utf8')) * 1024) / 1e6;
  };

  try {
    await pushBase(registry, `${space}/base`, megabytes, folder);
    let sha = '';
    const image = `${line.host}/${space}/layer`;
    const layer = { prepare: () => void (sha = change()), work: () => build({ image }, { sha }) };
    await oneLine(timed, rounds, { folder, base, space: `${line.host}/${space}`, layer });
    const each = Array.from({ length: 10 }, (_, at) => `part${at}`);
    const images = JSON.stringify(Object.fromEntries(each.map((context) => [context, { context }])));
    const tenWays: Record<string, (image: string, sha: string) => Promise<void>> = {
      'ten at once': (image, sha) => build({ image: `${image}/ten`, images, parallel: '10' }, { sha, repository: ten }),
      'ten steps': async (image, sha) => {
        for (const context of each) await build({ image: `${image}/each`, context }, { sha, repository: ten });
      },
    };
    for (let round = 0; round < Math.min(rounds, 3); round++)
      for (const [name, work] of Object.entries(tenWays)) {
        const sha = change(ten);
        await timed(name, { work: () => work(`${line.host}/${space}/${round}`, sha) });
      }
    const warm = await memoryOf(`${line.host}/${space}/layer`);
    // From one registry to another, every byte passes.
    const other = await countingProxy(registry);
    const streamed = [await memoryOf(`${other.host}/${space}/streamed0`), await memoryOf(`${other.host}/${space}/streamed1`)];
    other.close();
    return rowsOf(taken, { megabytes, warm, streamed });
  } finally {
    await github.close();
    line.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds one changed line by each builder, cold and then warm in turn. */
async function oneLine(
  timed: (name: string, way: Way) => Promise<void>,
  rounds: number,
  { folder, base, space, layer }: { folder: string; base: string; space: string; layer: Way },
): Promise<void> {
  const context = join(folder, 'context');
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), `FROM ${base}\nWORKDIR /app\nCOPY . .\n`);
  const prepare = (): void => {
    for (const [path, text] of Object.entries(filesOf(0))) writeFileSync(join(context, path), text);
    writeFileSync(join(context, 'train.py'), `print("${randomBytes(4).toString('hex')}")\n`);
  };
  const docker = await startDockerd({ buildx: true });
  const buildah = buildahPlace('overlay');
  const withDocker = (image: string, buildkit: '0' | '1'): Way => ({
    prepare,
    work: async () => {
      await runProgram('docker', ['build', '--quiet', '--tag', image, context], { ...docker.env, DOCKER_BUILDKIT: buildkit });
      await runProgram('docker', ['push', '--quiet', image], docker.env);
    },
  });
  try {
    const builders: Record<string, Way> = {
      layer,
      docker: withDocker(`${space}/docker:1`, '1'),
      classic: withDocker(`${space}/classic:1`, '0'),
      buildah: {
        prepare,
        work: async () => {
          const image = `${space}/buildah:1`;
          await runProgram('buildah', ['build', '--quiet', '--layers', '--tls-verify=false', '--tag', image, context], buildah.env);
          await runProgram('buildah', ['push', '--quiet', '--tls-verify=false', image, `docker://${image}`], buildah.env);
        },
      },
    };
    if (absent('buildkitd').length === 0) {
      const cache = `type=registry,ref=${space}/buildx:cache`;
      const args = ['buildx', 'build', '--push', '--tag', `${space}/buildx:1`, '--cache-from', cache, '--cache-to', `${cache},mode=max`];
      for (const name of ['buildx cold', 'buildx warm']) {
        const builder = await startBuildx();
        const work = (): Promise<void> => runProgram('docker', [...args, context], builder.env);
        await timed(name, { prepare, work }).finally(() => builder.stop());
      }
    }
    for (const [name, way] of Object.entries(builders)) await timed(`${name} cold`, way);
    for (let round = 0; round < rounds; round++) for (const [name, way] of Object.entries(builders)) await timed(`${name} warm`, way);
  } finally {
    await docker.stop();
    await buildah.stop();
  }
}

function rowsOf(taken: Taken, { megabytes, warm, streamed }: { megabytes: number; warm: number; streamed: number[] }): Row[] {
  const docker = firstLine('docker', '--version').replace(/^Docker version ([^,]+),.*$/u, '$1');
  const buildkit = `${docker}, BuildKit`;
  const buildah = firstLine('buildah', '--version').replace(/^buildah version (\S+).*$/u, '$1');
  const of = (name: string, what: 'seconds' | 'megabytes' = 'seconds'): number[] => taken.get(name)?.[what] ?? [];
  const size = `${(megabytes / 1000).toFixed(megabytes < 1000 ? 2 : 0)} GB`;
  const changed = `one changed line on a base of ${size}, build and push`;
  // Cold is measured once: each warm build of ours is held against it.
  const cold = of('layer warm').map(() => of('docker cold')[0] ?? Number.NaN);
  const rows: Row[] = [
    {
      ...{ id: 'images/cold', what: `${changed}, beside a first build`, ...seconds, ours: of('layer warm'), memory: { ours: warm } },
      peer: { name: 'docker, cold', version: buildkit, samples: cold },
      limits: [
        { of: 'ratio', most: 0.1 },
        { of: 'memory', most: 150 },
      ],
    },
    {
      ...{ id: 'images/warm', what: `${changed}, beside a machine of one's own`, ...seconds, ours: of('layer warm') },
      peer: { name: 'docker, warm', version: buildkit, samples: of('docker warm') },
      limits: [{ of: 'ratio', most: 0.5 }],
    },
    {
      ...{ id: 'images/classic', what: `${changed}, beside a machine of one's own`, ...seconds, ours: of('layer warm') },
      peer: { name: "docker's classic builder, warm", version: docker, samples: of('classic warm') },
    },
    {
      ...{ id: 'images/buildah', what: `${changed}, beside a machine of one's own`, ...seconds, ours: of('layer warm') },
      peer: { name: 'buildah, warm', version: buildah, samples: of('buildah warm') },
    },
    ...(of('buildx warm').length === 0
      ? []
      : [
          {
            ...{ id: 'images/buildx', what: `${changed}, beside a new runner`, ...seconds, ours: of('layer warm').slice(0, 1) },
            peer: { name: 'buildx, its cache in the registry', version: '0.29', samples: of('buildx warm') },
          },
        ]),
    {
      ...{ id: 'images/bytes', what: 'the same, over the line', ...seconds, unit: 'MB', ours: of('layer warm', 'megabytes') },
      peer: { name: 'docker, warm', version: buildkit, samples: of('docker warm', 'megabytes') },
    },
    {
      ...{ id: 'images/bytes-cold', what: 'a first build, over the line', ...seconds, unit: 'MB', ours: of('layer cold', 'megabytes') },
      peer: { name: 'docker, cold', version: buildkit, samples: of('docker cold', 'megabytes') },
    },
    {
      ...{ id: 'images/first', what: `a first build on a base of ${size}`, ...seconds, ours: of('layer cold') },
      peer: { name: 'buildah, cold', version: buildah, samples: of('buildah cold') },
    },
    {
      ...{ id: 'images/ten', what: 'ten images by one step at once', ...seconds, ours: of('ten at once') },
      peer: { name: 'a step for each', version: 'of this action', samples: of('ten steps') },
      limits: [{ of: 'ratio', most: 0.4 }],
    },
    {
      ...{ id: 'images/streamed', what: `most memory, a base of ${size} from another registry`, ...seconds, unit: 'MB', ours: streamed },
      limits: [{ of: 'ours', most: 150 }],
    },
  ];
  return rows;
}
