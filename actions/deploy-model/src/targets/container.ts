import type { Container, EnvVar } from '@slashtrain/core/kinds/kind';
import type { Candidate } from '../types.ts';

/** What the inputs say of the container that serves. */
export interface ContainerInputs {
  port: number;
  args: readonly string[];
  env: ReadonlyMap<string, string>;
  cpu: string | undefined;
  memory: string | undefined;
  gpus: number | undefined;
  /** The path that answers 200 once the model is loaded. */
  healthPath: string | undefined;
}

/** What every container that serves is told. */
export function environmentFor({ sha, run, environment, revision, modelUri }: Candidate): EnvVar[] {
  const values = { SHA: sha, RUN: run, ENVIRONMENT: environment, REVISION: revision, MODEL_URI: modelUri };
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [{ name: `SLASHTRAIN_${name}`, value }]));
}

/** What the container asks for, and may take. */
export function resourcesFor({ cpu, memory, gpus }: ContainerInputs): Pick<Container, 'resources'> {
  const amounts = {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(gpus === undefined ? {} : { 'nvidia.com/gpu': String(gpus) }),
  };
  return Object.keys(amounts).length === 0 ? {} : { resources: { requests: amounts, limits: amounts } };
}

/** A container that serves the candidate's image. */
export function containerFor(candidate: Candidate, inputs: ContainerInputs, name: string): Container {
  const { port, args, env, healthPath } = inputs;
  return {
    name,
    image: candidate.image ?? '',
    ...(args.length === 0 ? {} : { args: [...args] }),
    ports: [{ containerPort: port, protocol: 'TCP' }],
    env: [...environmentFor(candidate), ...[...env].map(([key, value]) => ({ name: key, value }))],
    readinessProbe:
      healthPath === undefined
        ? { tcpSocket: { port }, periodSeconds: 1, timeoutSeconds: 1 }
        : { httpGet: { path: healthPath, port }, periodSeconds: 1, timeoutSeconds: 5 },
    ...resourcesFor(inputs),
  };
}

/** Endpoints are told of a pod's end while it ends: it has to answer until they have heard. Needs Kubernetes 1.30. */
export const drain = { preStop: { sleep: { seconds: 10 } } };
