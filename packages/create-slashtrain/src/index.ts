#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { main, readTemplate, usage, UsageError } from './main.ts';

const terminal = process.stdin.isTTY ? createInterface({ input: process.stdin, output: process.stdout }) : undefined;
try {
  process.exitCode = await main(process.argv.slice(2), {
    folder: process.cwd(),
    template: readTemplate([join(import.meta.dirname, 'template'), join(import.meta.dirname, '../../../examples/digits')]),
    say: (line) => console.log(line),
    question: terminal && ((text) => terminal.question(text)),
    ask: (program, args) => {
      const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000 });
      return status === 0 || (program === 'kubectl' && args[0] === 'auth') ? stdout : undefined;
    },
  });
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
} finally {
  terminal?.close();
}
