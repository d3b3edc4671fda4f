import { stripVTControlCharacters } from 'node:util';
import { formatDuration } from '@slashtrain/core/action/duration';
import { parseCommand } from '../bundle/commands.ts';
import type { Annotation, JobRun, StepRun, WorkflowRun } from '../runner/result.ts';
import { each, markup, nothing, raw, shortSha, time, type Markup } from './markup.ts';
import { layout } from './layout.ts';
import { renderMarkdown } from './markdown.ts';
import { sign, statusSign } from './status.ts';

/** A workflow run: its jobs with their steps and logs, and what the steps say in their summaries. */
export function runPage(repository: string, run: WorkflowRun): Markup {
  const body = markup`<div class="heading">
      <h1>${statusSign(run)} ${run.title}</h1>
      <p class="muted">
        ${run.workflow} #${run.number}, attempt ${run.attempt}, by ${run.event} of ${run.actor}, on
        ${run.ref.replace(/^refs\/heads\//u, '')} <a class="sha" href="/${repository}/commit/${run.sha}">${shortSha(run.sha)}</a>,
        ${time(run.startedAt)}${lasted(run)}
      </p>
    </div>
    ${each(
      run.jobs.filter((job) => job.conclusion !== 'skipped'),
      jobSection,
    )}
    ${skipped(run.jobs.filter((job) => job.conclusion === 'skipped'))}`;
  return layout({
    title: `${run.title} · ${repository}`,
    path: [{ name: 'Repositories', to: '/' }, { name: repository, to: `/${repository}` }, { name: `${run.workflow} #${run.number}` }],
    body,
    live: run.status !== 'completed',
  });
}

function jobSection(job: JobRun): Markup {
  return markup`<section class="job" aria-label="Job ${job.name}">
    <h2>${statusSign(job)} ${job.name} <span class="muted">${lasted(job)}</span></h2>
    <p class="muted">
      Token:
      ${
        Object.entries(job.permissions)
          .map(([name, level]) => `${name}: ${level}`)
          .join(', ') || 'no permission'
      }
    </p>
    ${annotations(job.annotations)}
    <div class="box steps">${each(job.steps, stepRow)}</div>
    ${each(
      job.steps.filter((step) => step.summary.trim() !== ''),
      (step) =>
        markup`<article class="box summary">
          <header>${step.name}</header>
          <div class="markdown-body">${raw(renderMarkdown(step.summary))}</div>
        </article>`,
    )}
  </section>`;
}

function stepRow(step: StepRun): Markup {
  const failed = step.conclusion === 'failure';
  return markup`<details${failed || step.status === 'in_progress' ? raw(' open') : ''}>
<summary>${statusSign(step)}<span class="grow">${step.name}</span><span class="muted">${lasted(step)}</span></summary>
${annotations(step.annotations.filter(({ message }) => !step.lines.some((line) => line.includes(message))))}
${step.lines.length > 0 ? markup`<div class="log" role="log">${logLines(step.lines)}</div>` : nothing}
</details>`;
}

/** Log lines as the runner shows them: groups fold, commands are not printed, colours are left out. */
function logLines(lines: readonly string[]): Markup[] {
  const shown: Markup[] = [];
  let group: { title: string; lines: Markup[] } | undefined;
  const close = (): void => {
    if (group) shown.push(markup`<details><summary>${group.title}</summary>${group.lines}</details>`);
    group = undefined;
  };
  for (const line of lines) {
    const command = parseCommand(line);
    if (command?.name === 'group') {
      close();
      group = { title: command.data, lines: [] };
    } else if (command?.name === 'endgroup') close();
    else (group?.lines ?? shown).push(logLine(line, command));
  }
  close();
  return shown;
}

function logLine(line: string, command: ReturnType<typeof parseCommand>): Markup {
  if (!command) return markup`<div>${stripVTControlCharacters(line)}</div>`;
  if (command.name !== 'error' && command.name !== 'warning' && command.name !== 'notice') return nothing;
  const level = command.name.replace(/^./u, (letter) => letter.toUpperCase());
  return markup`<div class="${command.name}">${level}: ${stripVTControlCharacters(command.data)}</div>`;
}

function annotations(all: readonly Annotation[]): Markup {
  if (all.length === 0) return nothing;
  return markup`<ul class="annotations">${all.map(({ level, message }) => markup`<li class="${level}">${message}</li>`)}</ul>`;
}

function skipped(jobs: readonly JobRun[]): Markup {
  if (jobs.length === 0) return nothing;
  return markup`<p class="muted">${sign('off', 'skipped')} Skipped: ${jobs.map((job) => job.name).join(', ')}</p>`;
}

function lasted({ startedAt, endedAt }: { startedAt?: number; endedAt?: number }): string {
  return startedAt === undefined || endedAt === undefined ? '' : ` ${formatDuration((endedAt - startedAt) / 1000)}`;
}
