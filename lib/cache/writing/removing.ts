import type { Clock } from '../clock.js';
import type { CacheEvents } from '../contract/cache-events.js';
import { expiredEntry } from '../entries/kept-entry.js';
import { checkKey } from '../keys.js';
import { type CacheObserver, Operation, Result } from '../observer.js';
import type { Reads } from '../reading/reads.js';
import type { CacheTracer, SpanHandle } from '../tracer.js';
import type { Writes } from './writes.js';

/** What callers remove explicitly: checked, told to the observer and the listeners, and passed to {@link Writes}. */
export class Removing {
  readonly #writes: Writes;
  readonly #reads: Reads;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #events: CacheEvents;
  readonly #tracer: CacheTracer | undefined;

  constructor(parts: {
    writes: Writes;
    reads: Reads;
    observer: CacheObserver;
    clock: Clock;
    events: CacheEvents;
    tracer: CacheTracer | undefined;
  }) {
    this.#writes = parts.writes;
    this.#reads = parts.reads;
    this.#observer = parts.observer;
    this.#clock = parts.clock;
    this.#events = parts.events;
    this.#tracer = parts.tracer;
  }

  async one(key: string): Promise<void> {
    await this.keys([key]);
    this.#events.emit('del', { key });
  }

  async many(keys: string[]): Promise<void> {
    await this.keys(keys);
    this.#events.emit('mdel', { keys });
  }

  /** Without an event: what a write that is not kept leaves behind. */
  async keys(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key);
    const [first] = keys;
    if (this.#tracer === undefined || first === undefined) return this.#keys(keys, undefined);
    // A batch is one operation: it stands under the pattern of its first key.
    const series = this.#observer.seriesOf(first);
    return this.#tracer.span('delete', series, first, (span) => this.#keys(keys, span));
  }

  async #keys(keys: readonly string[], span: SpanHandle | undefined): Promise<void> {
    const startedAt = this.#clock.now();
    const { removed, complete } = await this.#writes.delete(keys);
    span?.outcome(!complete ? 'error' : removed > 0 ? 'ok' : 'absent');
    // A batch tells how many there were, not which: the first so many count as found.
    keys.forEach((key, index) => {
      this.#told(key, !complete ? Result.error : index < removed ? Result.ok : Result.absent, startedAt);
    });
  }

  async matching(glob: string): Promise<number> {
    checkKey(glob);
    const startedAt = this.#clock.now();
    const { removed, complete } = await this.#writes.deleteByPattern(glob);
    this.#invalidated(complete, removed, startedAt);
    return removed;
  }

  async tagged(tags: readonly string[]): Promise<void> {
    const startedAt = this.#clock.now();
    const complete = await this.#writes.invalidateTags(tags);
    if (tags.length > 0) this.#invalidated(complete, undefined, startedAt);
  }

  async all(): Promise<void> {
    const startedAt = this.#clock.now();
    this.#invalidated(await this.#writes.clear(), undefined, startedAt);
    this.#events.emit('clear', undefined);
  }

  /** Makes an entry stale at once, keeping the grace it had. @returns false where nothing was fresh. */
  async expire(key: string): Promise<boolean> {
    checkKey(key);
    const startedAt = this.#clock.now();
    const entry = await this.#reads.any(key);
    if (entry === undefined || entry.freshUntil <= startedAt) {
      this.#told(key, Result.absent, startedAt);
      return false;
    }
    const now = this.#clock.now();
    const graceless = expiredEntry(entry, now, 0).goneAt <= now;
    if (graceless) await this.#writes.delete([key]);
    else await this.#writes.set(key, (epoch) => expiredEntry(entry, now, epoch));
    this.#told(key, Result.ok, startedAt);
    return true;
  }

  #invalidated(complete: boolean, removed: number | undefined, startedAt: number): void {
    const result = !complete ? Result.error : removed === 0 ? Result.absent : Result.ok;
    this.#observer.invalidation(result, this.#clock.now() - startedAt, removed ?? 0);
  }

  #told(key: string, result: Result, startedAt: number): void {
    const tookMs = this.#clock.now() - startedAt;
    this.#observer.operation(this.#observer.seriesOf(key), Operation.delete, result, tookMs, 0);
  }
}
