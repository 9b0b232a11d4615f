import type { CacheObserver, Series } from '../cache/observer.js';
import { NoopObserver } from '../metrics/noop-observer.js';
import type { CacheProfiler } from './profiler.js';

/** Tells a profiler of hits in memory, of which no span tells; everything else comes to it as spans. */
export function hitObserver(profiler: Pick<CacheProfiler, 'hit'>): CacheObserver {
  const observer: CacheObserver = new NoopObserver();
  observer.hit = (series: Series, _layer: number, startedAt: number) => profiler.hit(series, startedAt);
  return observer;
}
