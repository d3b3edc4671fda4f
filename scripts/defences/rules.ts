import type { Defence } from './defence.ts';

const claims = 'test/contract/claim.test.ts';
const policy = 'packages/core/src/policy/check.test.ts';

/** What keeps runs single and manifests within the policy. */
export const rules: readonly Defence[] = [
  {
    name: 'adopt-active',
    what: 'an attempt that goes on is adopted',
    file: 'actions/submit-pipeline/src/decide.ts',
    find: '  if (active) return { adopt: active };\n',
    replace: '',
    test: { file: 'actions/submit-pipeline/src/decide.test.ts', name: 'decide an active one of another' },
  },
  {
    name: 'lease',
    what: 'the run is made by who holds the record’s lease',
    file: 'actions/submit-pipeline/src/claim.ts',
    find: '  if (isOthers) {\n',
    replace: '  if (isOthers === null) {\n',
    test: { file: claims, name: 'several at once wait for the holder of the lease, who makes the run' },
  },
  {
    name: 'run-of-the-record',
    what: 'a run of that name counts as ours with our annotation alone',
    file: 'actions/submit-pipeline/src/make-run.ts',
    find: 'if (answer.taken.metadata.annotations?.[recordAnnotation] === stored.uid) return',
    replace: 'if (answer.taken.metadata.annotations?.[recordAnnotation] !== undefined) return',
    test: { file: claims, name: 'what is not ours a Job of another record is refused by name' },
  },
  {
    name: 'run-is-searched',
    what: 'a run that was made and not noted is found again',
    file: 'packages/core/src/kubernetes/api.ts',
    find: "if (answer.status === 409 && readStatus(answer.text).reason === 'AlreadyExists') return undefined;",
    replace: '',
    test: { file: claims, name: 'a process dies' },
  },
  {
    name: 'nameless-once',
    what: 'a POST whose name the server makes is sent once',
    file: 'packages/core/src/kubernetes/api.ts',
    find: "repeatable: name ? 'always' : 'refused',",
    replace: "repeatable: 'always',",
    test: { file: 'test/contract/client-http.test.ts', name: 'a write that leaves the name to the server is not sent twice' },
  },
  {
    name: 'download-resume',
    what: 'a download that was cut is taken up where it was',
    file: 'packages/core/src/registry/registry.ts',
    find: 'headers: at > 0 ? { range: `bytes=${at}-${blob.size - 1}` } : {},',
    replace: 'headers: {},',
    test: {
      file: 'test/contract/registry-client.test.ts',
      name: 'a registry where things go wrong takes up a download that was cut where it was',
    },
  },
  {
    name: 'policy-contents',
    what: 'what a pod may do is compared with the policy',
    file: 'packages/core/src/policy/check.ts',
    find: "    if (kindOf(object) !== 'ConfigMap') checkContents(object, policy, findings);\n",
    replace: '',
    test: { file: policy, name: 'without a configuration refuses' },
  },
  {
    name: 'policy-kinds',
    what: 'a kind that is not allowed is refused',
    file: 'packages/core/src/policy/check.ts',
    find: "  if (!policy.kinds.includes(kindOf(object))) findings.add('kinds', 'kind', kindOf(object), allowed);\n",
    replace: '',
    test: { file: policy, name: 'without a configuration refuses another kind' },
  },
  {
    name: 'policy-claims',
    what: 'a document that poses as a record is refused',
    file: 'packages/core/src/policy/check.ts',
    find: "if (key.startsWith('slashtrain.dev/') && path !== defaults)",
    replace: "if (key === 'slashtrain.dev/' && path !== defaults)",
    test: { file: policy, name: 'what poses as ours' },
  },
  {
    name: 'policy-before-submission',
    what: 'a manifest that breaks the policy is never sent',
    file: 'actions/submit-pipeline/src/main.ts',
    find: '    ...checkPolicy(plan.asTheyRun(1), commit.config.policy, {',
    replace: '    ...checkPolicy([], commit.config.policy, {',
    test: { file: 'test/workflows/submit-pipeline.test.ts', name: 'a manifest', bundles: ['submit-pipeline'] },
  },
  {
    name: 'configuration-that-is-hidden',
    what: 'a configuration that cannot be read is not taken for none',
    file: 'packages/core/src/config/load.ts',
    find: "      throw new ActionError('permission', `${path} cannot be read,",
    replace: "      if (path !== '') return undefined;\n      throw new ActionError('permission', `${path} cannot be read,",
    test: { file: 'packages/core/src/config/read.test.ts', name: 'loading does not take a file that is hidden from the token for missing' },
  },
];
