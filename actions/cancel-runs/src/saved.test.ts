import { expect, it } from '@jest/globals';
import { kindFor } from '@slashtrain/core/kinds/index';
import type { KubernetesObject } from '@slashtrain/core/kinds/kind';
import type { PodResult, RunResult } from '@slashtrain/core/run/result';
import { savedBy, savedWords } from './saved.ts';

const pod = (gpus: number, endedAt?: string): PodResult => ({
  name: 'a',
  uid: 'a',
  phase: 'Running',
  gpus,
  containers: [],
  ...(endedAt === undefined ? {} : { endedAt }),
});
const job = (activeDeadlineSeconds?: number): KubernetesObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'a' },
  spec: { template: { spec: { ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds }), containers: [] } } },
});

it.each<[string, Partial<RunResult>, number | undefined, string | undefined]>([
  ['no GPU', { pods: [pod(0)] }, 3600, undefined],
  ['one that never ran', { pods: [pod(1)], gpuHours: 0 }, 7200, 'frees 1 GPU, held for 0 GPU-hours; saves up to 2 GPU-hours (4.00 EUR)'],
  [
    'two pods that ran',
    { pods: [pod(4), pod(4)], gpuHours: 4, runSeconds: 1800 },
    7200,
    'frees 8 GPUs, held for 4 GPU-hours; saves up to 12 GPU-hours (24.00 EUR)',
  ],
  ['no deadline', { pods: [pod(4)], gpuHours: 1.2345 }, undefined, 'frees 4 GPUs, held for 1.23 GPU-hours'],
  [
    'a deadline that has passed',
    { pods: [pod(1)], gpuHours: 1, runSeconds: 3700 },
    3600,
    'frees 1 GPU, held for 1 GPU-hours; saves up to 0 GPU-hours (0.00 EUR)',
  ],
  ['a pod that had ended', { pods: [pod(4, '2026-11-21T10:00:00Z')], gpuHours: 4 }, 7200, undefined],
])('says what ending saves with %s', (_, result, deadline, words) => {
  const saved = savedBy({ gpuHours: 0, ...result } as RunResult, job(deadline), kindFor('batch/v1', 'Job'));
  expect(savedWords(saved, { perHour: 2, accelerator: 'a100', currency: 'EUR' })).toBe(words);
});
