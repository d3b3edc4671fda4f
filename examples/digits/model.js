import { shuffle } from './random.js';

/**
 * A network with one hidden layer: input → ReLU → softmax. Weights lie row by row, a row for each unit.
 * @typedef {{inputs: number, hidden: number, classes: number, hiddenWeights: Float64Array, hiddenBias: Float64Array,
 *   outputWeights: Float64Array, outputBias: Float64Array}} Model
 */

/** A network that has learnt nothing yet. @returns {Model} */
export function makeModel(inputs, hidden, classes, random) {
  // He's initialisation: https://arxiv.org/abs/1502.01852
  const weights = (rows, columns) => Float64Array.from({ length: rows * columns }, () => gaussian(random) * Math.sqrt(2 / columns));
  return {
    inputs,
    hidden,
    classes,
    hiddenWeights: weights(hidden, inputs),
    hiddenBias: new Float64Array(hidden),
    outputWeights: weights(classes, hidden),
    outputBias: new Float64Array(classes),
  };
}

/** One pass over `examples` in mini-batches: stochastic gradient descent on the cross entropy. Changes `model`. */
export function trainEpoch(model, examples, { learningRate, batch }, random) {
  const shuffled = shuffle(examples, random);
  for (let start = 0; start < shuffled.length; start += batch) step(model, shuffled.slice(start, start + batch), learningRate);
}

/** @returns {{accuracy: number, loss: number}} the share that is right, and the mean cross entropy */
export function evaluate(model, examples) {
  let right = 0;
  let loss = 0;
  for (const { image, digit } of examples) {
    const { probabilities } = forward(model, image);
    if (likeliest(probabilities) === digit) right++;
    loss -= Math.log(probabilities[digit]);
  }
  return { accuracy: right / examples.length, loss: loss / examples.length };
}

/** @returns {{digit: number, probabilities: number[]}} */
export function predict(model, image) {
  const { probabilities } = forward(model, image);
  return { digit: likeliest(probabilities), probabilities: [...probabilities] };
}

/** The model as JSON. {@link readModel} reads it back. */
export function writeModel(model) {
  return JSON.stringify(model, (_, value) => (value instanceof Float64Array ? [...value] : value));
}

/** @returns {Model} */
export function readModel(text) {
  const model = JSON.parse(text);
  for (const [name, value] of Object.entries(model)) if (Array.isArray(value)) model[name] = Float64Array.from(value);
  return model;
}

function step(model, examples, learningRate) {
  const gradients = {
    hiddenWeights: new Float64Array(model.hiddenWeights.length),
    hiddenBias: new Float64Array(model.hidden),
    outputWeights: new Float64Array(model.outputWeights.length),
    outputBias: new Float64Array(model.classes),
  };
  for (const example of examples) backward(model, example, gradients);
  const rate = learningRate / examples.length;
  for (const [name, gradient] of Object.entries(gradients)) {
    const weights = model[name];
    for (let i = 0; i < weights.length; i++) weights[i] -= rate * gradient[i];
  }
}

function forward(model, image) {
  const activations = new Float64Array(model.hidden);
  for (let unit = 0; unit < model.hidden; unit++) {
    activations[unit] = Math.max(0, weightedSum(model.hiddenWeights, unit, image) + model.hiddenBias[unit]);
  }
  const scores = new Float64Array(model.classes);
  for (let unit = 0; unit < model.classes; unit++) {
    scores[unit] = weightedSum(model.outputWeights, unit, activations) + model.outputBias[unit];
  }
  return { activations, probabilities: softmax(scores) };
}

/** Adds the gradients of one example. */
function backward(model, { image, digit }, gradients) {
  const { activations, probabilities } = forward(model, image);
  const hiddenErrors = new Float64Array(model.hidden);
  for (let unit = 0; unit < model.classes; unit++) {
    const error = probabilities[unit] - (unit === digit ? 1 : 0);
    gradients.outputBias[unit] += error;
    for (let i = 0; i < model.hidden; i++) {
      const at = unit * model.hidden + i;
      gradients.outputWeights[at] += error * activations[i];
      hiddenErrors[i] += error * model.outputWeights[at];
    }
  }
  for (let unit = 0; unit < model.hidden; unit++) {
    if (activations[unit] === 0) continue;
    gradients.hiddenBias[unit] += hiddenErrors[unit];
    for (let i = 0; i < model.inputs; i++) gradients.hiddenWeights[unit * model.inputs + i] += hiddenErrors[unit] * image[i];
  }
}

function weightedSum(weights, row, values) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += weights[row * values.length + i] * values[i];
  return sum;
}

function softmax(scores) {
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function likeliest(probabilities) {
  return probabilities.indexOf(Math.max(...probabilities));
}

/** Box and Muller's transform. */
function gaussian(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
