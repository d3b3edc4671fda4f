import { defaultPolicy } from '../policy/policy.ts';
import type { Command, SlashtrainConfig } from './types.ts';

const day = 86_400;

/** What a command has where the file does not say. */
export const commandDefaults: Omit<Command, 'name' | 'description'> = {
  permission: 'write',
  teams: [],
  confirm: false,
  bots: [],
  arguments: [],
  environments: new Map(),
  excludes: [],
  waitSeconds: 1800,
};

const pipeline = {
  name: 'pipeline',
  type: 'string',
  description: 'Which pipeline',
  required: false,
  pattern: /^(?:[a-z0-9](?:[-a-z0-9]{0,38}[a-z0-9])?)$/u,
} as const;

/** `/cancel`, which is there unless the file defines it otherwise: runs cost money. */
export const cancelCommand: Command = {
  ...commandDefaults,
  name: 'cancel',
  description: 'Cancel the runs of this pull request',
  arguments: [pipeline],
};

/** `/train` as it is without a file, and where a file names no commands. */
export const trainCommand: Command = {
  ...commandDefaults,
  name: 'train',
  description: 'Train this pull request and compare it with the base branch',
  arguments: [pipeline],
};

/** What holds in a repository without `.github/slashtrain.yml`. */
export const defaultConfig: SlashtrainConfig = {
  commands: new Map([
    ['train', trainCommand],
    ['cancel', cancelCommand],
  ]),
  triggers: { labels: new Map() },
  forks: 'never',
  accelerators: new Map(),
  policy: defaultPolicy,
  pipelines: new Map(),
  kinds: [],
  retentionSeconds: 90 * day,
};
