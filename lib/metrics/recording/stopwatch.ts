import type { Clock } from '../../cache/clock.js';
import type { AccessRecord, MetricsTimer, TimerSubject } from '../access-record.js';

/** Measures one access and records it once: by `end`, or at the end of the block that declared it with `using`. */
export class Stopwatch implements MetricsTimer {
  readonly #clock: Clock;
  readonly #subject: TimerSubject;
  readonly #record: (access: AccessRecord) => void;
  readonly #startedAt: number;
  #elapsedMs: number | undefined;

  constructor(clock: Clock, subject: TimerSubject, record: (access: AccessRecord) => void) {
    this.#clock = clock;
    this.#subject = subject;
    this.#record = record;
    this.#startedAt = clock.now();
  }

  end(result?: AccessRecord['result']): number {
    if (this.#elapsedMs !== undefined) return this.#elapsedMs;
    this.#elapsedMs = Math.max(0, this.#clock.now() - this.#startedAt);
    const { operation } = this.#subject;
    const how = result ?? this.#subject.result ?? resultUnsaid(operation);
    this.#record({ ...this.#subject, operation, result: how, responseTimeMs: this.#elapsedMs });
    return this.#elapsedMs;
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** What is recorded where nobody said how it ended: nothing was found, or it was done. */
export function resultUnsaid(operation: AccessRecord['operation']): AccessRecord['result'] {
  return operation === 'get' ? 'miss' : 'ok';
}
