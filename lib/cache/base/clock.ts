import { performance } from 'node:perf_hooks';

/** The source of time. Every wait and every expiry takes a clock, so that tests can set the time. */
export interface Clock {
  /** Milliseconds since the Unix epoch, with fractions; never decreases. */
  now(): number;
  /**
   * Runs `task` once after `delayMs` milliseconds, even months, unless the returned function is called first; does not keep the process
   * alive.
   */
  after(delayMs: number, task: () => void): () => void;
  /**
   * How long the event loop has been idle so far, milliseconds. When this grows, all data that had arrived
   * has been read. Undefined for clocks other than the machine's.
   */
  idleMs?(): number;
}

/** The longest delay of a timer of Node, milliseconds: a longer one would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Runs `task` after any number of milliseconds; does not keep the process alive. @returns a function that cancels it */
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

// The clock of `performance.now()`, without the check of the receiver at every reading.
const { hrtime } = process;

const startedAt = performance.timeOrigin + performance.now();
const [seconds, nanoseconds] = hrtime();
const bootedAt = startedAt - (seconds * 1000 + nanoseconds * 1e-6);

/** The clock of this machine: monotonic, anchored to the wall clock at start. */
export const systemClock: Clock = {
  now() {
    // In one expression: with destructuring or another function, a reading is a fifth slower.
    const time = hrtime();
    return bootedAt + (time[0] * 1000 + time[1] * 1e-6);
  },
  after: startTimer,
  idleMs: () => performance.nodeTiming.idleTime,
};
