import type { Clock } from '../clock.js';
import type { Entry } from '../entry.js';
import type { Invalidations } from '../invalidations.js';
import type { NearLayer } from '../layers/layer.js';
import type { CacheObserver, Series } from '../observer.js';
import type { Watchers } from './watchers.js';

/** The hit path: fresh entries of memory, in the same turn and without a promise. */
export class NearHits {
  readonly #near: NearLayer | undefined;
  readonly #invalidations: Invalidations;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #watchers: Watchers;

  constructor(parts: {
    near: NearLayer | undefined;
    invalidations: Invalidations;
    observer: CacheObserver;
    clock: Clock;
    watchers: Watchers;
  }) {
    this.#near = parts.near;
    this.#invalidations = parts.invalidations;
    this.#observer = parts.observer;
    this.#clock = parts.clock;
    this.#watchers = parts.watchers;
  }

  /** A fresh entry, counted as a hit of `series`: of the key's own, remembered with its entry, where none is given. */
  hit(key: string, series?: Series): Entry | undefined {
    const entry = this.#near?.lookup(key);
    if (entry === undefined) return undefined;
    const now = this.#clock.now();
    if (entry.freshUntil <= now) return undefined;
    if (entry.tags.length !== 0 && !this.#invalidations.current(entry)) return undefined;
    this.tell(key, series ?? (entry.series ??= this.#observer.seriesOf(key)), now);
    return entry;
  }

  /** Many at one reading of the clock, counted: undefined where there is none. @returns how many there are. */
  hitMany(keys: readonly string[], entries: (Entry | undefined)[], now: number): number {
    let found = 0;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!;
      const entry = this.peek(key, now);
      entries[index] = entry;
      if (entry === undefined) continue;
      found++;
      this.tell(key, (entry.series ??= this.#observer.seriesOf(key)), now);
    }
    return found;
  }

  /** A fresh entry, uncounted. */
  peek(key: string, now: number): Entry | undefined {
    const entry = this.#near?.lookup(key);
    if (entry === undefined || entry.freshUntil <= now) return undefined;
    return entry.tags.length === 0 || this.#invalidations.current(entry) ? entry : undefined;
  }

  /** Counts a hit that somebody else found. */
  tell(key: string, series: Series, startedAt: number): void {
    this.#observer.hit(series, 0, startedAt);
    if (this.#watchers.hits) this.#watchers.hit(key);
  }
}
