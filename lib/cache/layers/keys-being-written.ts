/**
 * The keys that this process writes or deletes in remote layers at the moment. A later read waits for the change, because without waiting
 * it could find the old entry, or none.
 */
export class KeysBeingWritten {
  /** The last running change of each key. */
  readonly #changes = new Map<string, Promise<unknown>>();

  /** Records a change of keys until it ends. @returns the change, which must not reject. */
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

  /** Resolves when the running changes of these keys have ended. Undefined if there are none. */
  ended(keys: readonly string[]): Promise<unknown> | undefined {
    const changes = new Set<Promise<unknown>>();
    for (const key of keys) {
      const change = this.#changes.get(key);
      if (change !== undefined) changes.add(change);
    }
    return changes.size === 0 ? undefined : Promise.all(changes);
  }
}
