import { milliseconds } from '../../cache/base/duration.js';
import type { CachedOptions } from '../options/cached.options.js';

/** Returns `Cache-Control` for clients from the remaining freshness of an entry, milliseconds. */
export type ClientCacheControl = (freshMs: number) => string;

/** Who may get a handler's responses, as known at boot. */
export interface Audience {
  /** True if responses differ by caller: then they are private, whatever the options. */
  readonly variesByCaller: boolean;
  /** True if a guard protects it: then responses are private unless the options declare that all callers get the same. */
  readonly guarded: boolean;
}

/**
 * Compiles `clientCache`; undefined if it is off.
 * @throws CacheError `INVALID_DURATION`
 */
export function clientCacheControl(
  option: CachedOptions['clientCache'],
  { variesByCaller, guarded }: Audience,
): ClientCacheControl | undefined {
  if (option === undefined || option === false) return undefined;
  const { maxAge, scope, staleWhileRevalidate, mustRevalidate } =
    option === true ? {} : typeof option === 'object' ? option : { maxAge: option };
  const limit = maxAge === undefined ? Infinity : milliseconds(maxAge, 'clientCache.maxAge');
  const allowed = variesByCaller ? 'private' : (scope ?? (guarded ? 'private' : 'public'));
  const begin = `${allowed}, max-age=`;
  let end = mustRevalidate === true ? ', must-revalidate' : '';
  if (staleWhileRevalidate !== undefined) {
    end += `, stale-while-revalidate=${seconds(milliseconds(staleWhileRevalidate, 'clientCache.staleWhileRevalidate'))}`;
  }
  return (freshMs) => `${begin}${seconds(Math.min(limit, Math.max(freshMs, 0)))}${end}`;
}

/** Converts to whole seconds. An entry that does not expire gets a year (RFC 9111 §1.2.2 allows a limit). */
function seconds(ms: number): number {
  return ms === Infinity ? 31_536_000 : Math.floor(ms / 1_000);
}
