import { redactedCause, SAFE_MESSAGE } from './redacted-error.js';

/** The stable codes of this library's errors. */
export type CacheErrorCode =
  | 'INVALID_OPTIONS'
  | 'INVALID_RECORD'
  | 'UNKNOWN_WINDOW'
  | 'INVALID_DURATION'
  | 'INVALID_KEY'
  | 'ENTRY_TOO_LARGE'
  | 'NOT_CACHEABLE'
  | 'KEY_TOO_LONG'
  | 'VALUE_NOT_SERIALIZABLE'
  | 'ARGUMENT_NOT_ENCODABLE'
  | 'LOAD_TIMEOUT'
  | 'LAYER_TIMEOUT'
  | 'LAYER_UNAVAILABLE'
  | 'LAYER_REQUIRED'
  | 'CIRCUIT_OPEN'
  | 'UNSAFE_HANDLER'
  | 'FAST_LANE_REFUSED'
  | 'INVALID_TEMPLATE'
  | 'DUPLICATE_TEMPLATE'
  | 'DUPLICATE_NAME'
  | 'SYNC_METHOD'
  | 'UNKNOWN_STRATEGY'
  | 'DUPLICATE_STRATEGY'
  | 'INVALID_WARMING_ENTRY'
  | 'WARMING_HANDLER_REFUSED'
  | 'WARMING_ABORTED'
  | 'MISSING_PACKAGE'
  | 'POLICY_OUT_OF_BOUNDS'
  | 'TOO_MANY_OVERRIDES'
  | 'NOT_OVERRIDDEN'
  | 'FLEET_OFF'
  | 'FLEET_UNAVAILABLE'
  | 'UNKNOWN_SHAPE'
  | 'PLANS_OFF'
  | 'PLAN_UNAVAILABLE'
  | 'CACHE_CLOSED';

/**
 * The error class of this library. It has a stable `code`, and a message that says what happened and what to do. If the cause is not an error of this
 * library, only its class, code and stack frames are kept, never its message or attached data.
 */
export class CacheError extends Error {
  override readonly name = 'CacheError';

  constructor(
    readonly code: CacheErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: redactedCause(options.cause) });
  }

  static {
    Object.defineProperty(CacheError.prototype, SAFE_MESSAGE, { value: true });
  }
}
