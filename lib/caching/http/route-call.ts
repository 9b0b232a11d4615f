import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { ClassConstructor } from '../decoration/decorated-classes.js';
import type { Method } from '../decoration/method-site.js';
import type { Call } from '../inputs/call.js';

/** A call of a handler at its route. It creates Nest's context on first use, because few keys read it. */
export class RouteCall implements Call {
  readonly args: readonly unknown[];
  readonly instance = undefined;
  #execution: ExecutionContextHost | undefined;

  constructor(
    args: readonly unknown[],
    private readonly cls: ClassConstructor,
    private readonly implementation: Method,
  ) {
    this.args = args;
  }

  get execution(): ExecutionContextHost {
    return (this.#execution ??= new ExecutionContextHost(
      [...this.args],
      this.cls as never,
      this.implementation as never,
    ));
  }
}
