import type { CacheObserver, Series } from '../cache/observer.js';
import type { CacheProfiler } from './profiler.js';

const NOWHERE: Series = Object.freeze({ pattern: '', endpoint: undefined });

/** Tells a profiler of hits in memory, of which no span tells; everything else comes to it as spans. */
export class HitObserver implements CacheObserver {
  readonly #profiler: Pick<CacheProfiler, 'hit'>;

  constructor(profiler: Pick<CacheProfiler, 'hit'>) {
    this.#profiler = profiler;
  }

  hit(series: Series, _layer: number, startedAt: number): void {
    this.#profiler.hit(series, startedAt);
  }

  series(): Series {
    return NOWHERE;
  }
  seriesOf(): Series {
    return NOWHERE;
  }
  attach(): void {}
  access(): void {}
  bypass(): void {}
  load(): void {}
  inFlight(): void {}
  waitTimeout(): void {}
  operation(): void {}
  invalidation(): void {}
  sizeRejected(): void {}
  layer(): void {}
  evicted(): void {}
  circuit(): void {}
  queueDepth(): void {}
  writeDropped(): void {}
  asyncWrite(): void {}
}
