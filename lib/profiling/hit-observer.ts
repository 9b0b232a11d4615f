import type { CacheObserver } from '../cache/base/observer.js';
import type { CacheProfiler } from './profiler.js';

/** Records hits in memory with a profiler, because they have no spans. The profiler gets all other accesses as spans. */
export function hitObserver(profiler: Pick<CacheProfiler, 'hit'>): Pick<CacheObserver, 'hit'> {
  return { hit: (series, _layer, startedAt) => profiler.hit(series, startedAt) };
}
