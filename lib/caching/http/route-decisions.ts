import type { Admission } from '../gate/request-gate.js';

/**
 * Hands what the gate decided of a request at its route to the chain, so that a miss builds its key once. Nest calls the chain in the
 * same turn; where something else asks in between, the chain decides again.
 */
export class RouteDecisions {
  #request: object | undefined;
  #admission: Admission | undefined;

  /** A key stands for a request without a fresh entry in memory. */
  hand(request: object, admission: Admission): void {
    this.#request = request;
    this.#admission = admission;
  }

  take(request: object): Admission | undefined {
    if (this.#request !== request) return undefined;
    const admission = this.#admission;
    this.#request = this.#admission = undefined;
    return admission;
  }
}
