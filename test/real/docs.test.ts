import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { commands } from '../repository/pages.ts';
import { RealKinds } from '../support/kinds.ts';

/* The documentation's commands for kubectl, as they stand but for the namespace, on a real cluster. */
const real = await RealKinds.open('docs');
const { kubeconfig, context } = real.target;
const lines = commands().filter(({ line, notRun }) => line.startsWith('kubectl ') && notRun === undefined);
const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
if (!hasKubectl) process.stdout.write('skipped: the commands of the documentation; put kubectl on PATH\n');

beforeAll(() => real.begin());
afterAll(() => real.end());

it.each(hasKubectl ? [...new Set(lines.map(({ page }) => page))] : [])('the commands of %s are taken one after the other', (page) => {
  for (const { line } of lines.filter((one) => one.page === page)) {
    const args = line
      .replace('--namespace ml ', `--namespace ${real.namespace} `)
      .replace(' ml:', ` ${real.namespace}:`)
      .split(' ')
      .slice(1);
    const { status, stderr } = spawnSync('kubectl', ['--kubeconfig', kubeconfig, '--context', context, ...args], { encoding: 'utf8' });
    expect([line, status, status === 0 ? '' : stderr]).toEqual([line, 0, '']);
  }
});
