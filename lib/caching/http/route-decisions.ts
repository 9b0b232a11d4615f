import type { Admission } from '../gate/request-gate.js';

/**
 * Passes the gate's decision about a request from its route to the chain, so that a miss builds its key once. Nest calls the chain in the
 * same turn of the event loop; if another call comes in between, the chain decides again.
 */
export class RouteDecisions {
  #request: object | undefined;
  #admission: Admission | undefined;

  /** If `admission` is a key, memory has no fresh entry for the request. */
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
