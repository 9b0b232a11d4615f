import { type CallbackErrors, nameOf } from '../../cache/base/callback-errors.js';
import type { Clock } from '../../cache/base/clock.js';
import {
  type CacheObserver,
  type CircuitState,
  type LayerDescription,
  LayerOperation,
  LayerResult,
  Outcome,
  Result,
  type Series,
} from '../../cache/base/observer.js';
import { circuitStateNamed } from '../statistics.js';
import type { MetricsCollector } from './metrics-collector.js';

/**
 * Passes the events of a cache on to a {@link MetricsCollector}, with one call for each key of a batch. If the collector throws or its
 * promise rejects, the error is counted.
 */
export class CollectorObserver implements Partial<CacheObserver> {
  readonly #collector: MetricsCollector;
  readonly #clock: Clock;
  readonly #errors: CallbackErrors;
  readonly #name: string;
  #layers: readonly string[] = [];

  constructor(collector: MetricsCollector, clock: Clock, errors: CallbackErrors) {
    this.#collector = collector;
    this.#clock = clock;
    this.#errors = errors;
    this.#name = nameOf(collector, 'collector');
  }

  attach(layers: readonly LayerDescription[]): void {
    this.#layers = layers.map(({ name }) => name);
  }

  hit(_series: Series, layer: number, startedAt: number): void {
    const ms = this.#clock.now() - startedAt;
    this.#record('recordGet', this.#named(layer), true, ms);
    this.#record('recordChainGet', true, layer, ms);
  }

  access(_series: Series, outcome: Outcome, layer: number, _responseMs: number, totalMs: number): void {
    this.#record('recordChainGet', outcome === Outcome.hit || outcome === Outcome.stale, layer, totalMs);
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
      for (let key = 0; key < keys; key++) this.#record('recordGet', name, success && key < hits, durationMs);
    } else if (operation === LayerOperation.set) {
      for (let key = 0; key < keys; key++) this.#record('recordSet', name, success, durationMs);
    } else if (operation === LayerOperation.delete) {
      for (let key = 0; key < keys; key++) this.#record('recordDelete', name, success, durationMs);
    }
  }

  circuit(layer: number, state: CircuitState): void {
    this.#record('recordCircuitState', this.#named(layer), circuitStateNamed(state));
  }

  queueDepth(layer: number, depth: number): void {
    this.#record('recordQueueDepth', this.#named(layer), depth);
  }

  writeDropped(layer: number, count: number): void {
    for (let dropped = 0; dropped < count; dropped++) this.#record('recordWriteDropped', this.#named(layer));
  }

  asyncWrite(layer: number, result: Result, durationMs: number, keys: number): void {
    for (let key = 0; key < keys; key++) {
      this.#record('recordAsyncWrite', this.#named(layer), result === Result.ok, durationMs);
    }
  }

  #record<M extends keyof MetricsCollector>(method: M, ...figures: Parameters<MetricsCollector[M]>): void {
    try {
      const record = this.#collector[method] as (...figures: Parameters<MetricsCollector[M]>) => unknown;
      const returned = record.apply(this.#collector, figures);
      if (returned !== undefined) this.#errors.returned('collector', `${this.#name}.${method}`, returned);
    } catch (error) {
      this.#errors.failed('collector', `${this.#name}.${method}`, error);
    }
  }

  #named(layer: number): string {
    return this.#layers[layer] ?? String(layer);
  }
}
