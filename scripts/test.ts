import { buildAndTest, countsLine } from './jest.ts';

/*
 * Runs every test that needs Node alone: rules, bundles, the contract on the embedded parts, the examples.
 *   node scripts/test.ts [JEST ARGUMENT...]     e.g. packages/core/src/run, or -t "a name"
 */
// Nobody's cluster is touched by trying: what the shell points at is not passed on.
const { KUBECONFIG: _, SLASHTRAIN_KUBECONFIG: _1, SLASHTRAIN_CONTEXT: _2, SLASHTRAIN_REGISTRY: _3, ...environment } = process.env;

const counts = buildAndTest('jest.config.mjs', process.argv.slice(2), environment);
console.log(countsLine(counts));
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
