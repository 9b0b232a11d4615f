/**
 * Keeps the errors of hits that were counted at their route and could not be sent. The chain throws them, because it handles
 * all errors.
 */
export class RouteFailures {
  #errors: WeakMap<object, unknown> | undefined;

  note(request: object, error: unknown): void {
    (this.#errors ??= new WeakMap()).set(request, error);
  }

  /** Throws the error of a request at its route, if any. */
  rethrow(request: object): void {
    if (this.#errors?.has(request) === true) throw this.#errors.get(request);
  }
}
