import type { CacheObserver, Series } from '../cache/base/observer.js';

/** The series of an observer that counts nothing. */
const NOWHERE: Series = Object.freeze({ pattern: '', endpoint: undefined });

/** An observer that counts and times nothing, for `metrics: false`. */
export class NoopObserver implements CacheObserver {
  attach(): void {}
  series(): Series {
    return NOWHERE;
  }
  seriesOf(): Series {
    return NOWHERE;
  }
  hit(): void {}
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
