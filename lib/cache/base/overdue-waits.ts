import type { Clock } from './clock.js';

/** The state of the event loop after it has read incoming data. */
export interface Reading {
  /** The number of readings so far. */
  count: number;
  now: number;
  /** See {@link Clock.idleMs}. */
  idleMs: number;
  /** The time of the last reading that found a new answer, to any wait. */
  answeredAt: number;
}

/** A wait whose limit has passed. */
export interface OverdueWait {
  /** Called after each reading. @returns true if the wait has ended. */
  judge(reading: Reading): boolean;
}

/** The time between two readings, milliseconds. */
const LOOK_MS = 5;

/**
 * The waits whose limit has passed although the event loop may not have read their answer. After each reading, all of them are judged together: with
 * thousands of waits, one timer for each would keep the loop busy.
 */
export class OverdueWaits {
  readonly #clock: Clock;
  readonly #countAnswers: () => number;
  readonly #waits = new Set<OverdueWait>();
  readonly #reading: Reading = { count: 0, now: 0, idleMs: 0, answeredAt: 0 };
  #answers = 0;
  #cancel: (() => void) | undefined;

  /** @param answers returns how many answers the other side has sent so far, to any wait. */
  constructor(clock: Clock, answers: () => number = () => 0) {
    this.#clock = clock;
    this.#countAnswers = answers;
  }

  /** See {@link Clock.idleMs}. Undefined if waits end on time even under a busy event loop. */
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

  /** Schedules a reading as an immediate, which runs after the loop has read incoming data. */
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
