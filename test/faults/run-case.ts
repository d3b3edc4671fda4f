import { join } from 'node:path';
import { startBundle, type BundleResult, type BundleRun, type RunningBundle } from '@slashtrain/testing/bundle/bundle';
import { startFaultProxy, type FaultProxy, type Traced } from '@slashtrain/testing/faults/proxy';
import { unique } from '../support/targets.ts';
import { Aim, drawFor, isFault, type FaultCase, type Trouble } from './cases.ts';
import type { Place, Prepared, Subject, Ways } from './subject.ts';
import { kubeconfigBy, type World } from './world.ts';

/** What a case came to. */
export interface CaseResult {
  case: FaultCase;
  /** Went through it, failed and said so, was killed; or the moment never came. */
  came: 'through' | 'failed' | 'killed' | 'never';
  /** What does not fit; empty is good. */
  problems: string[];
  /** For whoever repeats it. */
  trace: readonly Traced[];
  outputs: { disturbed: string; again: string };
  seconds: number;
}

const namespaces = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };

/** Longer than any action has patience for: a lease of 60 s, silences of 30 to 90 s, and the time-out of 3 minutes. */
const boundMilliseconds = 270_000;
/** A registry reads a blob again after its last byte: it is given 5 minutes. */
const registryMilliseconds = 400_000;

/**
 * Runs one case: the action with its trouble, then the action once more without, and judges both.
 * @param options `onlyNeeded`: the second only where the first did not go through
 */
export async function runCase(
  one: FaultCase,
  seed: number,
  subject: Subject,
  world: World,
  { onlyNeeded = false } = {},
): Promise<CaseResult> {
  const traffic = subject.traffic[one.server];
  if (!traffic) throw new Error(`${subject.name} does not speak to ${one.server}`);
  const draw = drawFor(one, seed, traffic);
  const aim = new Aim(one, draw);
  let running: RunningBundle | undefined;
  let prepared: Prepared | undefined;
  let place: Place | undefined;
  let isOver = false;
  const { trouble } = one;
  const act = async (): Promise<void> => {
    if (trouble === 'sigterm') running?.interrupt();
    else if (trouble === 'sigkill') running?.kill();
    else if (trouble === 'replaced') await prepared?.replace?.();
    else if (trouble === 'clock-ahead' || trouble === 'clock-back') running?.process.kill('SIGUSR2');
  };
  const isOfProcess = !isFault(trouble);
  const isAfter = isOfProcess && one.moment === 'answer';
  const proxy = await startFaultProxy({
    target: world.addresses[one.server],
    tls: one.server === 'kubernetes',
    random: draw.random,
    decide: async (passing) => {
      if (isOver || running === undefined || isAfter || !aim.meets(passing)) return undefined;
      if (!isOfProcess) return aim.strike();
      await act();
      return undefined;
    },
    onDone: async (passing) => {
      if (!isOver && running !== undefined && isAfter && aim.meets(passing)) await act();
    },
  });
  const started = performance.now();
  try {
    place = placeOf(one, world, proxy);
    prepared = await subject.prepare(place);
    running = startBundle({ ...prepared.run, env: { ...prepared.run.env, ...runnerOf(trouble, world) } });
    const twin = trouble === 'twin' ? startBundle({ ...prepared.run, runId: 2 }) : undefined;
    const [disturbed, beside] = await Promise.all([bounded(running, one), twin && bounded(twin)]);
    isOver = true;
    proxy.heal();
    const wasKilled = disturbed.result.code === null;
    const problems = [
      ...disturbed.problems,
      ...(beside?.problems ?? []).map((problem) => `the other: ${problem}`),
      ...(wasKilled ? [] : honest(disturbed.result, prepared.run)),
      ...(wasKilled ? [] : await prepared.judge({ result: disturbed.result, is: 'disturbed', trouble })),
      ...(beside ? await prepared.judge({ result: beside.result, is: 'disturbed', trouble }) : []),
    ];
    const came = wasKilled
      ? 'killed'
      : !aim.hit && trouble !== 'twin' && trouble !== 'disk'
        ? 'never'
        : disturbed.result.code === 0
          ? 'through'
          : 'failed';
    const done = { case: one, came, trace: proxy.trace } as const;
    const outputs = { disturbed: disturbed.result.shown, again: '' };
    const seconds = (): number => (performance.now() - started) / 1000;
    if (onlyNeeded && disturbed.result.code === 0) return { ...done, problems, outputs, seconds: seconds() };
    const again = await bounded(startBundle(prepared.again ?? { ...prepared.run, runAttempt: 2 }));
    const healed = prepared.heals && (await bounded(startBundle(prepared.heals)));
    const undone = trouble !== 'replaced' && !mayStayFailed(one, again.result);
    problems.push(
      ...[...again.problems, ...(healed?.problems ?? [])].map((problem) => `again: ${problem}`),
      ...(undone && again.result.code !== 0 ? [`again: it failed without any trouble: ${errorsOf(again.result)}`] : []),
      ...(await prepared.judge({ result: again.result, is: 'again', trouble })).map((problem) => `again: ${problem}`),
      ...(proxy.betrayed.length > 0 ? ['a token was sent to a server whose certificate nobody trusts'] : []),
    );
    return { ...done, problems, outputs: { ...outputs, again: again.result.shown }, seconds: seconds() };
  } finally {
    running?.kill();
    await proxy.close();
    // A node takes 110 pods, and what is deployed goes on.
    if (place) await world.client.delete(namespaces, '', place.namespace);
  }
}

