import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CacheError, type CacheErrorCode } from '../cache/base/errors.js';

/** Why a monitoring route refused a request. */
export type MonitoringErrorCode =
  | 'INVALID_PARAMETER'
  | 'INVALID_BODY'
  | 'WRITES_DISABLED'
  | 'CROSS_SITE_REQUEST'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'UNKNOWN_RUN'
  | 'UNKNOWN_PATTERN'
  | 'UNKNOWN_ASSET'
  | 'PROFILING_OFF'
  | 'TOO_MANY_CLIENTS'
  | 'EVENTS_CLOSED'
  | 'STREAM_ONLY'
  | CacheErrorCode;

/** Thrown by a monitoring route that refuses a request. The answer is `{ statusCode, code, message }`. */
export class MonitoringError extends HttpException {
  constructor(
    statusCode: number,
    readonly code: MonitoringErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super({ statusCode, code, message }, statusCode, options);
  }
}

/** The HTTP status of an error of the library; 500 if it is not listed. */
const statusOf: Partial<Record<CacheErrorCode, number>> = {
  UNKNOWN_STRATEGY: 400,
  INVALID_KEY: 400,
  KEY_TOO_LONG: 400,
  WARMING_ABORTED: 503,
  CACHE_CLOSED: 503,
  CIRCUIT_OPEN: 503,
  LAYER_UNAVAILABLE: 503,
  LAYER_TIMEOUT: 503,
  POLICY_OUT_OF_BOUNDS: 400,
  TOO_MANY_OVERRIDES: 409,
  NOT_OVERRIDDEN: 404,
  UNKNOWN_SHAPE: 404,
  PLANS_OFF: 409,
  PLAN_UNAVAILABLE: 503,
  FLEET_OFF: 409,
  FLEET_UNAVAILABLE: 503,
};

/** Converts an error of the library to the error of a route. */
export function monitoringErrorOf(error: CacheError): MonitoringError {
  return new MonitoringError(statusOf[error.code] ?? 500, error.code, error.message, { cause: error });
}

/** Sends all refusals of the routes in one format, independent of the application's filters. Refusals by guards are not changed. */
@Catch(MonitoringError, CacheError)
export class MonitoringErrorFilter implements ExceptionFilter<MonitoringError | CacheError> {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  catch(error: MonitoringError | CacheError, host: ArgumentsHost): void {
    const refusal = error instanceof CacheError ? monitoringErrorOf(error) : error;
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), refusal.getResponse(), refusal.getStatus());
  }
}
