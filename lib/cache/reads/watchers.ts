import type { AnnotatedLoader, ReadPlan } from '../policies/read-plan.js';
import type { AccessWatcher } from './access-watcher.js';

const WATCHED_KEYS = 100_000;

/** Who wants to know of single keys: that they were hit or loaded. With nobody watching it costs one comparison. */
export class Watchers {
  readonly #firstHits = new Map<string, (key: string) => void>();
  #accesses: AccessWatcher | undefined;
  #unsampled = 0;
  /** True where a hit interests somebody: asked on the hit path. */
  hits = false;

  /** True where accesses interest somebody. */
  get any(): boolean {
    return this.#accesses !== undefined || this.hits;
  }

  /** Tells of every so many hits and of every load; a later watcher replaces the earlier. */
  watchAccesses(watcher: AccessWatcher): () => void {
    this.#accesses = watcher;
    this.#settle();
    return () => {
      if (this.#accesses === watcher) this.#accesses = undefined;
      this.#settle();
    };
  }

  /** Calls back once a key; a later watcher of a key replaces the earlier. Bounded: the oldest keys are given up. */
  watchFirstHit(keys: Iterable<string>, callback: (key: string) => void): () => void {
    const watched = [...keys];
    for (const key of watched) {
      this.#firstHits.delete(key);
      this.#firstHits.set(key, callback);
    }
    while (this.#firstHits.size > WATCHED_KEYS) this.#firstHits.delete(this.#firstHits.keys().next().value!);
    this.#settle();
    return () => {
      for (const key of watched) if (this.#firstHits.get(key) === callback) this.#firstHits.delete(key);
      this.#settle();
    };
  }

  /** To be called only while {@link hits}. */
  hit(key: string): void {
    const accesses = this.#accesses;
    if (accesses !== undefined && ++this.#unsampled >= accesses.oneIn) {
      this.#unsampled = 0;
      shielded(accesses.hit, key);
    }
    const callback = this.#firstHits.get(key);
    if (callback === undefined) return;
    this.#firstHits.delete(key);
    this.#settle();
    shielded(callback, key);
  }

  loaded(key: string, loader: AnnotatedLoader<unknown>, plan: ReadPlan): void {
    this.#accesses?.loaded(key, loader, plan);
  }

  #settle(): void {
    this.hits = this.#accesses !== undefined || this.#firstHits.size > 0;
  }
}

/** A watcher that throws must not fail what it watches. */
function shielded(callback: (key: string) => void, key: string): void {
  try {
    callback(key);
  } catch {
    // Its own business.
  }
}