/** What of the runner's environment makes its disk full, or lets its clock be set. */
function runnerOf(trouble: Trouble, { fullDisk }: World): Record<string, string> {
  if (trouble === 'disk') {
    const full = { GITHUB_OUTPUT: '/dev/full', GITHUB_STATE: '/dev/full', GITHUB_STEP_SUMMARY: '/dev/full' };
    return fullDisk === undefined ? full : { ...full, RUNNER_TEMP: fullDisk };
  }
  if (trouble !== 'clock-ahead' && trouble !== 'clock-back') return {};
  const hour = 3_600_000;
  return {
    NODE_OPTIONS: `--import ${join(import.meta.dirname, 'clock.ts')}`,
    FAULTS_CLOCK_JUMP: String(trouble === 'clock-ahead' ? hour : -hour),
  };
}

/** A wait that saw its run cancelled has to fail again. */
function mayStayFailed({ subject }: FaultCase, { outputs }: BundleResult): boolean {
  return subject === 'wait-for-run' && ['cancelled', 'deleted', 'failed'].includes(outputs['state'] ?? '');
}

function placeOf({ server }: FaultCase, world: World, proxy: FaultProxy): Place {
  const ways: Ways = {
    github: server === 'github' ? proxy.url : world.addresses.github,
    kubeconfig: server === 'kubernetes' ? kubeconfigBy(world.cluster.kubeconfig, proxy.url, proxy.ca) : world.cluster.kubeconfig,
    registry: server === 'registry' ? proxy.host : world.registry.host,
    mlflow: server === 'mlflow' ? proxy.url : world.mlflow.url,
  };
  return { world, ways, repository: world.github.createRepository({ owner: 'acme', name: unique('digits') }), namespace: unique('faults') };
}

async function bounded(bundle: RunningBundle, one?: FaultCase): Promise<{ result: BundleResult; problems: string[] }> {
  let late = false;
  const most = one?.server === 'registry' && one.trouble === 'stall' ? registryMilliseconds : boundMilliseconds;
  const timer = setTimeout(() => {
    late = true;
    bundle.kill();
  }, most);
  const result = await bundle.result;
  clearTimeout(timer);
  return { result, problems: late ? [`it had not ended after ${most / 1000} s`] : [] };
}

/** What holds of every step: a failure says why, in words for people, and no secret stands in the log. */
function honest(result: BundleResult, run: BundleRun): string[] {
  const errors = errorsOf(result);
  const text = `${result.stdout}\n${result.stderr}`;
  const isShown = text.split('\n').some((line) => line.includes(run.github.token) && !line.startsWith('::add-mask::'));
  return [
    ...(result.code !== 0 && errors === '' ? ['it failed and says nothing'] : []),
    ...(/^\s+at .+:\d+:\d+\)?$/mu.test(text) ? [`it broke: ${errors}`] : []),
    ...(result.stderr.trim() === '' ? [] : [`it wrote to stderr: ${result.stderr.slice(0, 200)}`]),
    ...(isShown ? ['the token stands in the log'] : []),
  ];
}

function errorsOf({ annotations }: BundleResult): string {
  return annotations
    .filter(({ level }) => level === 'error')
    .map(({ message }) => message)
    .join(' | ');
}

/** A case in one line, and its trace where it did not hold. */
export function describeCase({ case: one, came, problems, trace, outputs, seconds }: CaseResult, seed: number): string {
  const { number, subject, server, trouble, moment } = one;
  const line = `${number} ${subject} · ${server} · ${trouble} · ${moment}: ${came} (${seconds.toFixed(1)} s)`;
  if (problems.length === 0) return line;
  const requests = trace.map(
    ({ method, path, status, strike }) =>
      `    ${method} ${path.slice(0, 160)} → ${status}${strike ? ` [${strike.fault} ${strike.place}]` : ''}`,
  );
  return [
    `${line}; repeat it with: pnpm faults --seed ${seed} --case ${number}`,
    ...problems.map((problem) => `  ✗ ${problem}`),
    '  requests:',
    ...requests,
    '  log:',
    ...outputs.disturbed
      .split('\n')
      .slice(-25)
      .map((text) => `    ${text}`),
    '  log of the step after it:',
    ...outputs.again
      .split('\n')
      .slice(-12)
      .map((text) => `    ${text}`),
  ].join('\n');
}
