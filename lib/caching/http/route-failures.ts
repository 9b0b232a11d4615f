/** Hits that were counted at their route and could not be sent: the chain tells why, where all errors are told. */
export class RouteFailures {
  readonly #errors = new WeakMap<object, unknown>();
  #any = false;

  note(request: object, error: unknown): void {
    this.#any = true;
    this.#errors.set(request, error);
  }

  /** @throws what a request failed with at its route. */
  tell(request: object): void {
    if (this.#any && this.#errors.has(request)) throw this.#errors.get(request);
  }
}
