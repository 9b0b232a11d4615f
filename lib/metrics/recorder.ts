import type { CacheLog } from '../cache/cache-log.js';
import type { Clock } from '../cache/clock.js';
import type { CacheObserver, LayerDescription, Series, SeriesOptions } from '../cache/observer.js';

export interface RecorderOptions {
  readonly clock: Clock;
  /** Share of accesses that are timed, 0–1. @default 1 */
  readonly samplingRate?: number;
  /** @default 100 */
  readonly maxPatterns?: number;
  /** @default 100 */
  readonly maxEndpoints?: number;
  readonly patternOf?: (key: string) => string | undefined;
  readonly log?: CacheLog;
}

/** Counts what the cache tells, in memory that never grows. */
export class MetricsRecorder implements CacheObserver {
  constructor(_options: RecorderOptions) {}
  attach(_layers: readonly LayerDescription[]): void {}
  series(pattern: string, endpoint?: string, _options?: SeriesOptions): Series {
    return { pattern, endpoint };
  }
  seriesOf(key: string): Series {
    return { pattern: key, endpoint: undefined };
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
