import { CacheError } from '../cache/base/errors.js';

/** Returns what an answer for all instances requires. @param what was requested, in the plural. */
export function whatFleetsNeed(what: string): string {
  return (
    `${what} of the whole fleet need fleet: true in the options and a layer that instances share, such as redisLayer(); ` +
    'scope=instance answers for this instance only.'
  );
}

/** The error if `fleet` is off or no layer is shared. @param what was requested, in the plural. */
export function fleetOff(what: string): CacheError {
  return new CacheError('FLEET_OFF', whatFleetsNeed(what));
}

/** The error if the figures of the other instances cannot be read now. */
export function fleetUnavailable(cause: unknown): CacheError {
  return new CacheError(
    'FLEET_UNAVAILABLE',
    'The other instances cannot be asked, because the layer they share does not answer. Use scope=instance for this one alone.',
    { cause },
  );
}
