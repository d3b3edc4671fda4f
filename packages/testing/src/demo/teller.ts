import { formatDuration } from '@slashtrain/core/action/duration';
import { parseCommand } from '../bundle/commands.ts';
import type { Progress, StepRun } from '../runner/result.ts';
import type { Screen } from './screen.ts';

const nameWidth = 36;

/** Tells what the steps of the workflows do while they do it. */
export class Teller {
  readonly #screen: Screen;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  act(number: number, title: string): void {
    this.#screen.line();
    this.#screen.line(this.#screen.style('bold', `${number}  ${title}`));
    this.#screen.line();
  }

  /** Something that a person does. */
  person(login: string, does: string): void {
    this.#screen.line(`   ${this.#screen.style('cyan', login)} ${does}`);
  }

  /** Something that is so. */
  fact(name: string, value: string): void {
    this.#screen.line(`   ${this.#screen.style('dim', name.padEnd(10))} ${value}`);
  }

  text(text: string): void {
    for (const line of text.split('\n')) this.#screen.line(line === '' ? '' : `   ${line}`);
  }

  gap(): void {
    this.#screen.line();
  }

  good(text: string): string {
    return this.#screen.style('green', `✓ ${text}`);
  }

  bad(text: string): string {
    return this.#screen.style('red', `✗ ${text}`);
  }

  onProgress(progress: Progress): void {
    if (progress.type === 'line') this.#line(progress.step, progress.line);
    else if (progress.type === 'step-started') this.#screen.draft(`     · ${progress.step.name}`);
    else if (progress.type === 'step-ended') this.#step(progress.step);
    else if (progress.type === 'job-ended') this.#notes(progress.job.annotations);
  }

  /** The newest line that is for people: no workflow command, and no metric, which its neighbour says as well. */
  #line(step: StepRun, line: string): void {
    if (parseCommand(line) || line.startsWith('slashtrain-metric ')) return;
    this.#screen.draft(`     · ${step.name.padEnd(nameWidth)}  ${line}`);
  }

  #step(step: StepRun): void {
    if (step.startedAt === undefined || step.endedAt === undefined) return;
    const took = formatDuration((step.endedAt - step.startedAt) / 1000);
    const name = step.name.padEnd(nameWidth);
    const isGood = step.conclusion === 'success';
    this.#screen.line(`     ${isGood ? this.good(name) : this.bad(name)} ${this.#screen.style('dim', took.padStart(7))}`);
    if (!isGood) this.#notes(step.annotations);
  }

  /** Why something failed. */
  #notes(annotations: readonly { level: string; message: string }[]): void {
    for (const { level, message } of annotations) if (level === 'error') this.#screen.line(`       ${message}`);
  }
}
