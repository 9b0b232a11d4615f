import { type CallbackErrors, nameOf } from '../../cache/base/callback-errors.js';
import type { CacheObserver, LayerDescription, Series, SeriesOptions } from '../../cache/base/observer.js';

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
  /** Those that want hits, which are the most. */
  readonly #ofHits: readonly Pick<CacheObserver, 'hit'>[];

  constructor(
    private readonly primary: CacheObserver,
    private readonly others: readonly Partial<CacheObserver>[],
    private readonly errors: CallbackErrors,
  ) {
    this.#ofHits = others.filter((other) => this.#wantsHits(other)) as Pick<CacheObserver, 'hit'>[];
  }

  #wantsHits(other: Partial<CacheObserver>): boolean {
    try {
      return other.hit !== undefined;
    } catch (error) {
      this.errors.failed('observer', nameOf(other, 'observer'), error);
      return false;
    }
  }

  attach(layers: readonly LayerDescription[]): void {
    this.#report('attach', layers);
  }

  series(pattern: string, endpoint?: string, options?: SeriesOptions): Series {
    return this.primary.series(pattern, endpoint, options);
  }

  seriesOf(key: string): Series {
    return this.primary.seriesOf(key);
  }

  hit(series: Series, layer: number, startedAt: number): void {
    this.primary.hit(series, layer, startedAt);
    for (const other of this.#ofHits) {
      try {
        const returned: unknown = other.hit(series, layer, startedAt);
        if (returned !== undefined) this.errors.returned('observer', nameOf(other, 'observer'), returned);
      } catch (error) {
        this.errors.failed('observer', nameOf(other, 'observer'), error);
      }
    }
  }

  access(...report: Parts<'access'>): void {
    this.#report('access', ...report);
  }

  bypass(...report: Parts<'bypass'>): void {
    this.#report('bypass', ...report);
  }

  load(...report: Parts<'load'>): void {
    this.#report('load', ...report);
  }

  inFlight(...report: Parts<'inFlight'>): void {
    this.#report('inFlight', ...report);
  }

  waitTimeout(...report: Parts<'waitTimeout'>): void {
    this.#report('waitTimeout', ...report);
  }

  operation(...report: Parts<'operation'>): void {
    this.#report('operation', ...report);
  }

  invalidation(...report: Parts<'invalidation'>): void {
    this.#report('invalidation', ...report);
  }

  sizeRejected(...report: Parts<'sizeRejected'>): void {
    this.#report('sizeRejected', ...report);
  }

  notKept(...report: Parts<'notKept'>): void {
    this.#report('notKept', ...report);
  }

  layer(...report: Parts<'layer'>): void {
    this.#report('layer', ...report);
  }

  evicted(...report: Parts<'evicted'>): void {
    this.#report('evicted', ...report);
  }

  circuit(...report: Parts<'circuit'>): void {
    this.#report('circuit', ...report);
  }

  queueDepth(...report: Parts<'queueDepth'>): void {
    this.#report('queueDepth', ...report);
  }

  writeDropped(...report: Parts<'writeDropped'>): void {
    this.#report('writeDropped', ...report);
  }

  asyncWrite(...report: Parts<'asyncWrite'>): void {
    this.#report('asyncWrite', ...report);
  }

  #report<M extends Report>(method: M, ...report: Parts<M>): void {
    pass(this.primary, method, report);
    for (const other of this.others) {
      try {
        const returned = pass(other, method, report);
        if (returned !== undefined) this.errors.returned('observer', nameOf(other, 'observer'), returned);
      } catch (error) {
        this.errors.failed('observer', nameOf(other, 'observer'), error);
      }
    }
  }
}

function pass<M extends Report>(observer: Partial<CacheObserver>, method: M, report: Parts<M>): unknown {
  return (observer[method] as ((...report: Parts<M>) => unknown) | undefined)?.apply(observer, report);
}
