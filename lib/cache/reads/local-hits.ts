import type { Clock } from '../base/clock.js';
import type { HitOffer } from '../entries/access-stream.js';
import type { Entry } from '../entries/entry.js';
import type { Invalidations } from '../invalidation/invalidations.js';
import type { LocalLayer } from '../layers/layer.js';
import type { CacheObserver, Series } from '../base/observer.js';
import type { Watchers } from './watchers.js';

/** The hit path: returns fresh entries from memory synchronously, without a promise. */
export class LocalHits {
  constructor(
    private readonly local: LocalLayer | undefined,
    private readonly invalidations: Invalidations,
    private readonly observer: CacheObserver,
    private readonly clock: Clock,
    private readonly watchers: Watchers,
    private readonly offer: HitOffer,
  ) {}

  /**
   * Returns a fresh entry and counts a hit of `series`. Without `series`, the hit counts for the key's own series, which is stored with the
   * entry.
   */
  hit(key: string, series?: Series): Entry | undefined {
    const entry = this.lookup(key);
    return entry !== undefined && this.answers(key, entry, series) ? entry : undefined;
  }

  /** Returns the entry in memory, even if it is stale or invalidated, for {@link answers} or for the load that follows. */
  lookup(key: string): Entry | undefined {
    return this.local?.lookup(key);
  }

  /** Returns true if the entry is fresh, and then counts it as {@link hit} does. */
  answers(key: string, entry: Entry, series?: Series): boolean {
    const now = this.clock.now();
    if (entry.freshUntil <= now) return false;
    if (entry.tags.length !== 0 && !this.invalidations.current(entry)) return false;
    this.#count(key, series ?? (entry.series ??= this.observer.seriesOf(key)), entry, now);
    return true;
  }

  /** Reads many keys at one time of the clock and counts the hits. Entries without a hit become undefined. @returns the number of hits. */
  hitMany(keys: readonly string[], entries: (Entry | undefined)[], now: number): number {
    let found = 0;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!;
      const entry = this.#fresh(this.local?.lookup(key), now);
      entries[index] = entry;
      if (entry === undefined) continue;
      found++;
      this.#count(key, (entry.series ??= this.observer.seriesOf(key)), entry, now);
    }
    return found;
  }

  /** Returns a fresh entry without counting it, not even as a use for eviction. */
  peek(key: string, now: number): Entry | undefined {
    return this.#fresh(this.local?.peek(key), now);
  }

  #fresh(entry: Entry | undefined, now: number): Entry | undefined {
    if (entry === undefined || entry.freshUntil <= now) return undefined;
    return entry.tags.length === 0 || this.invalidations.current(entry) ? entry : undefined;
  }

  #count(key: string, series: Series, entry: Entry, startedAt: number): void {
    this.observer.hit(series, 0, startedAt);
    this.offer.hit(key, series, entry, startedAt);
    if (this.watchers.hits) this.watchers.hit(key);
  }
}
