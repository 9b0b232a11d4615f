import { jest } from '@jest/globals';
import { workedMs } from './machine-stalls.js';

/** How a piece of work shares the event loop. */
export interface LoopTurns<T> {
  readonly result: T;
  /** How often other work had its turn before the work ended. */
  readonly turns: number;
  /**
   * The largest share of the work, 0–1, without a turn for other work; measured in CPU time, which does not depend on the load
   * of the machine.
   */
  readonly largest: number;
}

/**
 * Counts the turns that `work` leaves to other work while every call of `performance.now()` advances time by a millisecond, so
 * that sliced work ends a slice wherever it can, on any machine. Returns the best of three runs, because garbage collection may
 * disturb a run.
 */
export async function turnsDuring<T>(work: () => T | Promise<T>): Promise<LoopTurns<T>> {
  const times = [await once(work), await once(work), await once(work)];
  return times.reduce((best, other) => (other.largest < best.largest ? other : best));
}

async function once<T>(work: () => T | Promise<T>): Promise<LoopTurns<T>> {
  let now = performance.now();
  const machine = jest.spyOn(performance, 'now').mockImplementation(() => ++now);
  let turns = 0;
  let next = setImmediate(turn);
  const began = workedMs();
  let last = began;
  let largestMs = 0;
  function portion(): void {
    const until = workedMs();
    largestMs = Math.max(largestMs, until - last);
    last = until;
  }
  function turn(): void {
    turns++;
    portion();
    next = setImmediate(turn);
  }
  try {
    const result = await work();
    portion();
    return { result, turns, largest: largestMs / (last - began) };
  } finally {
    clearImmediate(next);
    machine.mockRestore();
  }
}

/**
 * The least CPU time of each of two pieces of work, milliseconds, in ten alternating runs, because garbage collection
 * affects only some of them.
 */
export function leastWorkMs(one: () => unknown, other: () => unknown): [one: number, other: number] {
  const took = (work: () => unknown): number => {
    const began = workedMs();
    work();
    return workedMs() - began;
  };
  const times = Array.from({ length: 10 }, () => [took(one), took(other)] as const);
  return [Math.min(...times.map(([first]) => first)), Math.min(...times.map(([, second]) => second))];
}
