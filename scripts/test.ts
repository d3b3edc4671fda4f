import { buildAndTest, countsLine } from './jest.ts';

/*
 * Runs every test that needs Node alone: rules, bundles, the contract on the embedded parts, the examples.
 *   node scripts/test.ts [JEST ARGUMENT...]     e.g. packages/core/src/run, or -t "a name"
 */
const environment = { ...process.env };
// Nobody's cluster is touched by trying: what the shell points at is not passed on.
for (const name of ['KUBECONFIG', 'SLASHTRAIN_KUBECONFIG', 'SLASHTRAIN_CONTEXT', 'SLASHTRAIN_REGISTRY']) delete environment[name];

const counts = buildAndTest('jest.config.mjs', process.argv.slice(2), environment);
console.log(countsLine(counts));
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
