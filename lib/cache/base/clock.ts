import { performance } from 'node:perf_hooks';

/** Time as a parameter: everything that waits or ages takes a clock, so that tests turn it by hand. */
export interface Clock {
  /** Milliseconds since the Unix epoch, with fractions; never goes back. */
  now(): number;
  /**
   * Runs `task` once after `delayMs` milliseconds, months too, unless the returned function is called before; never keeps a process
   * alive.
   */
  after(delayMs: number, task: () => void): () => void;
  /**
   * How long the event loop has waited for something to do so far, milliseconds: where this grows, everything that had arrived
   * has been read. Undefined for a clock that is not the machine's.
   */
  idleMs?(): number;
}

/** The longest delay of a timer of Node, milliseconds: a longer one would end at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Runs `task` after `delayMs` milliseconds, of any number; never keeps a process alive. @returns what cancels it */
export function startTimer(delayMs: number, task: () => void): () => void {
  if (delayMs > LONGEST_TIMER_MS) return startSteps(delayMs, task);
  const timer = setTimeout(task, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}

function startSteps(delayMs: number, task: () => void): () => void {
  let cancel = startTimer(LONGEST_TIMER_MS, () => {
    cancel = startTimer(delayMs - LONGEST_TIMER_MS, task);
  });
  return () => cancel();
}

// The same clock as that of `performance.now()`, without the check of its receiver on every reading.
const { hrtime } = process;

const startedAt = performance.timeOrigin + performance.now();
const [seconds, nanoseconds] = hrtime();
const bootedAt = startedAt - (seconds * 1000 + nanoseconds * 1e-6);

/** The clock of this machine: monotonic, anchored to the wall clock at start. */
export const systemClock: Clock = {
  now() {
    // In one expression over what the clock returns: destructured, or through another function, a reading is a fifth slower.
    const time = hrtime();
    return bootedAt + (time[0] * 1000 + time[1] * 1e-6);
  },
  after: startTimer,
  idleMs: () => performance.nodeTiming.idleTime,
};
