import { expect, it } from '@jest/globals';
import { hasAct, runInAct } from '../support/act.ts';
import { filesOf } from '../support/targets.ts';
import { openWorld, placeWithPython } from '../support/world.ts';

/*
 * The smallest example, and with it the reusable train.yml, run by act, whose code is not ours.
 */
if (!hasAct) process.stdout.write('skipped: a reusable workflow in act; put act on PATH (https://github.com/nektos/act)\n');

it('examples/no-manifest trains in act as it does in our runner', async () => {
  if (!hasAct) return;
  const place = await placeWithPython();
  if (!place) return;
  const world = await openWorld({ files: filesOf('examples/no-manifest'), name: 'no-manifest', place });
  try {
    const { sha, number } = world.open({ 'NOTES.md': 'a\n' });
    await runInAct(world, world.comment(number, 'ada', '/train epochs=2').event);
    expect(world.repository.checks(sha).map(({ name, conclusion }) => [name, conclusion])).toEqual([
      ['train: flats', 'success'],
      ['metrics: flats', 'success'],
    ]);
    expect(world.repository.comments(number).at(-1)?.body).toContain('accuracy');
  } finally {
    await world.close();
  }
}, 180_000);
