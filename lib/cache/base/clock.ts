import { performance } from 'node:perf_hooks';

/** The source of time. Every wait and every expiry takes a clock, so that tests can set the time. */
export interface Clock {
  /** Milliseconds since the Unix epoch, with fractions; never decreases. */
  now(): number;
  /**
   * Runs `task` once after `delayMs` milliseconds, unless the returned function is called first. The delay may be months. The timer does not keep the
   * process alive.
   */
  after(delayMs: number, task: () => void): () => void;
  /**
   * Returns how long the event loop has been idle since the process started, milliseconds. If the value grows, the loop has read all data that had
   * arrived. Undefined for clocks other than the machine's.
   */
  idleMs?(): number;
}

/** The longest delay of a Node timer, milliseconds. Node fires a longer timer at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Runs `task` after any number of milliseconds, without keeping the process alive. @returns a function that cancels it */
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

// This is the clock of `performance.now()`. `process.hrtime` costs less, because it does not check its receiver.
const { hrtime } = process;

const startedAt = performance.timeOrigin + performance.now();
const [seconds, nanoseconds] = hrtime();
const bootedAt = startedAt - (seconds * 1000 + nanoseconds * 1e-6);

/** The clock of this machine: monotonic, anchored to the wall clock at start. */
export const systemClock: Clock = {
  now() {
    // Keep this one expression: destructuring or another function makes a reading a fifth slower.
    const time = hrtime();
    return bootedAt + (time[0] * 1000 + time[1] * 1e-6);
  },
  after: startTimer,
  idleMs: () => performance.nodeTiming.idleTime,
};
