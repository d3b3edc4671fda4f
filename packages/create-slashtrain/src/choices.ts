import type { Way } from './access.ts';
import type { Framework, Seen } from './repository.ts';

/** All that is to be known to write the files. */
export interface Choices {
  name: string;
  cluster: Way;
  framework: Framework;
  tracker: 'none' | 'mlflow' | 'wandb';
  script: string;
  base: string;
  metric: string;
  direction: 'higher' | 'lower';
  gpus: number;
}

/** What a program of this framework runs on, where nobody says it: images of their own projects. */
export const bases: Record<Framework, string> = {
  'scikit-learn': 'python:3.12-slim',
  pytorch: 'pytorch/pytorch:2.9.1-cuda12.8-cudnn9-runtime',
  tensorflow: 'tensorflow/tensorflow:2.20.0',
  node: 'node:24-slim',
  other: 'python:3.12-slim',
};

/** What was found, and for the rest what most have. */
export function defaults(seen: Seen): Choices {
  return {
    name: seen.name,
    cluster: 'kubeconfig',
    framework: seen.framework,
    tracker: 'none',
    script: seen.script ?? 'train.py',
    base: seen.base ?? bases[seen.framework],
    metric: 'accuracy',
    direction: 'higher',
    gpus: 0,
  };
}
