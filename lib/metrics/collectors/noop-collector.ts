import type { MetricsCollector } from './metrics-collector.js';

/** Collects nothing: the default. */
export class NoopCollector implements MetricsCollector {
  recordGet(): void {}
  recordSet(): void {}
  recordDelete(): void {}
  recordCircuitState(): void {}
  recordQueueDepth(): void {}
  recordWriteDropped(): void {}
  recordAsyncWrite(): void {}
  recordChainGet(): void {}
}
