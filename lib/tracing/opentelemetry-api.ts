import type * as api from '@opentelemetry/api';
import { CacheError } from '../cache/base/errors.js';
import { installCommand } from '../cache/optional-package.js';
import { installedRequire } from '../cache/own-file.js';

/** The API of OpenTelemetry, as its package exports it. */
export type OpenTelemetryApi = Pick<typeof api, 'context' | 'trace' | 'TraceFlags' | 'SpanStatusCode'>;

/**
 * Loads the API of OpenTelemetry. Every SDK of OpenTelemetry depends on this package.
 * @throws CacheError `MISSING_PACKAGE` if it is not installed.
 */
export async function loadOpenTelemetryApi(): Promise<OpenTelemetryApi> {
  try {
    return await import('@opentelemetry/api');
  } catch (cause) {
    throw missing(cause);
  }
}

/**
 * Loads the API synchronously. If an application is bundled with the package, it must pass the API: `tracing: { api }`.
 * @throws CacheError `MISSING_PACKAGE` if it is not installed.
 */
export function openTelemetryApi(): OpenTelemetryApi {
  try {
    return installedRequire()('@opentelemetry/api') as OpenTelemetryApi;
  } catch (cause) {
    throw missing(cause);
  }
}

function missing(cause: unknown): CacheError {
  return new CacheError(
    'MISSING_PACKAGE',
    `Tracing needs the package @opentelemetry/api: ${installCommand('@opentelemetry/api')}. In a bundle, pass it as tracing: { api }.`,
    { cause },
  );
}
