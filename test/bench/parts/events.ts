import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Curves } from '../../../actions/fetch-metrics/src/sources/events/curves.ts';
import { readEvents } from '../../../actions/fetch-metrics/src/sources/events/read.ts';
import { writeEventFile } from '../../support/event-files.ts';
import type { Part } from '../part.ts';
import { firstLine } from '../programs.ts';
import { inTurn } from '../samples.ts';

/** Event files: our reader beside TensorBoard's own. Both must find the same number of values. */
const program = `
import sys, time
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
start = time.perf_counter()
count = sum(len(event.summary.value) for event in LegacyEventFileLoader(sys.argv[1]).Load())
seconds = time.perf_counter() - start
print(seconds, count)
`;

export const part: Part = {
  rounds: { full: 3, quick: 5 },
  missing: ({ tensorboard }) =>
    tensorboard !== undefined && existsSync(join(tensorboard, 'bin/python'))
      ? undefined
      : 'make a virtual environment with pip install tensorboard, and name it by --tensorboard or SLASHTRAIN_TENSORBOARD',
  async run({ rounds, quick, tensorboard = '' }) {
    const folder = mkdtempSync(join(tmpdir(), 'slashtrain-events-'));
    const file = join(folder, 'events.out.tfevents.1.host');
    writeEventFile(file, quick ? 5e6 : 100e6);
    const size = statSync(file).size / 1e6;
    const python = join(tensorboard, 'bin/python');
    let points = 0;
    try {
      const speeds = await inTurn(
        rounds,
        {
          ours: async () => {
            const start = performance.now();
            const curves = new Curves();
            await readEvents(file, curves);
            points = curves.series().reduce((sum, one) => sum + one.points.length, 0);
            return size / ((performance.now() - start) / 1000);
          },
          tensorboard: () => {
            const { stdout, stderr, status } = spawnSync(python, ['-c', program, file], { encoding: 'utf8' });
            if (status !== 0) throw new Error(stderr);
            const [seconds = 0, count = 0] = stdout.trim().split(' ').map(Number);
            if (points !== 0 && count !== points) throw new Error(`ours read ${points} values, TensorBoard ${count}`);
            return size / seconds;
          },
        },
        { warmUp: quick },
      );
      const version = firstLine(python, '-c', 'import tensorboard; print(tensorboard.__version__)');
      return [
        {
          ...{ id: 'events/speed', what: `event files of ${Math.round(size)} MB are read`, issues: [9], unit: 'MB/s', better: 'higher' },
          ours: speeds.ours,
          peer: { name: "TensorBoard's own reader", version, samples: speeds.tensorboard },
          limits: [{ of: 'ratio', least: 1 }],
        },
      ];
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
