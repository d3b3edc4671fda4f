import { join } from 'node:path';
import type { Program } from './measure.ts';

/** What wait-for-run is started for. */
export interface Waiting {
  github: { url: string };
  repository: { id: number; fullName: string };
  inputs: Record<string, string>;
}

/** wait-for-run's bundle by itself, without a runner between it and who measures it. */
export function waitForRun({ github, repository, inputs }: Waiting): Program {
  return {
    command: [process.execPath, join(import.meta.dirname, '../../actions/wait-for-run/dist/index.js')],
    env: {
      GITHUB_REPOSITORY: repository.fullName,
      GITHUB_REPOSITORY_ID: String(repository.id),
      GITHUB_API_URL: `${github.url}/api/v3`,
      GITHUB_SERVER_URL: github.url,
      GITHUB_RUN_ID: '1',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_ACTOR: 'ada',
      GITHUB_EVENT_NAME: 'workflow_dispatch',
      ...Object.fromEntries(Object.entries(inputs).map(([input, value]) => [`INPUT_${input.toUpperCase()}`, value])),
    },
  };
}
