import type { LayerStats } from '../snapshot.js';

/**
 * Where cache events are pushed, one call each, for those who count elsewhere. Durations are milliseconds. A collector
 * that throws is counted and logged once; the cache does not feel it.
 */
export interface MetricsCollector {
  recordGet(layer: string, hit: boolean, durationMs: number): void;
  recordSet(layer: string, success: boolean, durationMs: number): void;
  recordDelete(layer: string, success: boolean, durationMs: number): void;
  recordCircuitState(layer: string, state: LayerStats['circuitState']): void;
  recordQueueDepth(layer: string, depth: number): void;
  recordWriteDropped(layer: string): void;
  recordAsyncWrite(layer: string, success: boolean, durationMs: number): void;
  /** One access of the whole chain; `layerIndex` is that of the layer that answered, or -1. */
  recordChainGet(hit: boolean, layerIndex: number, totalDurationMs: number): void;
}
