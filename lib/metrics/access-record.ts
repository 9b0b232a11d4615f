import type { Clock } from '../cache/base/clock.js';
import { CacheError } from '../cache/base/errors.js';
import { type CacheObserver, MissReason, Operation, Outcome, Result } from '../cache/base/observer.js';

/** A manually recorded access to a value that is cached elsewhere: `metrics.record({ … })`. */
export interface AccessRecord {
  readonly operation: keyof typeof Operation;
  /** The key, whose pattern is detected. Give `key` or `pattern`. */
  readonly key?: string;
  /** The pattern, such as `feed:*`. */
  readonly pattern?: string;
  /**
   * The result.
   *
   * - `get`: `hit`, `stale`, `miss`, `coalesced` or `error`
   * - `set` and `warm`: `ok`, `rejected` or `error`
   * - `has`, `delete` and `invalidate`: `ok`, `absent` or `error`
   * - `load` and `refresh`: `ok`, `rejected`, `error` or `timeout`
   */
  readonly result: 'hit' | 'stale' | 'miss' | 'coalesced' | 'ok' | 'absent' | 'rejected' | 'error' | 'timeout';
  /** Milliseconds, zero or more. */
  readonly responseTimeMs: number;
  /** Method and route template, such as `GET /feeds/discover`. */
  readonly endpoint?: string;
  /** Bytes of the stored value. */
  readonly sizeBytes?: number;
}

/** The argument of a timer: an {@link AccessRecord} without its time. The result may be left out. */
export type TimerSubject = Omit<AccessRecord, 'responseTimeMs' | 'result'> & Partial<Pick<AccessRecord, 'result'>>;

/** A running measurement. It is recorded once: by `end`, or at the end of the block that declared it with `using`. */
export interface MetricsTimer extends Disposable {
  /**
   * Records the access and returns the elapsed milliseconds. A second call records nothing. Without a result, a `get` counts as a miss and
   * every other operation as a success.
   */
  end(result?: AccessRecord['result']): number;
}

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  hit: Outcome.hit,
  stale: Outcome.stale,
  miss: Outcome.miss,
  coalesced: Outcome.coalesced,
  error: Outcome.error,
};

const RESULTS: Readonly<Record<Exclude<AccessRecord['operation'], 'get'>, readonly (keyof typeof Result)[]>> = {
  set: ['ok', 'rejected', 'error'],
  warm: ['ok', 'rejected', 'error'],
  has: ['ok', 'absent', 'error'],
  delete: ['ok', 'absent', 'error'],
  invalidate: ['ok', 'absent', 'error'],
  load: ['ok', 'rejected', 'error', 'timeout'],
  refresh: ['ok', 'rejected', 'error', 'timeout'],
};

/**
 * Reports an access that happened elsewhere to an observer.
 * @throws CacheError `INVALID_RECORD` for an invalid record; the message names the field.
 */
export function recordAccess(observer: CacheObserver, access: AccessRecord): void {
  checkAccess(access);
  const { operation, result, responseTimeMs, sizeBytes = 0, endpoint } = access;
  if (operation === 'invalidate')
    return observer.invalidation(Result[result as keyof typeof Result], responseTimeMs, 0);
  const series =
    access.pattern === undefined && endpoint === undefined
      ? observer.seriesOf(access.key!)
      : observer.series(access.pattern ?? observer.seriesOf(access.key!).pattern, endpoint);
  if (operation !== 'get') {
    const how = Result[result as keyof typeof Result];
    if (operation === 'load' || operation === 'refresh')
      observer.load(series, Operation[operation], how, responseTimeMs);
    else observer.operation(series, Operation[operation], how, responseTimeMs, sizeBytes);
    return;
  }
  const outcome = OUTCOMES[result]!;
  const reason =
    outcome === Outcome.hit || outcome === Outcome.stale
      ? MissReason.none
      : outcome === Outcome.error
        ? MissReason.error
        : MissReason.unknown;
  observer.access(series, outcome, -1, responseTimeMs, responseTimeMs, reason);
}

/** @throws CacheError `INVALID_RECORD` for an invalid record. */
export function checkAccess(access: AccessRecord): void {
  const { operation, result, responseTimeMs, sizeBytes, key, pattern, endpoint } = access;
  if (!Object.hasOwn(Operation, operation)) {
    fail(`operation ${JSON.stringify(operation)} is unknown; give one of ${Object.keys(Operation).join(', ')}`);
  }
  const allowed: readonly string[] = operation === 'get' ? Object.keys(OUTCOMES) : RESULTS[operation];
  if (!allowed.includes(result)) {
    fail(`result ${JSON.stringify(result)} is invalid for ${operation}; give one of ${allowed.join(', ')}`);
  }
  if (typeof responseTimeMs !== 'number' || !Number.isFinite(responseTimeMs) || responseTimeMs < 0) {
    fail(`responseTimeMs ${String(responseTimeMs)} is not a duration. Give milliseconds, zero or more`);
  }
  if (sizeBytes !== undefined && !(Number.isFinite(sizeBytes) && sizeBytes >= 0)) {
    fail(`sizeBytes ${String(sizeBytes)} is not a size. Give bytes, zero or more`);
  }
  for (const [name, value] of Object.entries({ key, pattern, endpoint })) {
    if (value !== undefined && (typeof value !== 'string' || value === '')) fail(`${name} must be a non-empty string`);
  }
  if (key === undefined && pattern === undefined && operation !== 'invalidate') {
    fail('neither key nor pattern is given. Give one of them');
  }
}

function fail(what: string): never {
  throw new CacheError('INVALID_RECORD', `metrics.record: ${what}.`);
}

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
    const how = result ?? this.#subject.result ?? defaultResult(operation);
    this.#record({ ...this.#subject, operation, result: how, responseTimeMs: this.#elapsedMs });
    return this.#elapsedMs;
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** Returns the result of a timer that ends without one: a miss or a success. */
export function defaultResult(operation: AccessRecord['operation']): AccessRecord['result'] {
  return operation === 'get' ? 'miss' : 'ok';
}
