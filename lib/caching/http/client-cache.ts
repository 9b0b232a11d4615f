import { milliseconds } from '../../cache/duration.js';
import type { CachedOptions } from '../cached.options.js';

/** Makes `Cache-Control` for clients from how long an entry stays fresh, milliseconds. */
export type ClientCacheControl = (freshMs: number) => string;

/**
 * Compiles `clientCache`; undefined where nothing was asked for.
 * @throws CacheError `INVALID_DURATION`
 */
export function clientCacheControl(
  option: CachedOptions['clientCache'],
  isPrivate: boolean,
): ClientCacheControl | undefined {
  if (option === undefined || option === false) return undefined;
  const { maxAge, scope, staleWhileRevalidate, mustRevalidate } =
    option === true ? {} : typeof option === 'object' ? option : { maxAge: option };
  const limit = maxAge === undefined ? Infinity : milliseconds(maxAge, 'clientCache.maxAge');
  const begin = `${isPrivate ? 'private' : (scope ?? 'public')}, max-age=`;
  let end = mustRevalidate === true ? ', must-revalidate' : '';
  if (staleWhileRevalidate !== undefined) {
    end += `, stale-while-revalidate=${seconds(milliseconds(staleWhileRevalidate, 'clientCache.staleWhileRevalidate'))}`;
  }
  return (freshMs) => `${begin}${seconds(Math.min(limit, Math.max(freshMs, 0)))}${end}`;
}

/** Whole seconds, as HTTP counts; what never expires is a year (RFC 9111 §1.2.2 lets a cache bound it). */
function seconds(ms: number): number {
  return ms === Infinity ? 31_536_000 : Math.floor(ms / 1_000);
}
