import type { Clock } from '../base/clock.js';
import type { CacheEvents } from '../contract/cache-events.js';
import { expiredEntry } from '../entries/kept-entry.js';
import type { Invalidations } from '../invalidation/invalidations.js';
import { checkGlob, checkKey, checkKeys, checkTags } from '../base/keys.js';
import { LoadTicket } from '../layers/load-ticket.js';
import { type CacheObserver, Operation, Result } from '../base/observer.js';
import type { RemoteReads } from '../reads/remote-reads.js';
import type { CacheTracer, SpanHandle } from '../base/tracer.js';
import type { Writes } from './writes.js';

/** The number of attempts to expire an entry. If it is written during each of them, it is deleted. */
const EXPIRE_ATTEMPTS = 3;

/** Deletions by callers. They are checked, passed to {@link Writes}, and reported to the observer and the listeners. */
export class DeleteOperations {
  constructor(
    private readonly writes: Writes,
    private readonly invalidations: Invalidations,
    private readonly reads: RemoteReads,
    private readonly observer: CacheObserver,
    private readonly clock: Clock,
    private readonly events: CacheEvents,
    private readonly tracer: CacheTracer | undefined,
  ) {}

  async one(key: string): Promise<void> {
    await this.keys([key]);
    this.events.emit('del', { key });
  }

  async many(keys: string[]): Promise<void> {
    await this.keys(keys);
    this.events.emit('mdel', { keys });
  }

  /** Deletes keys without an event, as for a write that was refused. */
  async keys(keys: readonly string[]): Promise<void> {
    checkKeys(keys);
    const [first] = keys;
    if (this.tracer === undefined || first === undefined) return this.#keys(keys, undefined);
    // A batch is one operation, so its span belongs to the pattern of its first key.
    const series = this.observer.seriesOf(first);
    return this.tracer.span('delete', series, first, (span) => this.#keys(keys, span));
  }

  async #keys(keys: readonly string[], span: SpanHandle | undefined): Promise<void> {
    const startedAt = this.clock.now();
    const { removed, complete } = await this.writes.delete(keys);
    span?.outcome(!complete ? 'error' : removed > 0 ? 'ok' : 'absent');
    // A batch returns how many keys existed, not which. So count this many keys, from the first one on, as found.
    keys.forEach((key, index) => {
      this.#report(key, !complete ? Result.error : index < removed ? Result.ok : Result.absent, startedAt);
    });
  }

  async matching(glob: string): Promise<number> {
    checkGlob(glob);
    const startedAt = this.clock.now();
    const { removed, complete } = await this.writes.deleteByPattern(glob);
    this.#invalidated(complete, removed, startedAt);
    return removed;
  }

  async tagged(tags: readonly string[]): Promise<void> {
    checkTags(tags);
    const startedAt = this.clock.now();
    const complete = await this.writes.invalidateTags(tags);
    if (tags.length > 0) this.#invalidated(complete, undefined, startedAt);
  }

  async all(): Promise<void> {
    const startedAt = this.clock.now();
    this.#invalidated(await this.writes.clear(), undefined, startedAt);
    this.events.emit('clear', undefined);
  }

  /** Makes an entry stale at once and keeps its stale and grace times. @returns false if there was no fresh entry. */
  async expire(key: string): Promise<boolean> {
    checkKey(key);
    const startedAt = this.clock.now();
    const expired = await this.#expire(key);
    this.#report(key, expired ? Result.ok : Result.absent, startedAt);
    return expired;
  }

  async #expire(key: string): Promise<boolean> {
    for (let attempt = 0; attempt < EXPIRE_ATTEMPTS; attempt++) {
      const epoch = this.invalidations.begin();
      try {
        const ticket = new LoadTicket(true);
        const entry = await this.reads.any(key, ticket);
        const now = this.clock.now();
        if (entry === undefined || entry.freshUntil <= now) return false;
        // If the key was written or invalidated meanwhile, this entry must not come back. Expire the new one instead.
        if (this.invalidations.concernedSince(epoch, key, entry.tags)) continue;
        if (expiredEntry(entry, now, 0).removeAt <= now) break;
        await this.writes.replace(key, (at) => expiredEntry(entry, now, at), ticket);
        return true;
      } finally {
        this.invalidations.end();
      }
    }
    await this.writes.delete([key]);
    return true;
  }

  #invalidated(complete: boolean, removed: number | undefined, startedAt: number): void {
    const result = !complete ? Result.error : removed === 0 ? Result.absent : Result.ok;
    this.observer.invalidation(result, this.clock.now() - startedAt, removed ?? 0);
  }

  #report(key: string, result: Result, startedAt: number): void {
    const tookMs = this.clock.now() - startedAt;
    this.observer.operation(this.observer.seriesOf(key), Operation.delete, result, tookMs, 0);
  }
}
