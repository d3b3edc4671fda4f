import { describe, expect, it } from '@jest/globals';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import { withHelpers, type PlannedHelper } from './helpers.ts';
import { readManifest, type Manifest } from './manifest.ts';

const placement = { name: 'digits-pr42-aaaaaaa-bbbbbbb', suffix: 'pr42-aaaaaaa-bbbbbbb', namespace: 'ml' };
const read = (text: string): Manifest => readManifest({ text, file: 'train.yaml' });
const named = (text: string): { run: KubernetesObject; helpers: PlannedHelper[] } => {
  const { object, kind, helpers = [] } = read(text);
  return withHelpers({ object, kind, helpers }, placement);
};

const configMap = '{apiVersion: v1, kind: ConfigMap, metadata: {name: config}, data: {a: b}}';
const linked = configMap.replace('a: b', 'url: "http://$(names.server):80", other: config');
const claim = '{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: work}, spec: {accessModes: [ReadWriteOnce]}}';
const service = '{apiVersion: v1, kind: Service, metadata: {name: server}, spec: {selector: {app: digits}, clusterIP: None}}';
const secret = '{apiVersion: v1, kind: Secret, metadata: {name: key}, stringData: {a: b}}';
const job = (pod = '', container = ''): string =>
  `{apiVersion: batch/v1, kind: Job, metadata: {name: digits}, spec: {template: {spec: {${pod} containers: [{name: main, ${container}}]}}}}`;
const documents = (...texts: string[]): string => texts.join('\n---\n');

