/** Signals of running loads, so that a closing cache can abort them all. */
export class AbortSignals {
  readonly #controllers = new Set<AbortController>();

  /** Returns a controller that {@link abortAll} aborts until it is released. */
  create(): AbortController {
    const controller = new AbortController();
    this.#controllers.add(controller);
    return controller;
  }

  release(controller: AbortController): void {
    this.#controllers.delete(controller);
  }

  abortAll(reason: Error): void {
    for (const controller of this.#controllers) controller.abort(reason);
    this.#controllers.clear();
  }
}
