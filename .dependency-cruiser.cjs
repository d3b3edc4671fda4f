/**
 * Imports point one way: tests → testing → core, action → core. See CONTRIBUTING.md.
 * Paths are below the repository. scripts/lint.ts checks that every module was seen.
 */
const pure = '^packages/core/src/(kinds|diagnosis|policy|run|metrics|charts|markdown)/';
const test = '[.]test[.]ts$';

module.exports = {
  forbidden: [
    {
      name: 'not-resolvable',
      comment: 'An import that leads nowhere hides every rule behind it.',
      severity: 'error',
      from: {},
      // A path of the server's, in what the browser loads.
      to: { couldNotResolve: true, pathNot: '^/-/' },
    },
    {
      name: 'no-circular',
      comment: 'Two modules that need each other are one, or three.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'nothing-imports-an-action',
      comment: "An action's own things live with it; what two need lives in core.",
      severity: 'error',
      from: { path: '^(actions/([^/]+)|packages|scripts)/' },
      to: { path: '^actions/', pathNot: '^actions/$2/' },
    },
    {
      name: 'core-imports-nothing-of-ours',
      comment: 'Imports point from the actions to core.',
      severity: 'error',
      from: { path: '^packages/core/' },
      to: { path: '^(actions|packages/(?!core/)|scripts|test|examples)/' },
    },
    {
      name: 'testing-stays-outside',
      comment: 'No action and no part of core knows how it is tried; their tests may.',
      severity: 'error',
      from: { path: '^(actions|packages/core)/', pathNot: test },
      to: { path: '^packages/testing/' },
    },
    {
      name: 'rules-do-no-io',
      comment: 'Kinds, diagnosis, policy, run, metrics, charts and markdown are pure: data in, data out.',
      severity: 'error',
      from: { path: pure, pathNot: test },
      to: {
        path: [
          '^(node:)?(fs|http|https|http2|net|tls|dgram|dns|child_process|worker_threads|process|os)(/|$)',
          'node_modules/(@actions|@octokit|@kubernetes|undici)/',
          '^packages/core/src/(action/(entry|host|log|inputs)|github|kubernetes|records|registry|trackers)[./]',
        ],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'one-way-to-the-cluster',
      comment: 'Only core/kubernetes imports the Kubernetes client, so that an action without a cluster never loads it.',
      severity: 'error',
      from: { path: '^(actions|packages/core)/', pathNot: ['^packages/core/src/kubernetes/', test] },
      to: { path: 'node_modules/@kubernetes/' },
    },
    {
      name: 'entries-are-not-imported',
      comment: 'index.ts and post.ts have side effects: they run the action.',
      severity: 'error',
      from: {},
      to: { path: '^actions/[^/]+/src/(index|post)[.]ts$' },
    },
    {
      name: 'declared',
      comment: 'What is imported is in the package.json beside it.',
      severity: 'error',
      from: { path: '^(actions|packages)/', pathNot: test },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
