import { startGitHub } from '../github/github.ts';
import { withPages } from '../pages/pages.ts';
import { fakeForRunner } from '../runner/github.ts';
import { WorkflowRuns } from '../runner/workflow-runs.ts';
import type { WorkflowRun } from '../runner/result.ts';
import { StoryClock } from './clock.ts';
import { digitsFiles } from './example.ts';
import type { DemoOptions } from './options.ts';
import { openPlace } from './place.ts';
import type { Screen } from './screen.ts';
import { metricsCheck, protectedEnvironment, tellStory, trainCheck, type Scene } from './story.ts';
import { Teller } from './teller.ts';

/** What the demo is started with. */
export interface Demo {
  options: DemoOptions;
  screen: Screen;
  environment: NodeJS.ProcessEnv;
  /** Aborts at Ctrl-C. */
  signal: AbortSignal;
  /** Looks at the world when the story is told, before it goes away: for the test. */
  onTold?: (scene: Scene, pull: number) => void | Promise<void>;
}

/** Tells the story on servers of its own, and leaves nothing behind. */
export async function demo({ options, screen, environment, signal, onTold }: Demo): Promise<void> {
  const teller = new Teller(screen);
  screen.line(screen.style('bold', 'Slashtrain: train from a pull request, and merge what got better'));
  screen.line();
  if (environment['KUBECONFIG']) teller.fact('ignored', 'KUBECONFIG: only --context names a cluster of yours');
  const place = await openPlace(options);
  try {
    const runs: WorkflowRun[] = [];
    const clock = new StoryClock();
    const now = (): number => clock.now();
    const github = await startGitHub({ pages: withPages(runs), now });
    try {
      const { 'settings.json': _, ...files } = digitsFiles();
      const repository = github.createRepository({ owner: 'acme', name: 'digits', files });
      for (const login of ['ada', 'mona']) repository.setPermission(login, 'write');
      repository.protect('main', { requiredChecks: [{ context: trainCheck }, { context: metricsCheck }] });
      const workflows = new WorkflowRuns({
        github: fakeForRunner(github, repository),
        secrets: { KUBECONFIG: place.kubeconfig },
        vars: { SLASHTRAIN_IMAGE: `${place.registry}/acme/digits`, SLASHTRAIN_BASE: place.base },
        environments: {
          isProtected: (environment) => environment === protectedEnvironment,
          review: (environment, { actor }) => {
            const by = actor === 'ada' ? 'mona' : 'ada';
            clock.pass();
            teller.person(by, `approves ${environment}`);
            return Promise.resolve({ by, approved: true });
          },
        },
        signal,
        runs,
        now,
        onProgress: (progress) => teller.onProgress(progress),
      });
      teller.fact('pages', `${github.url}/acme/digits`);
      teller.fact('registry', place.registry);
      teller.fact('cluster', place.cluster);

      const scene = { github, repository, workflows, teller, signal, clock };
      const pull = await tellStory(scene);
      await onTold?.(scene, pull);
      if (!options.once) await untilStopped(`${github.url}/acme/digits/pull/${pull}`, screen, signal);
    } finally {
      await github.close();
    }
  } finally {
    await place.close();
  }
}

async function untilStopped(page: string, screen: Screen, signal: AbortSignal): Promise<void> {
  screen.line();
  screen.line(screen.style('bold', `Look at it: ${page}`));
  screen.line('It stays until Ctrl-C.');
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  if (!signal.aborted) await promise;
}
