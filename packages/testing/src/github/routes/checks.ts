import { countedPage, numberParam, page, param, type RepositoryCall, type Routes } from '../http/api.ts';
import { object, objects, oneOf, requiredCount, requiredText, text, type Body } from '../http/fields.ts';
import { invalidRequest, notFound, Refusal, validationFailed } from '../http/refusal.ts';
import { addCheckRun, characters } from '../changes.ts';
import { latestRuns } from '../protection.ts';
import { resolve, type CheckAnnotation, type CheckRun } from '../store.ts';
import { showAnnotation, showCheckRun, showCheckSuite } from '../views/check.ts';

const limit = 65_535;
const levels = ['notice', 'warning', 'failure'] as const;
const mostAnnotations = 50;
const statuses = ['queued', 'in_progress', 'completed'] as const;
const conclusions = ['action_required', 'cancelled', 'failure', 'neutral', 'success', 'skipped', 'timed_out'] as const;

export function checkRoutes(routes: Routes): void {
  // Nothing is deduplicated: https://docs.github.com/rest/checks/runs#create-a-check-run
  routes.repository('POST', '/check-runs', ['checks=write'], 'checks/runs#create-a-check-run', (call) => {
    const { body, repository, store, token, urls } = call;
    const name = requiredText(body, 'name');
    const headSha = requiredText(body, 'head_sha');
    if (!repository.git.commits.has(headSha)) throw new Refusal(422, `No commit found for SHA: ${headSha}`);
    const state = stateOf(body) ?? { status: 'queued' as const };
    const run = addCheckRun(store, repository, {
      name,
      headSha,
      app: token.app,
      externalId: text(body, 'external_id') ?? '',
      ...state,
      output: outputOf(body) ?? {},
      annotations: annotationsOf(body),
      ...(text(body, 'started_at') === undefined ? {} : { startedAt: text(body, 'started_at') ?? '' }),
    });
    setDetails(call, run);
    return { status: 201, json: showCheckRun(urls, repository, run) };
  });

  routes.repository('GET', '/check-runs/:id', ['checks=read'], 'checks/runs#get-a-check-run', (call) => ({
    status: 200,
    json: showCheckRun(call.urls, call.repository, runAt(call)),
  }));

  routes.repository('PATCH', '/check-runs/:id', ['checks=write'], 'checks/runs#update-a-check-run', (call) => {
    const { body, repository, store, token, urls } = call;
    const run = runAt(call);
    // https://github.com/OP5dev/TF-via-PR/issues/538
    if (run.app.id !== token.app.id)
      throw new Refusal(403, `Invalid app_id \`${run.app.id}\` - check run can only be modified by the GitHub App that created it.`);
    const state = stateOf(body);
    // https://github.blog/changelog/2025-02-12-notice-of-upcoming-deprecations-and-breaking-changes-for-github-actions/#changes-to-check-run-status-modification
    if (run.isJob && state) throw new Refusal(403, 'Check run status and conclusions can only be updated internally by GitHub Actions');
    const output = outputOf(body);
    const annotations = annotationsOf(body);
    run.name = text(body, 'name') ?? run.name;
    run.externalId = text(body, 'external_id') ?? run.externalId;
    run.output = { ...run.output, ...output };
    // "Each time you update the check run, annotations are appended."
    run.annotations.push(...annotations);
    // A completed check does not go back: it answers 200 and stays (https://github.com/tektoncd/pipelines-as-code/issues/998);
    // its conclusion can be changed to another.
    if (state && (run.status !== 'completed' || state.status === 'completed')) {
      run.status = state.status;
      run.conclusion = state.conclusion;
      if (state.status === 'in_progress') run.startedAt ??= store.time();
      if (state.status === 'completed') run.completedAt = text(body, 'completed_at') ?? store.time();
    }
    setDetails(call, run);
    return { status: 200, json: showCheckRun(urls, repository, run) };
  });

  routes.repository('GET', '/check-runs/:id/annotations', ['checks=read'], 'checks/runs#list-check-run-annotations', (call) => {
    const run = runAt(call);
    return page(call, run.annotations, (annotation) => showAnnotation(call.urls, call.repository, run, annotation));
  });

  routes.repository('GET', '/commits/:ref*/check-runs', ['checks=read'], 'checks/runs#list-check-runs-for-a-git-reference', (call) => {
    const { query, repository, urls } = call;
    const sha = resolve(repository, param(call, 'ref'));
    if (sha === undefined) throw new Refusal(422, `No commit found for SHA: ${param(call, 'ref')}`);
    const all = [...repository.checkRuns.values()].filter((run) => run.headSha === sha).sort((a, b) => b.id - a.id);
    // `latest` is the default: of each name the newest.
    const runs = query.get('filter') === 'all' ? all : latestRuns(repository, sha);
    return countedPage(call, 'check_runs', runs.filter(matching(query)), (run) => showCheckRun(urls, repository, run));
  });

  routes.repository(
    'GET',
    '/commits/:ref*/check-suites',
    ['checks=read'],
    'checks/suites#list-check-suites-for-a-git-reference',
    (call) => {
      const sha = resolve(call.repository, param(call, 'ref'));
      if (sha === undefined) throw new Refusal(422, `No commit found for SHA: ${param(call, 'ref')}`);
      const suites = [...call.repository.checkSuites.values()].filter((suite) => suite.headSha === sha);
      return countedPage(call, 'check_suites', suites, (suite) => showCheckSuite(call.urls, call.repository, suite));
    },
  );
}

