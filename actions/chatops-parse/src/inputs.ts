import type { Host } from '@slashtrain/core/action/host';
import { configPath } from '@slashtrain/core/config/types';

/** The inputs of chatops-parse. */
export interface ChatopsInputs {
  token: string;
  /** For teams: `members: read` of the organisation. */
  orgToken: string | undefined;
  /** Path of the configuration in the repository. */
  config: string;
  /** Instead of what the event says. */
  command: string | undefined;
  /** For events without a pull request. */
  pullRequest: number | undefined;
}

/** @throws ActionError `input` with the input's name, its value and what is allowed */
export function readInputs({ inputs, log }: Host): ChatopsInputs {
  const orgToken = inputs.text('org-token');
  if (orgToken !== undefined) log.mask(orgToken);
  return {
    token: inputs.required('token'),
    orgToken,
    config: inputs.text('config') ?? configPath,
    command: inputs.text('command'),
    pullRequest: inputs.integer('pr-number', { min: 1 }),
  };
}