describe('a manifest of several documents', () => {
  it('has one run, wherever it stands', () => {
    const { kind, helpers } = read(documents(configMap, job(), claim));
    expect(kind.resource.kind).toBe('Job');
    expect(helpers?.map(({ resource, goesWithRun, at }) => [resource.plural, goesWithRun, at])).toEqual([
      ['configmaps', true, 'train.yaml:1:1'],
      ['persistentvolumeclaims', false, 'train.yaml:5:1'],
    ]);
  });

  it('lets a claim go with the run where that is said, and takes the annotation out', () => {
    const marked = claim.replace('name: work', 'name: work, annotations: {slashtrain.dev/ephemeral: "true", note: stays}');
    const [helper] = read(documents(job(), marked)).helpers ?? [];
    expect(helper).toMatchObject({ goesWithRun: true, object: { metadata: { annotations: { note: 'stays' } } } });
    expect(JSON.stringify(helper)).not.toContain('slashtrain.dev');
  });

  it('has the run that is marked, where there are several', () => {
    const marked = job().replace('name: digits', 'name: trainer, annotations: {slashtrain.dev/main: "true"}');
    const { object, helpers } = read(documents(job(), marked));
    expect(object.metadata).toEqual({ name: 'trainer' });
    expect(helpers?.map(({ object: helper, resource }) => [resource.plural, helper.metadata.name])).toEqual([['jobs', 'digits']]);
  });

  it.each([
    ['two runs', documents(job(), job()), 'train.yaml:3:1: a second run, Job; the first stands at train.yaml:1:1'],
    [
      'something else beside the run',
      documents(job(), '{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}'),
      'train.yaml:3:1: a apps/v1 Deployment beside the run',
    ],
    [
      'a Workflow beside the run',
      documents(
        job().replace('name: digits', 'name: digits, annotations: {slashtrain.dev/main: "true"}'),
        '{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: a}}',
      ),
      'train.yaml:3:1: a Workflow can only be the run itself',
    ],
    ['no run', documents(configMap, claim), 'train.yaml:1:1: v1 ConfigMap is not a kind of run'],
    ['no name', documents(job(), '{apiVersion: v1, kind: ConfigMap}'), 'train.yaml:3:1: a ConfigMap beside the run needs "metadata.name"'],
    ['the same twice', documents(configMap, job(), configMap), 'train.yaml:5:1: a second ConfigMap "config"'],
    [
      'a mark that is not "true"',
      documents(job(), claim.replace('name: work', 'name: work, annotations: {slashtrain.dev/ephemeral: yes}')),
      'the annotation slashtrain.dev/ephemeral is "yes"; allowed: "true"',
    ],
    [
      'an ephemeral ConfigMap',
      documents(job(), configMap.replace('name: config', 'name: config, annotations: {slashtrain.dev/ephemeral: "true"}')),
      'a ConfigMap always goes with its run',
    ],
  ])('is refused: %s', (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

describe('names of helpers', () => {
  it('end as the run does, in its namespace, without what poses as a record', () => {
    const { helpers } = named(documents(job(), configMap, claim));
    expect(helpers.map(({ object }) => object.metadata)).toEqual([
      { name: 'config-pr42-aaaaaaa-bbbbbbb', namespace: 'ml', labels: { 'slashtrain.dev/run': placement.name } },
      { name: 'work-pr42-aaaaaaa-bbbbbbb', namespace: 'ml', labels: { 'slashtrain.dev/run': placement.name } },
    ]);
  });

  it('leave owners and finalizers of the document behind', () => {
    const text = configMap.replace('name: config', 'name: config, finalizers: [a/b], ownerReferences: [{uid: x}], generateName: y');
    const [helper] = named(documents(job(), text)).helpers;
    expect(Object.keys(helper?.object.metadata ?? {}).sort()).toEqual(['labels', 'name', 'namespace']);
  });

  it.each<[string, string, string, string]>([
    ['envFrom', '', 'envFrom: [{configMapRef: {name: config}}, {secretRef: {name: key}}]', 'config key'],
    ['a key of a ConfigMap', '', 'env: [{name: A, valueFrom: {configMapKeyRef: {name: config, key: url}}}]', 'config'],
    ['a key of a Secret', '', 'env: [{name: A, valueFrom: {secretKeyRef: {name: key, key: a}}}]', 'key'],
    ['a volume of a ConfigMap', 'volumes: [{name: config, configMap: {name: config}}],', '', 'config'],
    ['a volume of a Secret', 'volumes: [{name: v, secret: {secretName: key}}],', '', 'key'],
    [
      'a projected volume',
      'volumes: [{name: v, projected: {sources: [{configMap: {name: config}}, {secret: {name: key}}]}}],',
      '',
      'config key',
    ],
    ['a claim', 'volumes: [{name: work, persistentVolumeClaim: {claimName: work}}],', '', 'work'],
    ['a pull secret', 'imagePullSecrets: [{name: key}],', '', 'key'],
    ['a headless Service', 'subdomain: server,', '', 'server'],
    ['a text', '', 'args: ["--server=$(names.server)", "$$(names.server)", "$(HOME)"]', 'server'],
  ])('stand in the run: %s', (_, pod, container, expected) => {
    const { run } = named(documents(job(pod, container), configMap, claim, service, secret));
    const text = JSON.stringify(run);
    const found = [...text.matchAll(/([a-z]+)-pr42-aaaaaaa-bbbbbbb/gu)].map(([, name]) => name).filter((name) => name !== 'digits');
    expect(found.join(' ')).toBe(expected);
  });

  it('stand in other helpers, and nowhere else', () => {
    const { helpers } = named(documents(job(), linked, service));
    expect(helpers[0]?.object).toMatchObject({ data: { url: 'http://server-pr42-aaaaaaa-bbbbbbb:80', other: 'config' } });
  });

  it('leave references to what is on the cluster alone', () => {
    const { run } = named(
      documents(
        job('volumes: [{name: v, persistentVolumeClaim: {claimName: config}}],', 'envFrom: [{secretRef: {name: config}}]'),
        configMap,
      ),
    );
    expect(JSON.stringify(run)).not.toContain('config-pr42');
  });

  it('tie a Service to the pods of this run', () => {
    const { run, helpers } = named(documents(job(), service));
    expect(helpers[0]?.object).toMatchObject({ spec: { selector: { app: 'digits', 'slashtrain.dev/run': placement.name } } });
    expect(run).toMatchObject({ spec: { template: { metadata: { labels: { 'slashtrain.dev/run': placement.name } } } } });
  });

  it.each([
    [
      'an unknown name in a text',
      documents(job('', 'args: ["$(names.sever)"]'), service),
      '$(names.sever) names no document of the manifest',
    ],
    [
      'another namespace',
      documents(job(), configMap.replace('name: config', 'name: config, namespace: kube-system'), service),
      'train.yaml:3:1: the ConfigMap is for namespace "kube-system", and the run for "ml"',
    ],
    ['the name of the record', documents(job(), configMap.replace('name: config', 'name: digits'), service), 'as the record of the run is'],
    [
      'names that are the same once they are cut',
      documents(
        job(),
        `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${'a'.repeat(60)}1}}`,
        `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${'a'.repeat(60)}2}}`,
      ),
      'as train.yaml:3:1 is',
    ],
  ])('are refused: %s', (_, text, message) => {
    expect(() => named(text)).toThrow(message);
  });

  it('change nothing in a manifest with one document', () => {
    const { object } = read(job('', 'args: ["$(names.x)"]'));
    expect(named(job('', 'args: ["$(names.x)"]'))).toEqual({ run: object, helpers: [] });
  });
});
