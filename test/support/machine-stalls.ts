const EVERY_MS = 25;

/**
 * How long the machine kept this process from running at a time, milliseconds: how late a timer was, minus the CPU time
 * of this process meanwhile. Work of the process that blocks the event loop does not count as a stall.
 */
export class MachineStalls {
  longestMs = 0;
  #at = performance.now();
  #worked = workedMs();
  readonly #timer = setInterval(() => this.#look(), EVERY_MS);

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const at = performance.now();
    const worked = workedMs();
    this.longestMs = Math.max(this.longestMs, at - this.#at - EVERY_MS - (worked - this.#worked));
    this.#at = at;
    this.#worked = worked;
  }
}

/** The CPU time of this process. */
export function workedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
