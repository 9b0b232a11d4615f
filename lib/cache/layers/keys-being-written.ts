/**
 * Keys that this process is writing or deleting in remote layers. A read that is asked for later waits for that: what it would find
 * before may be gone, or not be there yet.
 */
export class KeysBeingWritten {
  /** The last change of each key that is under way. */
  readonly #changes = new Map<string, Promise<unknown>>();

  /** @returns the change itself, which must not reject. */
  during<T>(keys: readonly string[], change: Promise<T>): Promise<T> {
    for (const key of keys) this.#changes.set(key, change);
    void change.then(() => {
      for (const key of keys) if (this.#changes.get(key) === change) this.#changes.delete(key);
    });
    return change;
  }

  get any(): boolean {
    return this.#changes.size > 0;
  }

  /** Resolves once the changes of these keys that are under way now have ended; undefined if there are none. */
  ended(keys: readonly string[]): Promise<unknown> | undefined {
    const changes = new Set<Promise<unknown>>();
    for (const key of keys) {
      const change = this.#changes.get(key);
      if (change !== undefined) changes.add(change);
    }
    return changes.size === 0 ? undefined : Promise.all(changes);
  }
}
