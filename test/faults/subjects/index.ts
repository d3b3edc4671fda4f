import type { Subject } from '../subject.ts';
import { build } from './build-image.ts';
import { cancel } from './cancel-runs.ts';
import { chatops } from './chatops-parse.ts';
import { deploy } from './deploy-model.ts';
import { fetchMlflow, fetchRun } from './fetch-metrics.ts';
import { report } from './report-pr.ts';
import { submit } from './submit-pipeline.ts';
import { sync } from './sync-runs.ts';
import { wait } from './wait-for-run.ts';

/** Every action, in the order of the case numbers: what comes new goes to the end. */
export const subjects: readonly Subject[] = [chatops, build, submit, wait, cancel, sync, fetchRun, fetchMlflow, report, deploy];
