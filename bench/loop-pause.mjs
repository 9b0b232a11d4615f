// How long a piece of work blocks the event loop.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { summary } from './harness.mjs';

const RESOLUTION_MS = 1;
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The longest pause of the loop while `work` runs, milliseconds, the median of several runs. Node measures the time
 * between two ticks of the monitor, so the time between two ticks of an idle loop is subtracted.
 */
export async function longestPause(work, rounds = 7) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const pauses = [];
  for (let round = 0; round < rounds; round++) {
    await rest(15);
    delay.reset();
    await work(round);
    await rest(5);
    pauses.push(Math.max(0, delay.max / 1e6 - RESOLUTION_MS));
  }
  delay.disable();
  return summary(pauses).median;
}
