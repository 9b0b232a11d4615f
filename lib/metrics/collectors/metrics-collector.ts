import type { LayerStats } from '../snapshot.js';

/**
 * Receives every cache event with one call each, to count it elsewhere. Durations are milliseconds. If a collector throws or its promise
 * rejects, the error is counted, and logged once.
 */
export interface MetricsCollector {
  recordGet(layer: string, hit: boolean, durationMs: number): void;
  recordSet(layer: string, success: boolean, durationMs: number): void;
  recordDelete(layer: string, success: boolean, durationMs: number): void;
  recordCircuitState(layer: string, state: LayerStats['circuitState']): void;
  recordQueueDepth(layer: string, depth: number): void;
  recordWriteDropped(layer: string): void;
  recordAsyncWrite(layer: string, success: boolean, durationMs: number): void;
  /** Records one access to the whole chain. `layerIndex` is the index of the layer that answered, or -1. */
  recordChainGet(hit: boolean, layerIndex: number, totalDurationMs: number): void;
}

/** A collector that does nothing, which is the default. */
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
