import { TIMED_OUT, within } from '../bounded-wait.js';
import type { Clock } from '../clock.js';
import type { Duration } from '../duration.js';
import type { EntryMeta } from '../entry.js';
import { CacheError } from '../errors.js';
import type { AnnotatedLoadContext } from '../read-plan.js';
import { lifetime } from '../policies/resolved-policy.js';
import type { RunningLoads } from './running-loads.js';

/** One run of a loader, and what the loader said about its value. The context may be taken apart by the loader. */
export class Load<V> implements AnnotatedLoadContext<V> {
  readonly stale: V | undefined;
  skipped = false;
  ttlMs: number | undefined;
  tags: readonly string[] | undefined;
  meta: EntryMeta | undefined;
  readonly #running: RunningLoads;
  #controller: AbortController | undefined;
  #ended: Error | undefined;

  constructor(stale: V | undefined, running: RunningLoads) {
    this.stale = stale;
    this.#running = running;
  }

  /** Made when it is asked for: most loaders do not. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = this.#running.controller();
      if (this.#ended !== undefined) this.#controller.abort(this.#ended);
    }
    return this.#controller.signal;
  }

  readonly skip = (): void => {
    this.skipped = true;
  };

  readonly setTtl = (ttl: Duration): void => {
    this.ttlMs = lifetime(ttl, 'setTtl');
  };

  readonly setTags = (...tags: string[]): void => {
    this.tags = Object.freeze([...tags]);
  };

  readonly annotate = (meta: EntryMeta): void => {
    this.meta = meta;
  };

  /**
   * Runs the loader, for `hardTimeoutMs` at most: what it answers later is nobody's.
   * @throws what the loader throws, unchanged; CacheError `LOAD_TIMEOUT`, naming the pattern.
   */
  async run<R = V>(
    keys: readonly string[],
    loader: (context: AnnotatedLoadContext<V>) => R | Promise<R>,
    hardTimeoutMs: number,
    pattern: string,
    clock: Clock,
  ): Promise<R> {
    try {
      const value = await within(
        this.#running.run(keys, () => loader(this)),
        hardTimeoutMs,
        clock,
      );
      if (value !== TIMED_OUT) return value;
      const timeout = new CacheError(
        'LOAD_TIMEOUT',
        `The load for ${pattern} took longer than its hardTimeout of ${hardTimeoutMs} ms and was given up; ` +
          'make its origin answer in time, raise hardTimeout, or let staleIfError serve the last value.',
      );
      this.#ended = timeout;
      this.#controller?.abort(timeout);
      throw timeout;
    } finally {
      if (this.#controller !== undefined) this.#running.release(this.#controller);
    }
  }
}
