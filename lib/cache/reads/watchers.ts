import type { AnnotatedLoader, ReadPlan } from '../policies/read-plan.js';
import type { AccessWatcher } from './access-watcher.js';

const WATCHED_KEYS = 100_000;

/** Calls watchers when keys are hit or loaded. Without watchers it costs one comparison. */
export class Watchers {
  /** Watched keys of warmed entries. */
  readonly #entries = new FirstHits();
  /** Watched keys whose times of use are learned. */
  readonly #keys = new FirstHits();
  readonly #accesses: { readonly watcher: AccessWatcher; unsampled: number }[] = [];
  /** True if hits are watched. The hit path reads this field. */
  hits = false;

  /** True if hits or loads are watched. */
  get any(): boolean {
    return this.#accesses.length > 0 || this.hits;
  }

  /** Reports one in `oneIn` hits, and every load. Returns a function that ends the watch. */
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

  /** Calls back once per key. A later watcher of the same key replaces the earlier one. The oldest keys are dropped above a limit. */
  watchFirstHit(keys: Iterable<string>, callback: (key: string) => void): () => void {
    return this.#watch(this.#entries, keys, callback);
  }

  /** Watches as {@link watchFirstHit} does, for another caller: neither watch replaces the other. */
  watchNextHit(keys: Iterable<string>, callback: (key: string) => void): () => void {
    return this.#watch(this.#keys, keys, callback);
  }

  /** Call this only while {@link hits} is true. */
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

/** Calls a watcher. An error of the watcher must not fail the read. */
function shielded(callback: (key: string) => void, key: string): void {
  try {
    callback(key);
  } catch {
    // Ignored.
  }
}
