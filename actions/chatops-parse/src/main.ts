import { setTimeout as sleep } from 'node:timers/promises';
import { ActionError, describe } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import { defaultConfig } from '@slashtrain/core/config/defaults';
import { fetchFromDefaultBranch, loadConfig, type LoadedConfig } from '@slashtrain/core/config/load';
import type { Command, Guard } from '@slashtrain/core/config/types';
import type { GitHub } from '@slashtrain/core/github/client';
import { code } from '@slashtrain/core/markdown/markdown';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { readAsk, type Ask } from './ask.ts';
import { parseCommand, type ParsedCommand } from './bind.ts';
import { choose, commandsOf, type Chosen } from './choose.ts';
import { waitForCi } from './ci.ts';
import { findPending } from './confirm.ts';
import { findCommandLines, mayHoldCommand, type CommandLine } from './find.ts';
import { decideCommit, type Commit } from './head.ts';
import type { ChatopsInputs } from './inputs.ts';
import { setNothing, setOutputs } from './outputs.ts';
import { Refusal } from './refusal.ts';
import { Replies } from './reply.ts';
import { showAccepted, showHelp, showRefusal, showWaiting } from './show.ts';
import { checkPerson, guardOf, isNamedBot } from './who.ts';

/** What chatops-parse works with. */
export interface Parts {
  host: Host;
  context: GitHubContext;
  /** Loads the client and opens GitHub with a token: a comment without a command needs neither. */
  open: (token: string) => Promise<GitHub>;
  pause?: (milliseconds: number) => Promise<void>;
}

/** Decides whether somebody may start something, what, and on which commit. Whoever is refused is told why, and the step fails. */
export async function main(inputs: ChatopsInputs, parts: Parts): Promise<void> {
  const { host, context } = parts;
  setNothing(host, context);
  const ask = readAsk(context, host.environment, inputs.command, inputs.pullRequest);
  if (!ask || (ask.text !== undefined && inputs.command === undefined && !mayHoldCommand(ask.text)))
    return nothing(host, 'there is no command');
  const github = await parts.open(inputs.token);
  const replies = new Replies(github, ask, host.log);
  let loaded: LoadedConfig | undefined;
  try {
    const lines = ask.text === undefined ? [] : await findCommandLines(ask.text);
    if (ask.text !== undefined && lines.length === 0) return noLines(host, inputs);
    loaded = await load(github, inputs, lines);
    if (!loaded) return;
    const commands = commandsOf(loaded.config);
    const { person } = ask;
    const known = [...commands.values()].filter((command) => !person?.isBot || isNamedBot(person, command));
    if (known.length === 0) return nothing(host, `${person?.login} is a bot that no command names`);
    const chosen = choose(ask.trigger ? triggered(ask, loaded) : lines, commands);
    if (!chosen) return noLines(host, inputs);
    if (!known.includes(chosen.command)) return nothing(host, `${person?.login} is a bot that /${chosen.command.name} does not name`);
    await replies.react('eyes');
    await carryOut({ ask, chosen, commands, loaded, github, replies, inputs, parts });
  } catch (error) {
    if (await refuse(error, ask, loaded?.hint, replies, parts)) throw error;
  }
}

/** Tells whoever asked why nothing was started. @returns whether the step fails */
async function refuse(error: unknown, ask: Ask, hint: string | undefined, replies: Replies, { host, context }: Parts): Promise<boolean> {
  const { serverUrl, owner, repo, runId } = context;
  const text = showRefusal(error, `${serverUrl}/${owner}/${repo}/actions/runs/${runId}`, hint);
  await host.summarise(text);
  // Nobody asked: every push of a fork would be a failure.
  if (ask.via === 'push' && error instanceof Refusal) {
    host.log.notice(describe(error));
    return false;
  }
  // Bots that answer each other never stop.
  if (!ask.person?.isBot) {
    await replies.react('confused');
    await replies.say(text);
  }
  return true;
}

/** A command that is ours, on its way. */
interface Way {
  ask: Ask;
  chosen: Chosen;
  commands: ReadonlyMap<string, Command>;
  loaded: LoadedConfig;
  github: GitHub;
  replies: Replies;
  inputs: ChatopsInputs;
  parts: Parts;
}

