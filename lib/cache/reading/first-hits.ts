const WATCHED_KEYS = 100_000;

/** Who wants to know that a key was hit. Empty, it costs its owner one comparison. */
export class FirstHits {
  readonly #watchers = new Map<string, (key: string) => void>();
  #sample: { readonly oneIn: number; readonly listener: (key: string) => void } | undefined;
  #unsampled = 0;

  get empty(): boolean {
    return this.#watchers.size === 0 && this.#sample === undefined;
  }

  /** Tells of every `oneIn`-th hit; one listener at a time. */
  sample(oneIn: number, listener: (key: string) => void): () => void {
    const sample = { oneIn, listener };
    this.#sample = sample;
    return () => {
      if (this.#sample === sample) this.#sample = undefined;
    };
  }

  /** Calls back once a key; a later watcher of a key replaces the earlier. Bounded: the oldest keys are given up. */
  watch(keys: Iterable<string>, callback: (key: string) => void): () => void {
    const watched = [...keys];
    for (const key of watched) {
      this.#watchers.delete(key);
      this.#watchers.set(key, callback);
    }
    while (this.#watchers.size > WATCHED_KEYS) this.#watchers.delete(this.#watchers.keys().next().value!);
    return () => {
      for (const key of watched) if (this.#watchers.get(key) === callback) this.#watchers.delete(key);
    };
  }

  hit(key: string): void {
    if (this.#sample !== undefined && ++this.#unsampled >= this.#sample.oneIn) {
      this.#unsampled = 0;
      this.#sample.listener(key);
    }
    const callback = this.#watchers.get(key);
    if (callback === undefined) return;
    this.#watchers.delete(key);
    try {
      callback(key);
    } catch {
      // A watcher that throws must not fail the read it watches.
    }
  }
}
