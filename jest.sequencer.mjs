import TestSequencer from '@jest/test-sequencer';

/**
 * Rules come last. Where nothing is known of how long the files took, jest begins with the largest, and these are short: the last
 * worker would then be alone with a file that waits for servers for half a minute.
 */
export default class RulesLast extends TestSequencer {
  sort(tests) {
    const isRule = ({ path }) => Number(path.includes('/src/'));
    return super.sort(tests).toSorted((one, other) => isRule(one) - isRule(other));
  }
}
