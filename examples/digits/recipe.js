import { createHash } from 'node:crypto';
import { writeModel } from './model.js';

/*
 * A run's model as a URI: what it was trained with, and the digest of what came out. The model is small and its training
 * gives the same numbers again, so that the server makes it anew from the same commit, and refuses any other. A larger
 * model would be a file under the run's `artifacts`, and the URI its place.
 */
const names = ['epochs', 'learningRate', 'hidden', 'batch', 'seed'];

/** @returns {string} `digits:/model?epochs=20&…&sha256=…` */
export function writeRecipe(settings, model) {
  const query = new URLSearchParams(names.map((name) => [name, String(settings[name])]));
  query.set('sha256', digestOf(model));
  return `digits:/model?${query}`;
}

/** @throws {Error} where it is none */
export function readRecipe(uri) {
  const [, text] = /^digits:\/model\?(.+)$/.exec(uri) ?? [];
  const query = new URLSearchParams(text ?? '');
  const settings = Object.fromEntries(names.map((name) => [name, Number(query.get(name) ?? NaN)]));
  const sha256 = query.get('sha256') ?? '';
  if (!Object.values(settings).every(Number.isFinite) || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new Error(`${JSON.stringify(uri)} is no model of this program; it looks like digits:/model?epochs=20&…&sha256=…`);
  }
  return { settings, sha256 };
}

/** @throws {Error} where it is another model than the run's */
export function checkModel(model, sha256) {
  const found = digestOf(model);
  if (found !== sha256)
    throw new Error(`this trains a model of the digest ${found}, and the run made ${sha256}: another commit, or another Node`);
}

const digestOf = (model) => createHash('sha256').update(writeModel(model)).digest('hex');
