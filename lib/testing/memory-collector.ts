import { Histogram, timesOf } from '../metrics/windows/histogram.js';
import type { MetricsCollector } from '../metrics/collectors/metrics-collector.js';
import type { LayerStats } from '../metrics/snapshot.js';

/** Times in milliseconds; null if nothing was timed. Percentiles differ by at most 2.2 % from the exact ones. */
export interface LatencyStats {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  readonly count: number;
}

export interface CollectedLayer {
  readonly hits: number;
  readonly misses: number;
  readonly sets: number;
  readonly deletes: number;
  /** Sets and deletes that failed. */
  readonly errors: number;
  readonly queueDepth: number;
  readonly droppedWrites: number;
  readonly asyncWrites: number;
  readonly failedWrites: number;
  readonly circuitState: LayerStats['circuitState'];
  /** How often the circuit opened. */
  readonly circuitOpens: number;
  readonly getLatency: LatencyStats;
  readonly setLatency: LatencyStats;
  readonly deleteLatency: LatencyStats;
  readonly asyncWriteLatency: LatencyStats;
}

export interface CollectedMetrics {
  /** By the name of the layer. */
  readonly layers: Readonly<Record<string, CollectedLayer>>;
  readonly chain: {
    readonly totalHits: number;
    readonly totalMisses: number;
    /** By the index of the layer that answered. */
    readonly hitsByLayer: Readonly<Record<number, number>>;
    readonly getLatency: LatencyStats;
  };
}

type Counts = { -readonly [K in Exclude<keyof CollectedLayer, `${string}Latency`>]: CollectedLayer[K] };
type Times = Record<Extract<keyof CollectedLayer, `${string}Latency`>, Histogram>;

/**
 * Collects every record in memory. Use it for assertions in tests.
 * @publicApi
 */
export class MemoryCollector implements MetricsCollector {
  readonly #layers = new Map<string, { counts: Counts; times: Times }>();
  readonly #chainTimes = new Histogram();
  readonly #hitsByLayer = new Map<number, number>();
  #chainHits = 0;
  #chainMisses = 0;

  recordGet(layer: string, hit: boolean, durationMs: number): void {
    const { counts, times } = this.#layer(layer);
    if (hit) counts.hits++;
    else counts.misses++;
    times.getLatency.record(durationMs, 1);
  }

  recordSet(layer: string, success: boolean, durationMs: number): void {
    const { counts, times } = this.#layer(layer);
    if (success) counts.sets++;
    else counts.errors++;
    times.setLatency.record(durationMs, 1);
  }

  recordDelete(layer: string, success: boolean, durationMs: number): void {
    const { counts, times } = this.#layer(layer);
    if (success) counts.deletes++;
    else counts.errors++;
    times.deleteLatency.record(durationMs, 1);
  }

  recordCircuitState(layer: string, state: LayerStats['circuitState']): void {
    const { counts } = this.#layer(layer);
    if (state === 'open' && counts.circuitState !== 'open') counts.circuitOpens++;
    counts.circuitState = state;
  }

  recordQueueDepth(layer: string, depth: number): void {
    this.#layer(layer).counts.queueDepth = depth;
  }

  recordWriteDropped(layer: string): void {
    this.#layer(layer).counts.droppedWrites++;
  }

  recordAsyncWrite(layer: string, success: boolean, durationMs: number): void {
    const { counts, times } = this.#layer(layer);
    if (success) counts.asyncWrites++;
    else counts.failedWrites++;
    times.asyncWriteLatency.record(durationMs, 1);
  }

  recordChainGet(hit: boolean, layerIndex: number, totalDurationMs: number): void {
    if (hit) {
      this.#chainHits++;
      this.#hitsByLayer.set(layerIndex, (this.#hitsByLayer.get(layerIndex) ?? 0) + 1);
    } else this.#chainMisses++;
    this.#chainTimes.record(totalDurationMs, 1);
  }

  /** Returns everything recorded so far. Later records do not change the returned object. */
  snapshot(): CollectedMetrics {
    const layers = [...this.#layers].map(([name, { counts, times }]): [string, CollectedLayer] => [
      name,
      Object.freeze({
        ...counts,
        getLatency: latency(times.getLatency),
        setLatency: latency(times.setLatency),
        deleteLatency: latency(times.deleteLatency),
        asyncWriteLatency: latency(times.asyncWriteLatency),
      }),
    ]);
    return Object.freeze({
      layers: Object.freeze(Object.fromEntries(layers)),
      chain: Object.freeze({
        totalHits: this.#chainHits,
        totalMisses: this.#chainMisses,
        hitsByLayer: Object.freeze(Object.fromEntries(this.#hitsByLayer)),
        getLatency: latency(this.#chainTimes),
      }),
    });
  }

  /** Removes every record. */
  reset(): void {
    this.#layers.clear();
    this.#hitsByLayer.clear();
    this.#chainTimes.clear();
    this.#chainHits = this.#chainMisses = 0;
  }

  #layer(name: string): { counts: Counts; times: Times } {
    const known = this.#layers.get(name);
    if (known !== undefined) return known;
    const made = {
      counts: {
        hits: 0,
        misses: 0,
        sets: 0,
        deletes: 0,
        errors: 0,
        queueDepth: 0,
        droppedWrites: 0,
        asyncWrites: 0,
        failedWrites: 0,
        circuitState: 'closed' as const,
        circuitOpens: 0,
      },
      times: {
        getLatency: new Histogram(),
        setLatency: new Histogram(),
        deleteLatency: new Histogram(),
        asyncWriteLatency: new Histogram(),
      },
    };
    this.#layers.set(name, made);
    return made;
  }
}

function latency(histogram: Histogram): LatencyStats {
  const { p50, p95, p99, max } = timesOf([histogram]);
  return Object.freeze({ p50, p95, p99, max, count: histogram.count });
}
