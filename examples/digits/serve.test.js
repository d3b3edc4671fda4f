import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readDigits } from './data.js';
import { learn } from './learn.js';
import { evaluate } from './model.js';
import { writeRecipe } from './recipe.js';

const program = fileURLToPath(new URL('serve.js', import.meta.url));
const settings = { epochs: 3, learningRate: 0.1, hidden: 16, batch: 16, seed: 0 };

function serve(uri) {
  const env = { ...process.env, SLASHTRAIN_MODEL_URI: uri, SLASHTRAIN_SHA: 'a'.repeat(40) };
  return spawn(process.execPath, [program, '--port', '0'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

test("serves the run's model, and says which commit's it is", async () => {
  const model = await learn(settings);
  const server = serve(writeRecipe(settings, model));
  try {
    let port;
    for await (const line of createInterface(server.stdout)) {
      port ??= /^listens on (\d+)$/.exec(line)?.[1];
      if (line.startsWith('serves')) break;
    }
    const ask = (path, body) => fetch(`http://127.0.0.1:${port}${path}`, body === undefined ? {} : { method: 'POST', body });
    assert.deepEqual(await (await ask('/v1/models/digits')).json(), { name: 'digits', ready: true, sha: 'a'.repeat(40) });
    const examples = readDigits().test;
    const instances = examples.map(({ image }) => [...image].map((brightness) => brightness * 16));
    const { predictions } = await (await ask('/v1/models/digits:predict', JSON.stringify({ instances }))).json();
    const right = predictions.filter((digit, index) => digit === examples[index].digit).length;
    assert.equal(right / examples.length, evaluate(model, examples).accuracy);
    for (const bad of ['{', '{}', '{"instances":[[1,2]]}']) assert.equal((await ask('/v1/models/digits:predict', bad)).status, 400);
    assert.equal((await ask('/v1/models/letters')).status, 404);
  } finally {
    server.kill();
  }
  assert.deepEqual(await once(server, 'exit'), [0, null]);
});

for (const [uri, message] of [
  [writeRecipe(settings, { another: 1 }), /another commit, or another Node/],
  ['s3://models/digits', /is no model of this program/],
]) {
  test(`does not serve ${uri.slice(0, 20)}`, async () => {
    const server = serve(uri);
    let errors = '';
    server.stderr.on('data', (data) => (errors += data));
    const [code] = await once(server, 'close');
    assert.equal(code, 1);
    assert.match(errors, message);
  });
}