function matching(query: URLSearchParams): (run: CheckRun) => boolean {
  const [name, status, app] = [query.get('check_name'), query.get('status'), query.get('app_id')];
  return (run) =>
    (name === null || run.name === name) && (status === null || run.status === status) && (app === null || String(run.app.id) === app);
}

function runAt(call: RepositoryCall): CheckRun {
  const run = call.repository.checkRuns.get(numberParam(call, 'id'));
  if (!run) throw notFound();
  return run;
}

/** A conclusion completes; completed needs a conclusion; only GitHub says stale. */
function stateOf(body: Body): { status: CheckRun['status']; conclusion: CheckRun['conclusion'] } | undefined {
  const status = oneOf(body, 'status', statuses);
  const conclusion = oneOf(body, 'conclusion', conclusions);
  if (conclusion !== undefined) return { status: 'completed', conclusion };
  if (status === 'completed') throw invalidRequest('"conclusion" wasn\'t supplied.');
  return status === undefined ? undefined : { status, conclusion: undefined };
}

/** Characters by the schema, then bytes by the database: https://github.com/github/docs/issues/35252 */
function outputOf(body: Body): { title: string; summary: string; text?: string } | undefined {
  const output = object(body, 'output');
  if (!output) return undefined;
  const [title, summary, long] = [requiredText(output, 'title'), requiredText(output, 'summary'), text(output, 'text')];
  for (const [field, value] of [
    ['summary', summary],
    ['text', long ?? ''],
  ] as const) {
    const length = characters(value);
    if (length > limit) throw invalidRequest(`Only ${limit} characters are allowed; ${length} were supplied.`);
    if (Buffer.byteLength(value) > limit)
      throw validationFailed({ resource: 'CheckRun', code: 'custom', field, message: `${field} exceeds a maximum bytesize of ${limit}` });
  }
  return { title, summary, ...(long === undefined ? {} : { text: long }) };
}

/** The objects of `output`: https://docs.github.com/rest/checks/runs#create-a-check-run; the words of the limit are in stoplightio/spectral-action#334. */
function annotationsOf(body: Body): CheckAnnotation[] {
  const given = objects(object(body, 'output') ?? {}, 'annotations') ?? [];
  if (given.length > mostAnnotations)
    throw invalidRequest(`No more than ${mostAnnotations} items are allowed; ${given.length} were supplied.`);
  return given.map((one) => {
    const level = oneOf(one, 'annotation_level', levels);
    if (level === undefined) throw invalidRequest('"annotation_level" wasn\'t supplied.');
    const annotation = {
      path: requiredText(one, 'path'),
      startLine: requiredCount(one, 'start_line'),
      endLine: requiredCount(one, 'end_line'),
      startColumn: one['start_column'] === undefined ? undefined : requiredCount(one, 'start_column'),
      endColumn: one['end_column'] === undefined ? undefined : requiredCount(one, 'end_column'),
      level,
      message: requiredText(one, 'message'),
      title: text(one, 'title'),
      rawDetails: text(one, 'raw_details'),
    };
    const { title = '', message, rawDetails = '', startLine, endLine, startColumn, endColumn } = annotation;
    const refused = (field: string): Refusal => validationFailed({ resource: 'CheckAnnotation', code: 'invalid', field });
    if (characters(title) > 255) throw refused('title');
    for (const [field, value] of Object.entries({ message, raw_details: rawDetails }))
      if (Buffer.byteLength(value) > 65_536) throw refused(field);
    if (annotation.path === '' || startLine < 1) throw refused(startLine < 1 ? 'start_line' : 'path');
    if (endLine < startLine) throw refused('end_line');
    // "Annotations only support start_column and end_column on the same line."
    if (startLine !== endLine && (startColumn ?? endColumn) !== undefined) throw refused('start_column');
    return annotation;
  });
}

/** Of GITHUB_TOKEN's checks GitHub ignores it: https://github.com/actions/github-script/issues/143 */
function setDetails({ body, token }: RepositoryCall, run: CheckRun): void {
  const details = text(body, 'details_url');
  if (details !== undefined && token.app.slug !== 'github-actions') run.detailsUrl = details;
}
