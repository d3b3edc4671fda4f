import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openArgo, withArchive } from '@slashtrain/core/backend/argo-archive';
import type { Observation, RunBackend } from '@slashtrain/core/backend/backend';
import type { RunReference } from '@slashtrain/core/run/reference';
import { serveTracker, type FakeTracker } from '@slashtrain/testing/trackers/server';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/*
 * Argo's archive by a fake of its server: path, query and answers as in
 * https://github.com/argoproj/argo-workflows/blob/v4.1.2/api/openapi-spec/swagger.json (ArchivedWorkflowService_GetArchivedWorkflow);
 * the Workflows are those that the controller 4.0.7 wrote (packages/core/src/kinds/fixtures/argo-workflow.json).
 */
const fixtures = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../packages/core/src/kinds/fixtures/argo-workflow.json'), 'utf8'),
) as Record<string, { spec: object; status: object }>;
const reference: RunReference = {
  plural: 'workflows',
  group: 'argoproj.io',
  namespace: 'ml',
  name: 'digits-pr1',
  uid: '0f0c7a52-3c1e-4d0e-9c77-6d1f0a2b3c4d',
};
const gone: Observation = { status: { state: 'deleted', reason: 'deleted' } };

let server: FakeTracker;
let held: Map<string, object>;
let warnings: string[];

beforeEach(async () => {
  held = new Map();
  warnings = [];
  server = await serveTracker("Argo's server", async ({ url, headers }) => {
    if (headers.authorization !== 'Bearer good') return { status: 403, body: { code: 7, message: 'not allowed', details: [] } };
    const uid = /^\/api\/v1\/archived-workflows\/([^/]+)$/u.exec(url.pathname)?.[1] ?? '';
    return held.get(uid) ?? { status: 404, body: { code: 5, message: 'not found', details: [] } };
  });
});
afterEach(() => server.close());

function archive(name: string, metadata: object = {}): void {
  const { name: _, ...workflow } = fixtures[name] as { name?: string };
  held.set(reference.uid, { metadata: { name: reference.name, namespace: 'ml', uid: reference.uid, ...metadata }, ...workflow });
}

function opened(seen: Observation, token = 'good'): RunBackend {
  const none = { info: () => undefined, debug: () => undefined, notice: () => undefined, mask: () => undefined };
  const log = {
    ...none,
    error: () => undefined,
    startGroup: () => undefined,
    endGroup: () => undefined,
    warning: (text: string) => void warnings.push(text),
  };
  const cluster = {
    look: async () => seen,
    async *observe() {
      yield seen;
    },
    outputs: async () => [],
  } as unknown as RunBackend;
  return withArchive(cluster, openArgo({ url: server.url, token }, { environment: {}, log }), log);
}

describe('a Workflow that is gone', () => {
  it.each([
    ['done, with outputs', 'succeeded'],
    ['failed', 'failed'],
    ['terminated', 'cancelled'],
  ])('and was archived as "%s" has %s', async (name, state) => {
    archive(name);
    const backend = opened(gone);
    expect((await backend.look(reference)).status.state).toBe(state);
    for await (const { status } of backend.observe(reference, new AbortController().signal)) expect(status.state).toBe(state);
    expect((await backend.outputs(reference)).length > 0).toBe(name === 'done, with outputs');
    // Asked once, of the run's own namespace.
    expect(server.requests.map(({ url }) => `${url.pathname}${url.search}`)).toEqual([
      `/api/v1/archived-workflows/${reference.uid}?namespace=ml`,
    ]);
  });

  it.each<[string, () => void]>([
    ['is not in the archive', () => undefined],
    ['is archived under another UID', () => archive('failed', { uid: '00000000-0000-4000-8000-000000000000' })],
    ['has not ended there', () => archive('its step runs')],
  ])('and %s is deleted', async (_, prepare) => {
    prepare();
    expect((await opened(gone).look(reference)).status.state).toBe('deleted');
    expect(warnings).toEqual([]);
  });

  it('is deleted where the archive may not be asked, which is told', async () => {
    archive('failed');
    expect((await opened(gone, 'bad').look(reference)).status.state).toBe('deleted');
    expect(warnings).toEqual([expect.stringMatching(/archive could not be asked.*403: not allowed; set argo-token/u)]);
  });
});

it('neither a Workflow that is there nor another run is looked for', async () => {
  const running: Observation = { status: { state: 'running' } };
  expect(await opened(running).look(reference)).toBe(running);
  expect(await opened(gone).look({ ...reference, plural: 'jobs', group: 'batch' })).toBe(gone);
  expect(server.requests).toEqual([]);
});
