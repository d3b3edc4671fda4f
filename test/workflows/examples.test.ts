import { afterAll, describe, expect, it } from '@jest/globals';
import { readConfig } from '@slashtrain/core/config/read';
import { filesOf } from '../support/targets.ts';
import { conclusions, openWorld, placeWithPython, said, type World } from '../support/world.ts';

/*
 * The examples through our runner, as they stand: a pull request and the comments that their READMEs name. What needs an
 * operator the embedded cluster refuses by name; test/real/examples.test.ts goes on from there.
 */
interface Example {
  name: string;
  pipeline: string;
  /** The comment. */
  train: string;
  /** What the cluster lacks for it. */
  lacks?: string;
  /** What the README promises besides. */
  then?(world: World, number: number, sha: string): Promise<void>;
}

const examples: Example[] = [
  { name: 'no-manifest', pipeline: 'flats', train: '/train epochs=2', then: isCleanedUp },
  { name: 'notebook', pipeline: 'flats', train: '/train epochs=2 rate=0.1' },
  { name: 'argo-dag', pipeline: 'flats', train: '/train epochs=2', lacks: 'install Argo Workflows' },
  { name: 'pytorch-gpu', pipeline: 'patterns', train: '/train epochs=2', lacks: 'install Kubeflow Trainer 2' },
  { name: 'kserve-canary', pipeline: 'flats', train: '/train epochs=2', then: needsKServe },
];
const place = await placeWithPython();
afterAll(() => place?.close());

describe.each(examples)('examples/$name', ({ name, pipeline, train, lacks, then }) => {
  it('goes as far as the embedded cluster does', async () => {
    // placeWithPython has said what is missing.
    if (!place) return;
    const files = filesOf(`examples/${name}`);
    expect([...readConfig(String(files['.github/slashtrain.yml']), name).pipelines.keys()]).toEqual([pipeline]);
    const world = await openWorld({ files, name, place: { ...place, close: () => Promise.resolve() } });
    try {
      const { github, repository } = world;
      const { number, sha } = world.open({ 'NOTES.md': 'a\n' });
      const run = await world.say(number, train);
      const outcome = lacks === undefined ? 'success' : 'failure';
      expect(conclusions(run)).toMatchObject({ command: 'success', 'train / train': outcome });
      expect(said(run)).toContain(lacks ?? '');
      const lines = run.jobs.flatMap(({ steps }) => steps.flatMap((step) => step.lines)).join('\n');
      if (lacks === undefined) expect(lines.match(/"step": \d+/gu)).toEqual(['"step": 1', '"step": 2']);
      expect(repository.checks(sha).map((check) => [check.name, check.conclusion])).toEqual([
        [`train: ${pipeline}`, outcome],
        ...(lacks === undefined ? [[`metrics: ${pipeline}`, 'success']] : []),
      ]);
      const reports = repository.comments(number).filter(({ app }) => app !== undefined);
      const words = lacks === undefined ? 'accuracy' : 'Nothing was started:';
      expect(reports.map(({ body }) => body.includes(words))).toEqual([true]);
      await then?.(world, number, sha);
      expect(github.requests.filter(({ status }) => status === 401 || status === 403 || status === 501)).toEqual([]);
    } finally {
      await world.close();
    }
  });
});

/** A push asks for a training of the new head, and what is closed ends. */
async function isCleanedUp({ repository, workflows }: World, number: number): Promise<void> {
  const sha = repository.commit({ branch: 'topic', files: { 'NOTES.md': 'b\n' }, author: 'ada' });
  const [pushed] = await workflows.dispatch(repository.events.pullRequestTarget(number, { action: 'synchronize' }));
  expect(pushed && conclusions(pushed)).toMatchObject({ 'cleanup / cancel': 'success', 'cleanup / ask for flats': 'success' });
  expect(repository.checks(sha)).toMatchObject([{ name: 'metrics: flats', conclusion: undefined }]);
  repository.close(number);
  const [closed] = await workflows.dispatch(repository.events.pullRequestTarget(number, { action: 'closed' }));
  expect(closed && conclusions(closed)).toMatchObject({ command: 'skipped', 'train / train': 'skipped', 'cleanup / cancel': 'success' });
}

/** What was trained is found, and proven to be this commit's, before the cluster is asked for KServe. */
async function needsKServe(world: World, number: number): Promise<void> {
  const run = await world.say(number, '/deploy environment=staging');
  expect(conclusions(run)).toMatchObject({ command: 'success', 'train / train': 'skipped', 'deploy / deploy': 'failure' });
  expect(said(run)).toContain('install KServe');
}
