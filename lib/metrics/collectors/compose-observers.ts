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

/** Every report that has no answer. */
type Report = Exclude<keyof CacheObserver, 'series' | 'seriesOf'>;
type Parts<M extends Report> = Parameters<NonNullable<CacheObserver[M]>>;

/**
 * One observer of several. `primary` resolves the series and is called directly. The `others` implement the reports that they
 * need; what one of them throws or rejects with is counted and logged once, and affects neither the cache nor the rest.
 */
export function composeObservers(
  primary: CacheObserver,
  others: readonly Partial<CacheObserver>[],
  errors: CallbackErrors,
): CacheObserver {
  return others.length === 0 ? primary : new ComposedObserver(primary, others, errors);
}

class ComposedObserver implements CacheObserver {
  /** Who wants each report, found once: one that nobody wants costs a comparison. */
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
    if (this.#wanting.attach.length > 0) this.#pass('attach', [layers]);
  }

  /** The most frequent report by far: nothing is made for it. */
  hit(series: Series, layer: number, startedAt: number): void {
    this.primary.hit(series, layer, startedAt);
    for (const other of this.#wanting.hit) {
      try {
        const returned: unknown = other.hit!(series, layer, startedAt);
        if (returned !== undefined) this.errors.returned('observer', nameOf(other, 'observer'), returned);
      } catch (error) {
        this.errors.failed('observer', nameOf(other, 'observer'), error);
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
    if (this.#wanting.access.length > 0)
      this.#pass('access', [series, outcome, layer, responseMs, totalMs, reason, at]);
  }

  bypass(series: Series, reason: BypassReason): void {
    this.primary.bypass(series, reason);
    if (this.#wanting.bypass.length > 0) this.#pass('bypass', [series, reason]);
  }

  load(series: Series, operation: Operation, result: Result, durationMs: number, at?: number): void {
    this.primary.load(series, operation, result, durationMs, at);
    if (this.#wanting.load.length > 0) this.#pass('load', [series, operation, result, durationMs, at]);
  }

  inFlight(change: 1 | -1): void {
    this.primary.inFlight(change);
    if (this.#wanting.inFlight.length > 0) this.#pass('inFlight', [change]);
  }

  waitTimeout(series: Series): void {
    this.primary.waitTimeout(series);
    if (this.#wanting.waitTimeout.length > 0) this.#pass('waitTimeout', [series]);
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
    if (this.#wanting.operation.length > 0) this.#pass('operation', [series, operation, result, durationMs, bytes, at]);
  }

  invalidation(result: Result, durationMs: number, removed: number): void {
    this.primary.invalidation(result, durationMs, removed);
    if (this.#wanting.invalidation.length > 0) this.#pass('invalidation', [result, durationMs, removed]);
  }

  sizeRejected(series: Series, bytes: number): void {
    this.primary.sizeRejected(series, bytes);
    if (this.#wanting.sizeRejected.length > 0) this.#pass('sizeRejected', [series, bytes]);
  }

  notKept(series: Series, reason: NotKept): void {
    this.primary.notKept?.(series, reason);
    if (this.#wanting.notKept.length > 0) this.#pass('notKept', [series, reason]);
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
    if (this.#wanting.layer.length > 0) this.#pass('layer', [layer, operation, result, durationMs, keys, hits, at]);
  }

  evicted(layer: number, reason: EvictionReason, count: number): void {
    this.primary.evicted(layer, reason, count);
    if (this.#wanting.evicted.length > 0) this.#pass('evicted', [layer, reason, count]);
  }

  circuit(layer: number, state: CircuitState): void {
    this.primary.circuit(layer, state);
    if (this.#wanting.circuit.length > 0) this.#pass('circuit', [layer, state]);
  }

  queueDepth(layer: number, depth: number): void {
    this.primary.queueDepth(layer, depth);
    if (this.#wanting.queueDepth.length > 0) this.#pass('queueDepth', [layer, depth]);
  }

  writeDropped(layer: number, count: number): void {
    this.primary.writeDropped(layer, count);
    if (this.#wanting.writeDropped.length > 0) this.#pass('writeDropped', [layer, count]);
  }

  asyncWrite(layer: number, result: Result, durationMs: number, keys: number): void {
    this.primary.asyncWrite(layer, result, durationMs, keys);
    if (this.#wanting.asyncWrite.length > 0) this.#pass('asyncWrite', [layer, result, durationMs, keys]);
  }

  #pass<M extends Report>(report: M, figures: Parts<M>): void {
    for (const other of this.#wanting[report]) {
      try {
        const returned: unknown = (other[report] as (...figures: Parts<M>) => unknown).apply(other, figures);
        if (returned !== undefined) this.errors.returned('observer', nameOf(other, 'observer'), returned);
      } catch (error) {
        this.errors.failed('observer', nameOf(other, 'observer'), error);
      }
    }
  }

  #wants(other: Partial<CacheObserver>, report: Report): boolean {
    try {
      return other[report] !== undefined;
    } catch (error) {
      this.errors.failed('observer', nameOf(other, 'observer'), error);
      return false;
    }
  }
}
