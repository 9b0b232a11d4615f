import { jest } from '@jest/globals';
import { workedMs } from './machine-stalls.js';

/** How a piece of work shares the event loop. */
export interface LoopTurns<T> {
  readonly result: T;
  /** How often others had their turn before it ended. */
  readonly turns: number;
  /**
   * The part of the work, 0–1, that was done at the longest time without a turn for others; by what the processor worked,
   * of which a busy machine takes nothing away.
   */
  readonly largest: number;
}

/**
 * Counts the turns that `work` leaves to others while time passes by a millisecond with every look at `performance.now()`:
 * work in portions then ends one wherever it could, however fast the machine is. Of three times the one in the smallest
 * pieces, since the memory of whatever ran before may have to be tidied up in between.
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
 * The least that each of two pieces of work takes the processor, milliseconds, of ten times in turns: what is tidied up beside
 * them falls on some of those only.
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
