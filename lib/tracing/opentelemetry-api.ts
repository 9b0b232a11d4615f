import type * as api from '@opentelemetry/api';
import { createRequire } from 'node:module';
import { CacheError } from '../cache/errors.js';

/** The API of OpenTelemetry, as its package exports it. */
export type OpenTelemetryApi = Pick<typeof api, 'context' | 'trace' | 'TraceFlags' | 'SpanStatusCode'>;

/**
 * Loads the API of OpenTelemetry, which is there where an SDK is.
 * @throws CacheError `MISSING_PACKAGE` where it is not installed.
 */
export function openTelemetryApi(): OpenTelemetryApi {
  try {
    return createRequire(import.meta.url)('@opentelemetry/api') as OpenTelemetryApi;
  } catch (cause) {
    throw new CacheError(
      'MISSING_PACKAGE',
      'Tracing needs the package @opentelemetry/api: npm install @opentelemetry/api',
      { cause },
    );
  }
}
