import type { AnnotatedLoader, ReadPlan } from '../policies/read-plan.js';
import type { AccessWatcher } from './access-watcher.js';

const WATCHED_KEYS = 100_000;

/** Calls watchers of single keys when these are hit or loaded. Without watchers it costs one comparison. */
export class Watchers {
  /** For warmed entries. */
  readonly #entries = new FirstHits();
  /** For keys whose times of use are learned. */
  readonly #keys = new FirstHits();
  readonly #accesses: { readonly watcher: AccessWatcher; unsampled: number }[] = [];
  /** True if hits are watched: read on the hit path. */
  hits = false;

  /** True if accesses are watched. */
  get any(): boolean {
    return this.#accesses.length > 0 || this.hits;
  }

  /** Reports one in so many hits, and every load. */
  watchAccesses(watcher: AccessWatcher): () => void {
    const watching = { watcher, unsampled: 0 };
    this.#accesses.push(watching);
    this.#settle();
    return () => {
      const at = this.#accesses.indexOf(watching);
      if (at !== -1) this.#accesses.splice(at, 1);
      this.#settle();
    };
  }

  /** Calls back once per key; a later watcher of a key replaces the earlier. Bounded: the oldest keys are dropped. */
  watchFirstHit(keys: Iterable<string>, callback: (key: string) => void): () => void {
    return this.#watch(this.#entries, keys, callback);
  }

  /** As {@link watchFirstHit}, for other watchers: neither replaces the other's. */
  watchNextHit(keys: Iterable<string>, callback: (key: string) => void): () => void {
    return this.#watch(this.#keys, keys, callback);
  }

  /** Call it only while {@link hits} is true. */
  hit(key: string): void {
    for (const watching of this.#accesses) {
      if (++watching.unsampled < watching.watcher.oneIn) continue;
      watching.unsampled = 0;
      shielded(watching.watcher.hit, key);
    }
    const entries = this.#entries.take(key);
    const keys = this.#keys.take(key);
    if (entries === undefined && keys === undefined) return;
    this.#settle();
    if (entries !== undefined) shielded(entries, key);
    if (keys !== undefined) shielded(keys, key);
  }

  loaded(key: string, loader: AnnotatedLoader<unknown>, plan: ReadPlan): void {
    for (const { watcher } of this.#accesses) watcher.loaded(key, loader, plan);
  }

  #watch(hits: FirstHits, keys: Iterable<string>, callback: (key: string) => void): () => void {
    const stop = hits.watch([...keys], callback);
    this.#settle();
    return () => {
      stop();
      this.#settle();
    };
  }

  #settle(): void {
    const samples = this.#accesses.some(({ watcher }) => watcher.oneIn < Infinity);
    this.hits = samples || this.#entries.any || this.#keys.any;
  }
}

/** Keys whose next hit is watched. */
class FirstHits {
  readonly #callbacks = new Map<string, (key: string) => void>();

  get any(): boolean {
    return this.#callbacks.size > 0;
  }

  watch(keys: readonly string[], callback: (key: string) => void): () => void {
    const callbacks = this.#callbacks;
    for (const key of keys) {
      callbacks.delete(key);
      callbacks.set(key, callback);
    }
    while (callbacks.size > WATCHED_KEYS) callbacks.delete(callbacks.keys().next().value!);
    return () => {
      for (const key of keys) if (callbacks.get(key) === callback) callbacks.delete(key);
    };
  }

  take(key: string): ((key: string) => void) | undefined {
    const callback = this.#callbacks.get(key);
    if (callback !== undefined) this.#callbacks.delete(key);
    return callback;
  }
}

/** Calls a watcher; its errors must not fail the read. */
function shielded(callback: (key: string) => void, key: string): void {
  try {
    callback(key);
  } catch {
    // Ignored.
  }
}
