import { CacheError } from '../cache/base/errors.js';

/** Says what an answer for all instances needs. @param what was requested, in the plural. */
export function whatFleetsNeed(what: string): string {
  return (
    `${what} of the whole fleet need fleet: true in the options and a layer that instances share, such as redisLayer(); ` +
    'scope=instance answers for this instance alone.'
  );
}

/** The error where fleets are off, or no layer can carry them. @param what was requested, in the plural. */
export function fleetOff(what: string): CacheError {
  return new CacheError('FLEET_OFF', whatFleetsNeed(what));
}

/** The error where the other instances cannot be asked now. */
export function fleetUnavailable(cause: unknown): CacheError {
  return new CacheError(
    'FLEET_UNAVAILABLE',
    'The other instances cannot be asked, because the layer they share does not answer. Use scope=instance for this one alone.',
    { cause },
  );
}
