import type { Clock } from '../../cache/clock.js';
import {
  type CacheObserver,
  type CircuitState,
  type LayerDescription,
  LayerOperation,
  LayerResult,
  Outcome,
  Result,
  type Series,
} from '../../cache/observer.js';
import { circuitStateNamed } from '../reading/statistics.js';
import { NOWHERE } from '../noop-observer.js';
import type { MetricsCollector } from './metrics-collector.js';

/** Tells a {@link MetricsCollector} what the cache tells an observer; a batch is told key by key. */
export class CollectorObserver implements CacheObserver {
  readonly #collector: MetricsCollector;
  readonly #clock: Clock;
  #layers: readonly string[] = [];

  constructor(collector: MetricsCollector, clock: Clock) {
    this.#collector = collector;
    this.#clock = clock;
  }

  attach(layers: readonly LayerDescription[]): void {
    this.#layers = layers.map(({ name }) => name);
  }

  series(): Series {
    return NOWHERE;
  }

  seriesOf(): Series {
    return NOWHERE;
  }

  hit(_series: Series, layer: number, startedAt: number): void {
    const ms = this.#clock.now() - startedAt;
    this.#collector.recordGet(this.#named(layer), true, ms);
    this.#collector.recordChainGet(true, layer, ms);
  }

  access(_series: Series, outcome: Outcome, layer: number, _responseMs: number, totalMs: number): void {
    this.#collector.recordChainGet(outcome === Outcome.hit || outcome === Outcome.stale, layer, totalMs);
  }

  layer(
    layer: number,
    operation: LayerOperation,
    result: LayerResult,
    durationMs: number,
    keys: number,
    hits: number,
  ): void {
    if (result === LayerResult.refused) return;
    const name = this.#named(layer);
    const success = result !== LayerResult.error && result !== LayerResult.timeout;
    if (operation === LayerOperation.get) {
      for (let key = 0; key < keys; key++) this.#collector.recordGet(name, success && key < hits, durationMs);
    } else if (operation === LayerOperation.set) {
      for (let key = 0; key < keys; key++) this.#collector.recordSet(name, success, durationMs);
    } else if (operation === LayerOperation.delete) {
      for (let key = 0; key < keys; key++) this.#collector.recordDelete(name, success, durationMs);
    }
  }

  circuit(layer: number, state: CircuitState): void {
    this.#collector.recordCircuitState(this.#named(layer), circuitStateNamed(state));
  }

  queueDepth(layer: number, depth: number): void {
    this.#collector.recordQueueDepth(this.#named(layer), depth);
  }

  writeDropped(layer: number, count: number): void {
    for (let dropped = 0; dropped < count; dropped++) this.#collector.recordWriteDropped(this.#named(layer));
  }

  asyncWrite(layer: number, result: Result, durationMs: number, keys: number): void {
    for (let key = 0; key < keys; key++) {
      this.#collector.recordAsyncWrite(this.#named(layer), result === Result.ok, durationMs);
    }
  }

  bypass(): void {}
  load(): void {}
  inFlight(): void {}
  waitTimeout(): void {}
  operation(): void {}
  invalidation(): void {}
  sizeRejected(): void {}
  evicted(): void {}

  #named(layer: number): string {
    return this.#layers[layer] ?? String(layer);
  }
}
