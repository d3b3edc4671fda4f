import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Inputs } from './inputs.ts';
import { listOf, mapOf, mapsOf } from './yaml-inputs.ts';

const inputs = (values: Record<string, string>): Inputs =>
  new Inputs(Object.fromEntries(Object.entries(values).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])));

describe('Inputs', () => {
  it('reads an input as the runner passes it', () => {
    expect(inputs({ 'kube-context': ' real\n' }).text('kube-context')).toBe('real');
    expect(inputs({ sha: '' }).text('sha')).toBeUndefined();
  });

  it.each(['True', 'yes', '1', 'truee', 'on'])('refuses %j as a boolean', (value) => {
    expect(() => inputs({ again: value }).boolean('again', false)).toThrow(`input "again" is "${value}"; allowed: one of true, false`);
  });

  it.each([
    ['true', true],
    ['false', false],
    ['', true],
  ])('reads %j as a boolean', (value, expected) => {
    expect(inputs({ again: value }).boolean('again', true)).toBe(expected);
  });

  it.each(['1.0', '1e3', '0x1', '01', ' 1 2', 'NaN', '-1', '101'])('refuses %j as a whole number from 0 to 100', (value) => {
    expect(() => inputs({ n: value }).integer('n', { max: 100 })).toThrow('allowed: a whole number from 0 to 100');
  });

  it('reads whole numbers', () => {
    expect(inputs({ n: '100' }).integer('n', { max: 100 })).toBe(100);
    expect(inputs({}).integer('n')).toBeUndefined();
  });

  it.each(['1a2b3c4', 'A'.repeat(40), 'g'.repeat(40), 'main'])('refuses %j as a SHA', (value) => {
    expect(() => inputs({ sha: value }).sha('sha')).toThrow('allowed: a full commit SHA of 40 hexadecimal digits');
  });

  it('says which input is missing and where it belongs', () => {
    expect(() => inputs({}).required('manifest')).toThrow('input "manifest" is required and was not given');
  });

  it('coerces nothing in a map, and no key reaches a prototype', () => {
    const map = mapOf(inputs({ parameters: 'v: 1.10\nflag: yes\n__proto__: x\nempty: ""\ndate: 2026-01-01' }), 'parameters', '.');
    expect([...map]).toEqual([
      ['v', '1.10'],
      ['flag', 'yes'],
      ['__proto__', 'x'],
      ['empty', ''],
      ['date', '2026-01-01'],
    ]);
  });

  it('reads a map from JSON, as chatops-parse gives it', () => {
    expect([...mapOf(inputs({ parameters: '{"epochs":20,"note":"a: b"}' }), 'parameters', '.')]).toEqual([
      ['epochs', '20'],
      ['note', 'a: b'],
    ]);
  });

  it.each(['- a', 'a: {b: c}', 'text'])('refuses %j as a map', (value) => {
    expect(() => mapOf(inputs({ parameters: value }), 'parameters', '.')).toThrow('allowed: a YAML map of names and texts');
  });

  it.each([
    ['a: 1\na: 2', 'Map keys must be unique'],
    ['a: [', 'is not YAML'],
  ])('refuses %j', (value, words) => {
    expect(() => mapOf(inputs({ parameters: value }), 'parameters', '.')).toThrow(words);
  });

  it('reads a file where one line names one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'inputs-'));
    writeFileSync(join(folder, 'values.yaml'), 'epochs: 20');
    expect(mapOf(inputs({ parameters: 'values.yaml' }), 'parameters', folder).get('epochs')).toBe('20');
    expect(() => mapOf(inputs({ parameters: 'missing.yaml' }), 'parameters', folder)).toThrow(
      'names the file "missing.yaml", which cannot be read',
    );
  });

  it('reads a map of maps, and its entries as inputs of their own', () => {
    const all = inputs({ images: 'train: {context: a, tags: [x, "1.10"], env: {A: 1}}\n__proto__: {context: b}', context: 'c', sha: 'd' });
    const maps = mapsOf(all, 'images', '/');
    expect([...maps.keys()]).toEqual(['train', '__proto__']);
    const train = all.with(maps.get('train') ?? new Map());
    expect([train.text('context'), train.text('sha'), listOf(train, 'tags', '/'), [...mapOf(train, 'env', '/')]]).toEqual([
      'a',
      'd',
      ['x', '1.10'],
      [['A', '1']],
    ]);
    expect(() => mapsOf(inputs({ images: 'train: x' }), 'images', '/')).toThrow('a YAML map of names, each with a map');
  });
});
