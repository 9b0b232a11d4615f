import { CacheError } from '../../cache/base/errors.js';

/** Thrown for a value that cannot be part of a key. It names the value's place in the input. */
export class NotEncodable extends Error {
  constructor(
    readonly path: string,
    readonly what: string,
    readonly code: 'ARGUMENT_NOT_ENCODABLE' | 'INVALID_KEY' = 'ARGUMENT_NOT_ENCODABLE',
  ) {
    super(what);
  }
}

/**
 * Returns the error for text with a lone surrogate. Such text has no UTF-8 form, so its key would collide with other keys on a
 * server.
 */
export function notWellFormed(): NotEncodable {
  return new NotEncodable('', 'text with a lone surrogate, not well-formed Unicode', 'INVALID_KEY');
}

/** Returns the error that a caller of a method gets instead of {@link NotEncodable}. */
export function argumentNotEncodable(fault: NotEncodable, owner: string, parameter: string): CacheError {
  const advice =
    fault.code === 'INVALID_KEY'
      ? 'Use text that UTF-8 can encode.'
      : "Name the inputs in a template ('prefix:{0.id}') with the rest in `ignore`, or set `key`.";
  return new CacheError(
    fault.code,
    `${owner}: parameter ${parameter}${fault.path} is ${fault.what}, which cannot be part of a cache key. ${advice}`,
  );
}
