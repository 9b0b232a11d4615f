import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Browser } from './browser.js';
import { Chance } from './chance.js';
import type { Options } from './options.js';
import type { Choices } from './choices.js';
import type { Tally } from './tally.js';
import { Visitor } from './visitor.js';

/** After this many requests in a row without an answer the marketplace is taken to be gone. */
const GONE_AFTER = 100;

/** Sends all visitors in and waits until the time is over; `signal` ends it earlier. */
export async function crowd(
  { visitors, think, seed }: Pick<Options, 'visitors' | 'think' | 'seed'>,
  browser: Browser,
  choices: Choices,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  const over = AbortSignal.any([signal, gone.signal]);
  // Every visitor who pauses listens for the end.
  setMaxListeners(0, over);
  let unanswered = 0;

  const visit = async (number: number): Promise<void> => {
    const chance = new Chance(seed * 100_003 + number);
    const thinks = (): Promise<void> => pause(chance.pause(think), undefined, { signal: over });
    const visitor = new Visitor(browser, choices, chance, async (endpoint, answer) => {
      unanswered = 0;
      tally.add(endpoint, answer);
      await thinks();
    });
    while (!over.aborted) {
      try {
        await visitor.walk();
      } catch (error) {
        if (over.aborted) return;
        tally.fail(error);
        if (++unanswered >= GONE_AFTER) gone.abort();
        await thinks().catch(() => undefined);
      }
    }
  };
  await Promise.all(Array.from({ length: visitors }, (_, number) => visit(number)));
  if (gone.signal.aborted)
    throw new Error(`The marketplace stopped answering (${[...tally.failures.keys()].join(', ')}).`);
}
