/*
 * The protocols of model servers:
 *   v1      https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol
 *   v2      https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol (Open Inference Protocol)
 *   openai  https://platform.openai.com/docs/api-reference, as vLLM has it below /v1 and KServe below /openai/v1
 */
export const protocols = ['v1', 'v2', 'openai'] as const;
export type Protocol = (typeof protocols)[number];

/** A protocol and the model that is spoken to. */
export interface Speech {
  protocol: Protocol;
  model: string;
  /** What OpenAI's paths are below: `/v1` or `/openai/v1`. */
  base: string;
}

/** Where a request with this body goes; without a body, where the model says that it is there. */
export function pathFor({ protocol, model, base }: Speech, body: unknown): { method: string; path: string } {
  const name = encodeURIComponent(model);
  const method = body === undefined ? 'GET' : 'POST';
  switch (protocol) {
    case 'v1':
      return { method, path: `/v1/models/${name}${body === undefined ? '' : ':predict'}` };
    case 'v2':
      return { method, path: `/v2/models/${name}/${body === undefined ? 'ready' : 'infer'}` };
    case 'openai':
      return { method, path: `${base}/${body === undefined ? 'models' : operationOf(body)}` };
  }
}

function operationOf(body: unknown): string {
  if (typeof body !== 'object' || body === null) return 'chat/completions';
  if ('prompt' in body) return 'completions';
  if ('input' in body) return 'embeddings';
  return 'chat/completions';
}

/** The body as it is sent: OpenAI's names the model where the body does not. */
export function bodyFor({ protocol, model }: Speech, body: unknown): unknown {
  return protocol === 'openai' && typeof body === 'object' && body !== null && !('model' in body) ? { model, ...body } : body;
}

/** An input of a golden set as a body, and where the output stands in the answer. */
export function inferenceOf(speech: Speech, input: unknown): unknown {
  switch (speech.protocol) {
    case 'v1':
      return { instances: [input] };
    case 'v2': {
      if (!Array.isArray(input)) return input;
      const shape = shapeOf(input);
      return { inputs: [{ name: 'input-0', shape: [1, ...shape], datatype: datatypeOf(input.flat(shape.length)), data: [input] }] };
    }
    case 'openai': {
      const body = typeof input === 'string' ? { messages: [{ role: 'user', content: input }] } : input;
      return bodyFor(speech, body);
    }
  }
}

export const outputPaths: Record<Protocol, string> = {
  v1: '$.predictions[0]',
  v2: '$.outputs[0].data[0]',
  openai: '$.choices[0].message.content',
};

function shapeOf(value: unknown[]): number[] {
  const [first] = value;
  return Array.isArray(first) ? [value.length, ...shapeOf(first)] : [value.length];
}

function datatypeOf(values: unknown[]): string {
  if (values.every((value) => typeof value === 'number')) return 'FP32';
  return values.every((value) => typeof value === 'boolean') ? 'BOOL' : 'BYTES';
}
