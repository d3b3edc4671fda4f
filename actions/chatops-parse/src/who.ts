import { ActionError } from '@slashtrain/core/action/errors';
import type { Command, Guard } from '@slashtrain/core/config/types';
import type { GitHub } from '@slashtrain/core/github/client';
import { isNotFound } from '@slashtrain/core/github/failures';
import { allows, readPermission } from '@slashtrain/core/github/permission';
import type { Person } from './ask.ts';
import type { ParsedCommand } from './bind.ts';
import { Refusal } from './refusal.ts';

/** What stands before a command: the environment's guard where it names one. */
export function guardOf({ command, values }: ParsedCommand): Guard {
  return command.environments.get(String(values.get('environment'))) ?? command;
}

/** Whether a bot may give a command: only one that the configuration names. */
export function isNamedBot(person: Person, command: Command): boolean {
  return command.bots.some((login) => login.toLowerCase() === person.login.toLowerCase());
}

/**
 * Lets a person through who holds the guard's permission, by the collaborator API, and is in one of its teams. Fails
 * closed: what cannot be asked is refused.
 * @param org a GitHub opened with `org-token`, where it was given
 * @throws Refusal `permission`
 */
export async function checkPerson(github: GitHub, person: Person, name: string, guard: Guard, org: GitHub | undefined): Promise<void> {
  const held = await readPermission(github, person).catch((error: unknown) => {
    throw new Refusal('permission', `the permission of ${person.login} could not be asked for`, {
      cause: error,
      remedy: error instanceof ActionError && error.remedy ? error.remedy : 'run the job again',
    });
  });
  if (!allows(held, guard.permission)) {
    throw new Refusal('permission', `/${name} needs ${guard.permission} permission, and ${person.login} has ${held}`, {
      remedy: 'ask somebody who has it to write the command',
    });
  }
  if (guard.teams.length > 0) await checkTeams(person, name, guard.teams, org);
}

async function checkTeams(person: Person, name: string, teams: readonly string[], org: GitHub | undefined): Promise<void> {
  const wanted = `/${name} is for ${teams.join(' or ')}`;
  if (!org) {
    throw new Refusal('permission', `${wanted}, and teams cannot be read with this workflow’s token`, {
      remedy: 'give chatops-parse the input org-token: a GitHub App’s token with "members: read" in the organisation',
    });
  }
  for (const team of teams) {
    // Members of nested teams are members: https://docs.github.com/rest/teams/members#get-team-membership-for-a-user
    const membership = await org.rest.teams
      .getMembershipForUserInOrg({ org: org.at.owner, team_slug: team, username: person.login })
      .catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw new Refusal('permission', `${wanted}, and the team ${team} could not be read`, {
          cause: error,
          remedy: 'check that org-token has "members: read" in the organisation',
        });
      });
    if (membership?.data.state === 'active') return;
  }
  throw new Refusal('permission', `${wanted}, and ${person.login} is in none of them`, { remedy: 'ask somebody of the team' });
}
