import type { Clock } from './clock.js';

/** What is known each time the event loop has read what had arrived. */
export interface Reading {
  /** How many there have been. */
  count: number;
  now: number;
  /** See {@link Clock.idleMs}. */
  idleMs: number;
  /** When the last new answer to anyone was seen. */
  answeredAt: number;
}

/** A wait whose time is over. */
export interface OverdueWait {
  /** Asked after each reading. @returns true if it need not be asked again. */
  judge(reading: Reading): boolean;
}

/** How long the event loop has between two readings, milliseconds. */
const LOOK_MS = 5;

/**
 * Waits whose time is over while the event loop may have had no moment to read the answer. All of them are judged together, each
 * time the loop has read what had arrived: timers of their own would keep a loop busy on which thousands wait.
 */
export class OverdueWaits {
  readonly #clock: Clock;
  readonly #countAnswers: () => number;
  readonly #waits = new Set<OverdueWait>();
  readonly #reading: Reading = { count: 0, now: 0, idleMs: 0, answeredAt: 0 };
  #answers = 0;
  #cancel: (() => void) | undefined;

  /** @param answers counts what the other side has answered so far, to anyone. */
  constructor(clock: Clock, answers: () => number = () => 0) {
    this.#clock = clock;
    this.#countAnswers = answers;
  }

  /** See {@link Clock.idleMs}; undefined if waits end on time, whatever the loop does. */
  idleMs(): number | undefined {
    return this.#clock.idleMs?.();
  }

  get readings(): number {
    return this.#reading.count;
  }

  add(wait: OverdueWait): void {
    this.#waits.add(wait);
    if (this.#cancel !== undefined) return;
    this.#answers = this.#countAnswers();
    this.#reading.answeredAt = this.#clock.now();
    this.#readNext();
  }

  delete(wait: OverdueWait): void {
    if (this.#waits.delete(wait) && this.#waits.size === 0) this.#cancel?.();
  }

  /** An immediate runs after the loop has read what had arrived. */
  #readNext(): void {
    const next = setImmediate(() => this.#read());
    this.#stopBy(() => clearImmediate(next));
  }

  #read(): void {
    const reading = this.#reading;
    reading.count++;
    reading.now = this.#clock.now();
    reading.idleMs = this.#clock.idleMs?.() ?? Infinity;
    const answers = this.#countAnswers();
    if (answers !== this.#answers) reading.answeredAt = reading.now;
    this.#answers = answers;
    for (const wait of this.#waits) if (wait.judge(reading)) this.#waits.delete(wait);
    if (this.#waits.size === 0) this.#cancel = undefined;
    else this.#stopBy(this.#clock.after(LOOK_MS, () => this.#readNext()));
  }

  #stopBy(stop: () => void): void {
    this.#cancel = () => {
      this.#cancel = undefined;
      stop();
    };
  }
}
