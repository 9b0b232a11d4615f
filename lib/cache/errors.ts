/** Every stable code of an error that this library raises. */
export type CacheErrorCode =
  | 'INVALID_OPTIONS'
  | 'INVALID_RECORD'
  | 'UNKNOWN_WINDOW'
  | 'INVALID_DURATION'
  | 'INVALID_KEY'
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
  | 'UNKNOWN_STRATEGY'
  | 'DUPLICATE_STRATEGY'
  | 'INVALID_WARMING_ENTRY'
  | 'WARMING_HANDLER_REFUSED'
  | 'WARMING_ABORTED'
  | 'MISSING_PACKAGE'
  | 'FLEET_OFF'
  | 'FLEET_UNAVAILABLE'
  | 'CACHE_CLOSED';

/** The one error class of this library: a stable `code`, a message that says what happened and what to do, the cause kept. */
export class CacheError extends Error {
  override readonly name = 'CacheError';

  constructor(
    readonly code: CacheErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
