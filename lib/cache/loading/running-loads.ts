import { AsyncLocalStorage } from 'node:async_hooks';

interface Running {
  readonly keys: readonly string[];
  readonly outer: Running | undefined;
}

/**
 * Which keys' loads the current call runs inside of: a loader that asks for its own key must not wait for itself.
 * Switched on only while something is loading, because on Node before 24 a context costs every promise about 90 ns.
 */
export class RunningLoads {
  readonly #context = new AsyncLocalStorage<Running>();
  readonly #aborts = new Set<AbortController>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** True inside a load of this key, however deep. */
  within(key: string): boolean {
    if (this.#count === 0) return false;
    for (let one = this.#context.getStore(); one !== undefined; one = one.outer)
      if (one.keys.includes(key)) return true;
    return false;
  }

  async run<T>(keys: readonly string[], load: () => T | Promise<T>): Promise<T> {
    this.#count++;
    try {
      return await this.#context.run({ keys, outer: this.#context.getStore() }, load);
    } finally {
      if (--this.#count === 0) this.#context.disable();
    }
  }

  /** A controller that {@link abortAll} reaches until it is released. */
  controller(): AbortController {
    const controller = new AbortController();
    this.#aborts.add(controller);
    return controller;
  }

  release(controller: AbortController): void {
    this.#aborts.delete(controller);
  }

  abortAll(reason: Error): void {
    for (const controller of this.#aborts) controller.abort(reason);
    this.#aborts.clear();
  }
}
