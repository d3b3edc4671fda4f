import { ActionError, describe } from '@slashtrain/core/action/errors';
import type { Host } from '@slashtrain/core/action/host';
import type { GitHub } from '@slashtrain/core/github/client';
import type { GitHubContext } from '@slashtrain/core/github/context';
import { readAsk, type Ask } from './ask.ts';
import { parseCommand, type ParsedCommand } from './bind.ts';
import { choose, commandsOf, type Chosen } from './choose.ts';
import { readConfiguration, triggered } from './configuration.ts';
import { decide, type DecisionParts } from './decide.ts';
import { findCommandLines, mayHoldCommand } from './find.ts';
import type { ChatopsInputs } from './inputs.ts';
import { setNothing, setOutputs } from './outputs.ts';
import { Refusal } from './refusal.ts';
import { Replies } from './reply.ts';
import { showAccepted, showConfirmed, showHelp, showRefusal, showWaiting } from './show.ts';
import { guardOf, isNamedBot } from './who.ts';

/** What chatops-parse works with. */
export interface Parts {
  host: Host;
  context: GitHubContext;
  /** Loads the client and opens GitHub with a token: a comment without a command needs neither. */
  open: (token: string) => Promise<GitHub>;
}

/** Decides whether somebody may start something, what, and on which commit. Whoever is refused is told why, and the step fails. */
export async function main(inputs: ChatopsInputs, parts: Parts): Promise<void> {
  const { host, context } = parts;
  setNothing(host, context);
  const ask = readAsk(context, host.environment, inputs.command, inputs.pullRequest);
  if (!ask || (ask.text !== undefined && inputs.command === undefined && !mayHoldCommand(ask.text))) {
    return nothing(host, 'there is no command');
  }
  const github = await parts.open(inputs.token);
  const replies = new Replies(github, ask, host.log);
  let hint: string | undefined;
  try {
    const lines = ask.text === undefined ? [] : await findCommandLines(ask.text);
    if (ask.text !== undefined && lines.length === 0) return notOurs(host, inputs);
    const loaded = await readConfiguration(github, inputs.config, lines);
    if (!loaded) return;
    hint = loaded.hint;
    const commands = commandsOf(loaded.config);
    const { person } = ask;
    const open = [...commands.values()].filter((command) => !person?.isBot || isNamedBot(person, command));
    if (open.length === 0) return nothing(host, `${person?.login} is a bot that no command names`);
    const chosen = choose(ask.trigger ? triggered(ask, loaded) : lines, commands);
    if (!chosen) return notOurs(host, inputs);
    if (!open.includes(chosen.command)) return nothing(host, `${person?.login} is a bot that /${chosen.command.name} does not name`);
    // Nothing waits for it but what is written after it: who may, and at which commit, is asked meanwhile.
    const seen = replies.react('eyes');
    const { orgToken } = inputs;
    const openOrg = orgToken === undefined ? {} : { openOrg: () => parts.open(orgToken) };
    const decided = carryOut(ask, chosen, replies, hint, { host, context, github, config: loaded.config, commands, ...openOrg }, seen);
    await decided.finally(() => seen);
  } catch (error) {
    if (await refuse(error, ask, hint, replies, parts)) throw error;
  }
}

async function carryOut(
  ask: Ask,
  { line, command }: Chosen,
  replies: Replies,
  hint: string | undefined,
  parts: DecisionParts,
  seen: Promise<void>,
): Promise<void> {
  const { host, context, github } = parts;
  if (ask.edited) {
    throw new Refusal('permission', 'an edited comment starts nothing, since anybody who may edit it could have', {
      remedy: 'write a new comment',
    });
  }
  const parsed = parseCommand(line.text, command);
  if (command.name === 'help') {
    await seen;
    return help(parsed, replies, hint, parts);
  }
  const decision = await decide(ask, parsed, parts);
  await seen;
  if (decision.waits) {
    await replies.say(showWaiting(parsed, decision.commit, guardOf(parsed).permission, ask.id ?? 0));
    return nothing(host, `/${command.name} waits for a second person`);
  }

  const actor = decision.ask.person?.login ?? context.actor;
  await host.summarise(showAccepted(decision.parsed, decision.commit, actor));
  setOutputs(host, context, decision);
  host.log.info(`/${decision.parsed.command.name} by ${actor} at ${decision.commit.sha}`);
  if (hint !== undefined) host.log.info(hint);
  await replies.react('rocket');
  if (decision.ask !== ask) {
    const first = new Replies(github, decision.ask, host.log);
    await first.react('rocket');
    await first.correct(showConfirmed(ask.person?.login ?? ''));
  }
  // An attempt before this one may have been refused, and its reply stands.
  if (context.runAttempt > 1) await replies.correct(`Started by attempt ${context.runAttempt} of the workflow run.`);
}

async function help(parsed: ParsedCommand, replies: Replies, hint: string | undefined, { commands, host }: DecisionParts): Promise<void> {
  const wanted = parsed.values.get('command');
  const named = typeof wanted === 'string' ? commands.get(wanted.replace(/^\//u, '')) : undefined;
  if (wanted !== undefined && !named) {
    throw new Refusal('input', `there is no command /${String(wanted)}`, {
      remedy: `there are: ${[...commands.keys()].map((name) => `/${name}`).join(', ')}`,
    });
  }
  const text = showHelp(named ? [named] : commands.values(), hint);
  await replies.say(text);
  await host.summarise(text);
  await replies.react('rocket');
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

/** Nothing is for us. Of a text that the workflow itself gives, that is a mistake. */
function notOurs(host: Host, { command }: ChatopsInputs): void {
  if (command === undefined) return nothing(host, 'there is no command of ours');
  throw new ActionError(
    'input',
    `input "command" is ${JSON.stringify(command.slice(0, 200))}; allowed: one command, such as /train epochs=5`,
  );
}

function nothing({ log }: Host, why: string): void {
  log.info(`Nothing to do: ${why}.`);
}
