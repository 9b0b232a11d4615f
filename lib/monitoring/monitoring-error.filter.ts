import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CacheError } from '../cache/errors.js';
import { MonitoringError, monitoringErrorOf } from './monitoring-error.js';

/** Answers the routes' own refusals in their own form, whatever filters the application has; its guards' stay its own. */
@Catch(MonitoringError, CacheError)
export class MonitoringErrorFilter implements ExceptionFilter<MonitoringError | CacheError> {
  readonly #host: HttpAdapterHost;

  constructor(@Inject(HttpAdapterHost) host: HttpAdapterHost) {
    this.#host = host;
  }

  catch(error: MonitoringError | CacheError, host: ArgumentsHost): void {
    const refusal = error instanceof CacheError ? monitoringErrorOf(error) : error;
    this.#host.httpAdapter.reply(host.switchToHttp().getResponse(), refusal.getResponse(), refusal.getStatus());
  }
}
