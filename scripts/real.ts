import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildAndTest, countsLine } from './jest.ts';

/*
 * Runs the contract and the training on a real cluster and a real registry, both named here and nowhere else.
 *   node scripts/real.ts --kubeconfig FILE --context NAME --registry HOST [-- JEST ARGUMENT...]
 *   node scripts/real.ts … --processes FOLDER --start COMMAND      instead, breaks a cluster that is there for it alone
 *
 * The tests make namespaces of their own (slashtrain-…) and delete them. The registry is one that the cluster can pull
 * from, and holds a base image with Node under node:24.
 */
const usage = 'usage: real --kubeconfig FILE --context NAME --registry HOST [-- JEST ARGUMENT...]';

try {
  const { values, positionals } = parseArgs({
    options: {
      kubeconfig: { type: 'string' },
      context: { type: 'string' },
      registry: { type: 'string' },
      processes: { type: 'string' },
      start: { type: 'string' },
    },
    allowPositionals: true,
  });
  const { kubeconfig, context, registry, processes, start } = values;
  if (!kubeconfig || !context || !registry) {
    const ambient = process.env['KUBECONFIG'] ? '; KUBECONFIG is set, and is not used: tests run only where they were told to' : '';
    throw new Error(`--kubeconfig, --context and --registry are needed${ambient}`);
  }
  if (!existsSync(kubeconfig)) throw new Error(`--kubeconfig names ${kubeconfig}, which is not there`);
  if ((processes === undefined) !== (start === undefined)) throw new Error('--processes and --start go together');
  const { KUBECONFIG: _, ...environment } = process.env;
  const counts = buildAndTest('jest.real.config.mjs', positionals, {
    ...environment,
    SLASHTRAIN_KUBECONFIG: resolve(kubeconfig),
    SLASHTRAIN_CONTEXT: context,
    SLASHTRAIN_REGISTRY: registry,
    ...(processes !== undefined && start !== undefined ? { SLASHTRAIN_PROCESSES: resolve(processes), SLASHTRAIN_START: start } : {}),
  });
  console.log(countsLine(counts));
  process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
} catch (error) {
  console.error(`real: ${error instanceof Error ? error.message : String(error)}\n${usage}`);
  process.exitCode = 2;
}
