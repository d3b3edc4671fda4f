/**
 * What the token of a job needs for each action, as their READMEs say it (test/workflows/create-slashtrain.test.ts compares).
 * What only an input asks for is left out: it is not seen from a workflow file what an expression becomes.
 */
export const rights: Readonly<Record<string, Readonly<Record<string, 'read' | 'write'>>>> = {
  'chatops-parse': { contents: 'read', 'pull-requests': 'write' },
  'build-image': { contents: 'read' },
  'submit-pipeline': { contents: 'read', checks: 'write', 'pull-requests': 'read' },
  'wait-for-run': { checks: 'write' },
  'fetch-metrics': { contents: 'read', 'pull-requests': 'read' },
  'report-pr': { checks: 'write' },
  'cancel-runs': { checks: 'write' },
  'sync-runs': { contents: 'read', checks: 'write' },
  'deploy-model': { contents: 'read', deployments: 'write', 'pull-requests': 'read' },
};
