/** Hits that were counted at their route and could not be sent: the chain tells why, where all errors are told. */
export class RouteFailures {
  #errors: WeakMap<object, unknown> | undefined;

  note(request: object, error: unknown): void {
    (this.#errors ??= new WeakMap()).set(request, error);
  }

  /** @throws what a request failed with at its route. */
  tell(request: object): void {
    if (this.#errors?.has(request) === true) throw this.#errors.get(request);
  }
}
