import type { CacheObserver } from '../cache/base/observer.js';
import type { CacheProfiler } from './profiler.js';

/** Records hits in memory, which have no spans, with a profiler. All other accesses reach it as spans. */
export function hitObserver(profiler: Pick<CacheProfiler, 'hit'>): Pick<CacheObserver, 'hit'> {
  return { hit: (series, _layer, startedAt) => profiler.hit(series, startedAt) };
}
