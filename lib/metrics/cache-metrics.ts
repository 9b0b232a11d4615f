import type { Clock } from '../cache/clock.js';
import type { LayerStatus } from '../cache/layers/layer.js';
import type { Series } from '../cache/observer.js';
import type { AccessRecord, MetricsTimer, TimerSubject } from './access-record.js';
import type { FamilySource, MetricFamily } from './family.js';
import type { AlertSource, Judgement } from './judgement.js';
import type { NoopObserver } from './noop-observer.js';
import type { MetricsRecorder } from './recorder.js';
import type {
  CacheStats,
  EndpointStats,
  HealthReport,
  HitRates,
  LayerStats,
  LowPerformer,
  OperationStats,
  PatternStats,
  Realtime,
  Window,
} from './snapshot.js';

/** The statistics of one `@Cached` handler or method. */
export interface SubjectMetrics {
  getStats(window?: Window): CacheStats;
  reset(): void;
}

export interface CacheMetricsOptions {
  readonly clock: Clock;
  /** Put before every exported metric name. @default '' */
  readonly prefix?: string;
}

/** Every figure of the cache. */
export class CacheMetrics implements FamilySource {
  /** Put before every exported metric name. */
  readonly prefix: string;
  constructor(_recorder: MetricsRecorder | NoopObserver, _judgement: Judgement, options: CacheMetricsOptions) {
    this.prefix = options.prefix ?? '';
  }
  getStats(_window?: Window): CacheStats {
    throw new Error('face only');
  }
  getPatternStats(_pattern: string, _window?: Window): PatternStats {
    throw new Error('face only');
  }
  getAllPatternStats(_window?: Window): readonly PatternStats[] {
    throw new Error('face only');
  }
  getEndpointStats(_window?: Window): readonly EndpointStats[] {
    throw new Error('face only');
  }
  getLayerStats(_window?: Window): readonly LayerStats[] {
    throw new Error('face only');
  }
  getOperationStats(_window?: Window): readonly OperationStats[] {
    throw new Error('face only');
  }
  getTopPatterns(_limit: number, _window?: Window): readonly PatternStats[] {
    throw new Error('face only');
  }
  getLowPerformers(_threshold: number, _window?: Window, _minRequests?: number): readonly LowPerformer[] {
    throw new Error('face only');
  }
  getHitRates(): HitRates {
    throw new Error('face only');
  }
  getRealtime(): Realtime {
    throw new Error('face only');
  }
  getHealth(): HealthReport {
    throw new Error('face only');
  }
  reset(): void {}
  record(_access: AccessRecord): void {}
  startTimer(_subject: TimerSubject): MetricsTimer {
    throw new Error('face only');
  }
  families(): Iterable<MetricFamily> {
    return [];
  }
  /** Adds families of another room (warming, databases) to {@link families}; the returned function takes them out again. */
  addSource(_source: FamilySource): () => void {
    return () => undefined;
  }
  /** Adds warnings to {@link getRealtime}. */
  addAlerts(_source: AlertSource): () => void {
    return () => undefined;
  }
  /** Where entry counts, bytes, circuit states and queue depths are read, in the order of `attach`. */
  watchLayers(_status: () => readonly LayerStatus[]): void {}
  /** The TTL in force for a pattern, which recommendations name. */
  declare(_pattern: string, _facts: { readonly ttlMs: number | null }): void {}
  /** The statistics of the handler or method that these series were made for. */
  viewOf(_series: readonly Series[]): SubjectMetrics {
    throw new Error('face only');
  }
}
