import type { ExecutionContext } from '@nestjs/common';
import type { HandlerRunner } from '../decoration/class-host.js';

/** Runners of one handler function, which classes may inherit and transports may share. */
interface Row {
  readonly cls: unknown;
  readonly transport: string;
  readonly runner: HandlerRunner;
  readonly next: Row | undefined;
}

/** Finds the runner of a handler by one look-up with its function. */
export class HandlerTable {
  readonly #rows = new Map<unknown, Row>();

  add(implementation: unknown, cls: unknown, transport: string, runner: HandlerRunner): void {
    this.#rows.set(implementation, { cls, transport, runner, next: this.#rows.get(implementation) });
  }

  find(execution: ExecutionContext): HandlerRunner | undefined {
    let row = this.#rows.get(execution.getHandler());
    if (row === undefined) return undefined;
    const cls: unknown = execution.getClass();
    const transport: string = execution.getType();
    while (row !== undefined && (row.cls !== cls || row.transport !== transport)) row = row.next;
    return row?.runner;
  }
}
