import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { pixels } from './data.js';
import { learn } from './learn.js';
import { predict } from './model.js';
import { checkModel, readRecipe } from './recipe.js';

// Serves a run's model by KServe's v1 protocol: https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol
const { port } = parseArgs({ options: { port: { type: 'string', default: '8080' } } }).values;
const { SLASHTRAIN_MODEL_URI: uri, SLASHTRAIN_SHA: sha, SLASHTRAIN_REVISION: revision } = process.env;
const brightest = 16;
const largestBody = 1024 * 1024;
let model;

class BadRequest extends Error {}

const server = createServer((request, response) => {
  answer(request).then(
    ([status, body]) => send(response, status, body),
    (error) => send(response, error instanceof BadRequest ? 400 : 500, { error: error.message }),
  );
});
server.listen(Number(port), () => console.log(`listens on ${server.address().port}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));

// What it answers is 503 until the model is there.
const { settings, sha256 } = readRecipe(uri ?? '');
model = await learn(settings);
checkModel(model, sha256);
console.log(`serves the model ${sha256.slice(0, 12)} of ${sha ?? 'an unknown commit'}`);

async function answer(request) {
  const { method, url } = request;
  const path = new URL(url, 'http://localhost').pathname;
  if (!model) return [503, { error: 'the model is not there yet' }];
  if (method === 'GET' && path === '/healthz') return [200, { status: 'ok' }];
  if (method === 'GET' && path === '/v1/models/digits') return [200, { name: 'digits', ready: true, sha, revision }];
  if (method === 'POST' && path === '/v1/models/digits:predict') return [200, { predictions: read(await bodyOf(request)).map(digitOf) }];
  return [404, { error: `there is no ${method} ${path}` }];
}

const digitOf = (image) =>
  predict(
    model,
    Float64Array.from(image, (brightness) => brightness / brightest),
  ).digit;

function read(text) {
  let instances;
  try {
    ({ instances } = JSON.parse(text));
  } catch {
    throw new BadRequest('the body is no JSON');
  }
  const isImage = (image) => Array.isArray(image) && image.length === pixels && image.every((one) => one >= 0 && one <= brightest);
  if (Array.isArray(instances) && instances.every(isImage)) return instances;
  throw new BadRequest(`instances is a list of images, each ${pixels} brightnesses from 0 to ${brightest}`);
}

async function bodyOf(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > largestBody) throw new BadRequest(`the body is larger than ${largestBody} characters`);
  }
  return text;
}

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
