import { describe, expect, it } from '@jest/globals';
import { files, readText } from './repository.ts';

const binary = /\.(gz|png|ico|woff2?|pb|zip|tar)$/u;
const texts = files().filter((file) => !binary.test(file) && file !== 'pnpm-lock.yaml');
/** Lines of all files that have it, as `file:line`. */
const linesWith = (pattern: RegExp, except: RegExp = /^$/u): string[] =>
  texts
    .filter((file) => !except.test(file))
    .flatMap((file) =>
      readText(file)
        .split('\n')
        .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
    );

describe('the texts of the repository', () => {
  it('name no folder of the machine that they were written on', () => {
    expect(linesWith(/[/]work[/](main|shared|[.][a-z]+)\b|[/]root[/][.\w]/u)).toEqual([]);
  });

  it('name nothing beside the checkout but in .ci/run, which alone looks there', () => {
    expect(linesWith(/[.][.][/]shared/u, /^[.]ci[/]run$/u)).toEqual([]);
  });

  it('name no registry of packages: a contributor has their own', () => {
    expect(linesWith(/registry[.]npmjs[.]org|registry[.]yarnpkg[.]com|proxy[.]golang[.]org|pythonhosted[.]org|[/]pypi[.]org/u)).toEqual([]);
  });

  it('leave no test out and turn no check off', () => {
    expect(
      linesWith(/\b(it|test|describe)[.](only|skip|todo|failing)\b|@ts-(ignore|nocheck)/u, /^(test\/repository\/texts|eslint[.]config)/u),
    ).toEqual([]);
  });

  it('turn a rule off for one line at a time, and say why', () => {
    const off = linesWith(/eslint-disable/u, /^test\/repository\/texts/u);
    expect(off.filter((line) => !/eslint-disable-next-line [\w@/-]+( -- \S.*)/u.test(line))).toEqual([]);
  });

  it('end with a line end', () => {
    const isText = (file: string): boolean => /\.(ts|js|mjs|cjs|json|ya?ml|md|css)$/u.test(file) && readText(file) !== '';
    expect(texts.filter((file) => isText(file) && !readText(file).endsWith('\n'))).toEqual([]);
  });
});
