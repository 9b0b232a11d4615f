import type { HandlerRunner } from '../decoration/class-host.js';

/** The runner of one handler function. Several classes may inherit the function, and several transports may call it. */
interface Row {
  readonly cls: unknown;
  readonly transport: string;
  readonly make: () => HandlerRunner;
  /** Created by the first call. */
  runner: HandlerRunner | undefined;
  readonly next: Row | undefined;
}

/** Finds the runner of a handler by one look-up with its function. */
export class HandlerTable {
  readonly #rows = new Map<unknown, Row>();

  /** @param make creates the runner at the first call of the handler. */
  add(implementation: unknown, cls: unknown, transport: string, make: () => HandlerRunner): void {
    const next = this.#rows.get(implementation);
    this.#rows.set(implementation, { cls, transport, make, runner: undefined, next });
  }

  find(implementation: unknown, cls: unknown, transport: string): HandlerRunner | undefined {
    let row = this.#rows.get(implementation);
    while (row !== undefined && (row.cls !== cls || row.transport !== transport)) row = row.next;
    return row === undefined ? undefined : (row.runner ??= row.make());
  }
}