async function carryOut(way: Way): Promise<void> {
  const { ask, chosen, commands, loaded, replies, parts } = way;
  const { host, context } = parts;
  if (ask.edited) {
    throw new Refusal('permission', 'an edited comment starts nothing, since anybody who may edit it could have', {
      remedy: 'write a new comment',
    });
  }
  const parsed = parseCommand(chosen.line.text, chosen.command);
  if (parsed.command.name === 'help') return help(parsed, way);

  const pause = parts.pause ?? ((milliseconds) => sleep(milliseconds, undefined, { signal: host.signal }));
  const headParts = { github: way.github, forks: loaded.config.forks, pause };
  let decided: { ask: Ask; parsed: ParsedCommand; commit: Commit };
  if (parsed.command.name === 'confirm') {
    if (ask.via !== 'comment') throw new Refusal('input', '/confirm works in a comment of the conversation alone');
    const comment = parsed.values.get('comment');
    const request = { ask, sha: parsed.sha ?? '', comment: typeof comment === 'number' ? comment : undefined };
    decided = await findPending(request, commands, (other, command) => admit(other, command.command, guardOf(command), way), headParts);
    await admit(ask, decided.parsed.command, guardOf(decided.parsed), way);
  } else {
    await admit(ask, parsed.command, guardOf(parsed), way);
    decided = { ask, parsed, commit: await decideCommit(ask, parsed, headParts) };
    if (guardOf(parsed).confirm) {
      if (ask.id === undefined)
        throw new Refusal('permission', `/${parsed.command.name} needs a second person, so it has to be written as a comment`);
      await replies.say(showWaiting(parsed, decided.commit, guardOf(parsed).permission, ask.id));
      return nothing(host, `/${parsed.command.name} waits for a second person`);
    }
  }
  await passCi(decided, headParts, way);

  setOutputs(host, context, decided);
  const actor = decided.ask.person?.login ?? context.actor;
  await host.summarise(showAccepted(decided.parsed, decided.commit, actor));
  await replies.react('rocket');
  if (decided.ask !== ask) await confirmed(decided.ask, ask, way);
  // An attempt before this one may have been refused, and its reply stands.
  if (context.runAttempt > 1) await replies.correct(`Started by attempt ${context.runAttempt} of the workflow run.`);
  host.log.info(`/${decided.parsed.command.name} by ${actor} at ${decided.commit.sha}`);
  if (loaded.hint !== undefined) host.log.info(loaded.hint);
}

/** Checks who asks; at a re-run also who started it again, which need not be the same. */
async function admit(ask: Ask, command: Command, guard: Guard, { github, inputs, parts }: Way): Promise<void> {
  const { person } = ask;
  if (!person) return;
  const { runAttempt, triggeringActor } = parts.context;
  const org = guard.teams.length > 0 && inputs.orgToken !== undefined ? await parts.open(inputs.orgToken) : undefined;
  if (!person.isBot) await checkPerson(github, person, command.name, guard, org);
  if (runAttempt > 1 && triggeringActor.toLowerCase() !== person.login.toLowerCase()) {
    const again = { login: triggeringActor, isBot: triggeringActor.endsWith('[bot]') };
    if (!isNamedBot(again, command)) await checkPerson(github, again, command.name, guard, org);
  }
}

/** Tells the first person that a second one was found. */
async function confirmed(first: Ask, second: Ask, { github, parts }: Way): Promise<void> {
  const replies = new Replies(github, first, parts.host.log);
  await replies.react('rocket');
  await replies.correct(`Confirmed by ${code(second.person?.login ?? '')}.`);
}

async function passCi(
  decided: { ask: Ask; parsed: ParsedCommand; commit: Commit },
  headParts: Parameters<typeof decideCommit>[2],
  way: Way,
): Promise<void> {
  const { parsed, commit, ask } = decided;
  if (guardOf(parsed).waitFor !== 'ci') return;
  const { host, context } = way.parts;
  const { excludes, waitSeconds: seconds } = parsed.command;
  const waited = await waitForCi(commit.sha, { excludes, seconds }, { ...headParts, runId: context.runId, now: host.now });
  // Minutes have gone by.
  if (waited) await decideCommit(ask, parsed, headParts);
}

async function help(parsed: ParsedCommand, { commands, loaded, replies, parts }: Way): Promise<void> {
  const wanted = parsed.values.get('command');
  const named = typeof wanted === 'string' ? commands.get(wanted.replace(/^\//u, '')) : undefined;
  if (wanted !== undefined && !named) {
    throw new Refusal('input', `there is no command /${String(wanted)}`, {
      remedy: `there are: ${[...commands.keys()].map((name) => `/${name}`).join(', ')}`,
    });
  }
  const text = showHelp(named ? [named] : commands.values(), loaded.hint);
  await replies.say(text);
  await parts.host.summarise(text);
  await replies.react('rocket');
}

/** @returns undefined where the configuration is broken and nobody asked for anything that is certainly ours */
async function load(github: GitHub, inputs: ChatopsInputs, lines: readonly CommandLine[]): Promise<LoadedConfig | undefined> {
  try {
    return await loadConfig(fetchFromDefaultBranch(github), inputs.config);
  } catch (error) {
    const usual = commandsOf(defaultConfig);
    if (!(error instanceof ActionError) || lines.length === 0 || lines.some(({ word }) => usual.has(word))) throw error;
    github.log.warning(error.message);
    return undefined;
  }
}

function triggered(ask: Ask, { config }: LoadedConfig): CommandLine[] {
  const text = ask.trigger?.(config.triggers);
  return text === undefined ? [] : [{ word: /^\/(\S*)/u.exec(text)?.[1] ?? '', text, hides: false }];
}

/** Nothing is for us. Of a text that the workflow itself gives, that is a mistake. */
function noLines(host: Host, { command }: ChatopsInputs): void {
  if (command === undefined) return nothing(host, 'there is no command of ours');
  throw new ActionError(
    'input',
    `input "command" is ${JSON.stringify(command.slice(0, 200))}; allowed: one command, such as /train epochs=5`,
  );
}

function nothing({ log }: Host, why: string): void {
  log.info(`Nothing to do: ${why}.`);
}
