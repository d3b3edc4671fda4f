import { setImmediate } from 'node:timers/promises';
import { classes, pixels, readDigits } from './data.js';
import { makeModel, trainEpoch } from './model.js';
import { randomFrom } from './random.js';

/**
 * Trains a model. Equal settings give the same one, number by number.
 * @param {{epochs: number, learningRate: number, hidden: number, batch: number, seed: number}} settings
 * @param {(epoch: number, model: import('./model.js').Model, test: object[]) => void} afterEpoch
 */
export async function learn({ epochs, learningRate, hidden, batch, seed }, afterEpoch = () => {}) {
  const { training, test } = readDigits();
  const random = randomFrom(seed);
  const model = makeModel(pixels, hidden, classes, random);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    trainEpoch(model, training, { learningRate, batch }, random);
    afterEpoch(epoch, model, test);
    // Lets a signal in between two epochs.
    await setImmediate();
  }
  return model;
}
