import { type CallbackErrors, nameOf } from '../../cache/base/callback-errors.js';
import type {
  BypassReason,
  CacheObserver,
  CircuitState,
  EvictionReason,
  LayerDescription,
  LayerOperation,
  LayerResult,
  MissReason,
  NotKept,
  Operation,
  Outcome,
  Result,
  Series,
  SeriesOptions,
} from '../../cache/base/observer.js';

/** The names of all reports that return nothing. */
type Report = Exclude<keyof CacheObserver, 'series' | 'seriesOf'>;

/**
 * Combines several observers. `primary` returns the series and is called directly. The `others` implement only the reports that they need.
 * Their errors and rejections are counted and logged once, and affect neither the cache nor other observers.
 */
export function composeObservers(
  primary: CacheObserver,
  others: readonly Partial<CacheObserver>[],
  errors: CallbackErrors,
): CacheObserver {
  return others.length === 0 ? primary : new ComposedObserver(primary, others, errors);
}

class ComposedObserver implements CacheObserver {
  /** The observers of each report, determined once. A report without observers costs one comparison. */
  readonly #wanting: Readonly<Record<Report, readonly Partial<CacheObserver>[]>>;

  constructor(
    private readonly primary: CacheObserver,
    others: readonly Partial<CacheObserver>[],
    private readonly errors: CallbackErrors,
  ) {
    const wanting = (report: Report): Partial<CacheObserver>[] => others.filter((other) => this.#wants(other, report));
    this.#wanting = {
      attach: wanting('attach'),
      hit: wanting('hit'),
      access: wanting('access'),
      bypass: wanting('bypass'),
      load: wanting('load'),
      inFlight: wanting('inFlight'),
      waitTimeout: wanting('waitTimeout'),
      operation: wanting('operation'),
      invalidation: wanting('invalidation'),
      sizeRejected: wanting('sizeRejected'),
      notKept: wanting('notKept'),
      layer: wanting('layer'),
      evicted: wanting('evicted'),
      circuit: wanting('circuit'),
      queueDepth: wanting('queueDepth'),
      writeDropped: wanting('writeDropped'),
      asyncWrite: wanting('asyncWrite'),
    };
  }

  series(pattern: string, endpoint?: string, options?: SeriesOptions): Series {
    return this.primary.series(pattern, endpoint, options);
  }

  seriesOf(key: string): Series {
    return this.primary.seriesOf(key);
  }

