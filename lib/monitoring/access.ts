import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { MonitoringError } from './monitoring-error.js';

/** What decides who may change something through the routes. */
export interface WriteAccess {
  readonly guards: readonly unknown[];
  readonly allowUnguarded: boolean;
}

/** First among the guards, so that refusals of the guards after it must not be stored either. */
@Injectable()
export class NoStore implements CanActivate {
  readonly #host: HttpAdapterHost;

  constructor(@Inject(HttpAdapterHost) host: HttpAdapterHost) {
    this.#host = host;
  }

  canActivate(context: ExecutionContext): boolean {
    this.#host.httpAdapter.setHeader(context.switchToHttp().getResponse(), 'Cache-Control', 'no-store');
    return true;
  }
}

/** A guard that closes a route in production as long as nothing else protects it. */
export function closedInProduction(access: WriteAccess): CanActivate {
  const open = access.allowUnguarded || access.guards.length > 0;
  return {
    canActivate: () => {
      if (open || process.env['NODE_ENV'] !== 'production') return true;
      throw new MonitoringError(
        403,
        'WRITES_DISABLED',
        'Routes that change the cache are closed while NODE_ENV is production and nothing protects them: ' +
          'set monitoring.guards, or monitoring.allowUnguarded where something in front of the application does.',
      );
    },
  };
}
