import { HttpException } from '@nestjs/common';
import { type CacheError, type CacheErrorCode } from '../cache/errors.js';

/** Why a monitoring route refused. */
export type MonitoringErrorCode =
  | 'INVALID_PARAMETER'
  | 'INVALID_BODY'
  | 'WRITES_DISABLED'
  | 'UNKNOWN_RUN'
  | 'PROFILING_OFF'
  | 'TOO_MANY_CLIENTS'
  | 'EVENTS_CLOSED'
  | 'STREAM_ONLY'
  | 'INTERNAL_ERROR'
  | CacheErrorCode;

/** A refusal of a monitoring route: answered as `{ statusCode, code, message }`. */
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

/** Which status tells what an error of the library means to who asked; everything else is a 500. */
const statusOf: Partial<Record<CacheErrorCode, number>> = {
  UNKNOWN_STRATEGY: 400,
  INVALID_KEY: 400,
  KEY_TOO_LONG: 400,
  WARMING_ABORTED: 503,
  CACHE_CLOSED: 503,
  CIRCUIT_OPEN: 503,
  LAYER_UNAVAILABLE: 503,
  LAYER_TIMEOUT: 503,
  FLEET_OFF: 409,
  FLEET_UNAVAILABLE: 503,
};

/** The answer that an error of the library stands for. */
export function monitoringErrorOf(error: CacheError): MonitoringError {
  return new MonitoringError(statusOf[error.code] ?? 500, error.code, error.message, { cause: error });
}