  attach(layers: readonly LayerDescription[]): void {
    this.primary.attach(layers);
    for (const other of this.#wanting.attach) this.#shielded(other, () => other.attach!(layers));
  }

  // Frequent reports call the observers directly, because a function for each call would be allocated at every report.

  hit(series: Series, layer: number, startedAt: number): void {
    this.primary.hit(series, layer, startedAt);
    for (const other of this.#wanting.hit) {
      try {
        this.#answered(other, other.hit!(series, layer, startedAt));
      } catch (error) {
        this.#failed(other, error);
      }
    }
  }

  access(
    series: Series,
    outcome: Outcome,
    layer: number,
    responseMs: number,
    totalMs: number,
    reason: MissReason,
    at?: number,
  ): void {
    this.primary.access(series, outcome, layer, responseMs, totalMs, reason, at);
    for (const other of this.#wanting.access) {
      try {
        this.#answered(other, other.access!(series, outcome, layer, responseMs, totalMs, reason, at));
      } catch (error) {
        this.#failed(other, error);
      }
    }
  }

  bypass(series: Series, reason: BypassReason): void {
    this.primary.bypass(series, reason);
    for (const other of this.#wanting.bypass) this.#shielded(other, () => other.bypass!(series, reason));
  }

  load(series: Series, operation: Operation, result: Result, durationMs: number, at?: number): void {
    this.primary.load(series, operation, result, durationMs, at);
    for (const other of this.#wanting.load) {
      try {
        this.#answered(other, other.load!(series, operation, result, durationMs, at));
      } catch (error) {
        this.#failed(other, error);
      }
    }
  }

  inFlight(change: 1 | -1): void {
    this.primary.inFlight(change);
    for (const other of this.#wanting.inFlight) {
      try {
        this.#answered(other, other.inFlight!(change));
      } catch (error) {
        this.#failed(other, error);
      }
    }
  }

  waitTimeout(series: Series): void {
    this.primary.waitTimeout(series);
    for (const other of this.#wanting.waitTimeout) this.#shielded(other, () => other.waitTimeout!(series));
  }

  operation(
    series: Series,
    operation: Operation,
    result: Result,
    durationMs: number,
    bytes: number,
    at?: number,
  ): void {
    this.primary.operation(series, operation, result, durationMs, bytes, at);
    for (const other of this.#wanting.operation) {
      try {
        this.#answered(other, other.operation!(series, operation, result, durationMs, bytes, at));
      } catch (error) {
        this.#failed(other, error);
      }
    }
  }

  invalidation(result: Result, durationMs: number, removed: number): void {
    this.primary.invalidation(result, durationMs, removed);
    for (const other of this.#wanting.invalidation)
      this.#shielded(other, () => other.invalidation!(result, durationMs, removed));
  }

  sizeRejected(series: Series, bytes: number): void {
    this.primary.sizeRejected(series, bytes);
    for (const other of this.#wanting.sizeRejected) this.#shielded(other, () => other.sizeRejected!(series, bytes));
  }

  notKept(series: Series, reason: NotKept): void {
    this.primary.notKept?.(series, reason);
    for (const other of this.#wanting.notKept) this.#shielded(other, () => other.notKept!(series, reason));
  }

  layer(
    layer: number,
    operation: LayerOperation,
    result: LayerResult,
    durationMs: number,
    keys: number,
    hits: number,
    at?: number,
  ): void {
    this.primary.layer(layer, operation, result, durationMs, keys, hits, at);
    for (const other of this.#wanting.layer) {
      try {
        this.#answered(other, other.layer!(layer, operation, result, durationMs, keys, hits, at));
      } catch (error) {
        this.#failed(other, error);
      }
    }
  }

  evicted(layer: number, reason: EvictionReason, count: number, at?: number): void {
    this.primary.evicted(layer, reason, count, at);
    for (const other of this.#wanting.evicted) {
      try {
        this.#answered(other, other.evicted!(layer, reason, count, at));
      } catch (error) {
        this.#failed(other, error);
      }
    }
  }

  circuit(layer: number, state: CircuitState): void {
    this.primary.circuit(layer, state);
    for (const other of this.#wanting.circuit) this.#shielded(other, () => other.circuit!(layer, state));
  }

  queueDepth(layer: number, depth: number): void {
    this.primary.queueDepth(layer, depth);
    for (const other of this.#wanting.queueDepth) this.#shielded(other, () => other.queueDepth!(layer, depth));
  }

  writeDropped(layer: number, count: number): void {
    this.primary.writeDropped(layer, count);
    for (const other of this.#wanting.writeDropped) this.#shielded(other, () => other.writeDropped!(layer, count));
  }

  asyncWrite(layer: number, result: Result, durationMs: number, keys: number): void {
    this.primary.asyncWrite(layer, result, durationMs, keys);
    for (const other of this.#wanting.asyncWrite)
      this.#shielded(other, () => other.asyncWrite!(layer, result, durationMs, keys));
  }

  #shielded(other: Partial<CacheObserver>, report: () => unknown): void {
    try {
      this.#answered(other, report());
    } catch (error) {
      this.#failed(other, error);
    }
  }

  /** Handles the result of an observer: if it is a promise, it may reject later. */
  #answered(other: Partial<CacheObserver>, returned: unknown): void {
    if (returned !== undefined) this.errors.returned('observer', nameOf(other, 'observer'), returned);
  }

  #failed(other: Partial<CacheObserver>, error: unknown): void {
    this.errors.failed('observer', nameOf(other, 'observer'), error);
  }

  #wants(other: Partial<CacheObserver>, report: Report): boolean {
    try {
      return other[report] !== undefined;
    } catch (error) {
      this.#failed(other, error);
      return false;
    }
  }
}
