/** Time as a parameter: everything that waits or ages takes a clock, so that tests turn it by hand. */
export interface Clock {
  /** Milliseconds since the Unix epoch, with fractions; never goes back. */
  now(): number;
  /** Runs `task` once after `delayMs` milliseconds unless the returned function is called before; never keeps a process alive. */
  after(delayMs: number, task: () => void): () => void;
}

// Held, because on every reading the global and `timeOrigin` are getters that cost more than the time itself.
const monotonic = performance;
const { timeOrigin } = monotonic;

/** The clock of this machine: monotonic, anchored to the wall clock at start. */
export const systemClock: Clock = {
  now: () => timeOrigin + monotonic.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
