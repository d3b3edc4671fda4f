import { faultNames, statusOf, type FaultName, type Strike } from '@slashtrain/testing/faults/fault';
import { seeded } from '@slashtrain/core/metrics/random';
import { between } from '@slashtrain/testing/faults/random';
import type { Passing } from '@slashtrain/testing/faults/proxy';

/** The servers that actions speak to. */
export type ServerName = 'github' | 'kubernetes' | 'registry' | 'mlflow';

/**
 * When it goes wrong: at the first request; at a later one that only reads; at one that writes, before the server saw it; after the
 * server has done a write and before its answer; in the middle of a watch or a log.
 */
export type Moment = 'first' | 'read' | 'write' | 'answer' | 'watch';

/** What happens then: to the connection, to the process, to what stands on the cluster, or that another runner does the same at once. */
export type Trouble = FaultName | 'sigterm' | 'sigkill' | 'twin' | 'replaced' | OfRunner;

/** What happens to the runner: its disk is full, or its clock is set an hour ahead or back. */
export type OfRunner = 'disk' | 'clock-ahead' | 'clock-back';

/** How many requests of each sort an action makes at one of its servers, at least, where nothing goes wrong. */
export interface Traffic {
  reads: number;
  writes: number;
  streams: number;
}

/** One field of the matrix. */
export interface FaultCase {
  /** Its number; with the seed, it says everything. */
  number: number;
  subject: string;
  server: ServerName;
  trouble: Trouble;
  moment: Moment;
}

const moments: readonly Moment[] = ['first', 'read', 'write', 'answer', 'watch'];
const troubles: readonly Trouble[] = [...faultNames, 'sigterm', 'sigkill', 'twin', 'replaced'];
const ofRunner: readonly OfRunner[] = ['disk', 'clock-ahead', 'clock-back'];

/** Whether it happens to a connection. */
export function isFault(trouble: Trouble): trouble is FaultName {
  return faultNames.some((name) => name === trouble);
}

type Counted = readonly { name: string; traffic: Partial<Record<ServerName, Traffic>> }[];

/** All cases, in a fixed order: an action's servers, what goes wrong, and when. */
export function allCases(subjects: Counted): FaultCase[] {
  const cases: FaultCase[] = [];
  let number = 0;
  const add = (among: readonly Trouble[]): void => {
    for (const { name, traffic } of subjects)
      for (const [server, counts] of Object.entries(traffic) as [ServerName, Traffic][])
        for (const trouble of among)
          for (const moment of moments) {
            number += 1;
            if (isPossible(server, trouble, moment, counts)) cases.push({ number, subject: name, server, trouble, moment });
          }
  };
  add(troubles);
  // What came later has later numbers.
  add(ofRunner);
  return cases;
}

function isPossible(server: ServerName, trouble: Trouble, moment: Moment, { reads, writes, streams }: Traffic): boolean {
  if (moment === 'read' && reads < 2) return false;
  if ((moment === 'write' || moment === 'answer') && writes === 0) return false;
  if (moment === 'watch' && streams === 0) return false;
  switch (trouble) {
    case 'duplicate':
    case 'reorder':
      return moment === 'watch';
    case 'gzip':
      return moment !== 'write' && moment !== 'watch';
    case 'certificate':
      // The others are reached without TLS here.
      return server === 'kubernetes';
    case 'twin':
      return moment === 'first';
    case 'disk':
      // One disk for all of its servers.
      return moment === 'first' && server !== 'kubernetes' && server !== 'registry';
    case 'clock-ahead':
    case 'clock-back':
      // Between two requests it is all the same whose they are.
      return server !== 'github' && moment !== 'first' && moment !== 'answer';
    case 'replaced':
      return server === 'kubernetes' && moment !== 'first';
    case 'slow':
      return moment === 'first' || moment === 'answer' || moment === 'watch';
    // Who says that it was refused has not done it.
    case 'gone':
      // An API server says it of a watch alone.
      return server === 'kubernetes' ? moment === 'watch' : moment !== 'answer';
    case 'busy':
    case 'busy-until':
    case 'expired':
      return moment !== 'answer';
    default:
      return true;
  }
}

/** A case's own numbers. */
export interface Draw {
  random: () => number;
  /** Which of the requests of its sort it is, from 1. */
  nth: number;
  /** So many requests in a row. */
  times: number;
}

/** What is left to chance, from the seed and the case's number. */
export function drawFor({ number, moment, trouble }: FaultCase, seed: number, { reads, writes, streams }: Traffic): Draw {
  const random = seeded(seed * 100_003 + number);
  const most = moment === 'first' ? 1 : moment === 'read' ? reads - 1 : moment === 'watch' ? streams : writes;
  const nth = moment === 'read' ? between(random, 2, most + 1) : between(random, 1, Math.max(1, most));
  // A second in the same place tells whether the first was borne by luck.
  const times = trouble === 'stall' || moment === 'watch' ? 1 : between(random, 1, 2);
  return { random, nth, times };
}

/** Counts the requests of a proxy, and says which of them is struck. */
export class Aim {
  readonly #case: FaultCase;
  readonly #draw: Draw;
  #seen = 0;
  #left: number;
  /** Whether it has come to that. */
  hit = false;

  constructor(one: FaultCase, draw: Draw) {
    this.#case = one;
    this.#draw = draw;
    this.#left = draw.times;
  }

  /** Whether this is the request, or one of those that follow it. */
  meets(passing: Passing): boolean {
    const { moment } = this.#case;
    if (this.#left === 0) return false;
    if (!this.hit) {
      if (!isOf(moment, passing)) return false;
      this.#seen += 1;
      if (this.#seen < this.#draw.nth) return false;
    } else if (moment === 'answer' ? !passing.isWrite : passing.isStream !== (moment === 'watch')) return false;
    this.hit = true;
    this.#left -= 1;
    return true;
  }

  /** @returns what the proxy is to do */
  strike(): Strike {
    const { trouble, moment } = this.#case;
    if (!isFault(trouble)) throw new Error(`${trouble} is nothing that strikes a connection`);
    const fault = trouble;
    // Half a page in the middle of a log is another answer to the next request.
    if (moment === 'watch') return { fault, place: 'stream' };
    return { fault, place: moment === 'answer' || (fault === 'gzip' && !statusOf(fault)) ? 'after' : 'before' };
  }
}

function isOf(moment: Moment, { isWrite, isStream }: Passing): boolean {
  switch (moment) {
    case 'first':
      return true;
    case 'read':
      return !isWrite && !isStream;
    case 'watch':
      return isStream;
    default:
      return isWrite;
  }
}
