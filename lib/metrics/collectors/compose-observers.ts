import type { CacheLog } from '../../cache/cache-log.js';
import type { CacheObserver, LayerDescription, Series, SeriesOptions } from '../../cache/observer.js';

export interface ComposeOptions {
  readonly log?: CacheLog;
  /** Called for everything that another observer threw, the first time and every time. */
  readonly onError?: (error: unknown) => void;
}

/** What is told of: every call that answers nothing. */
type Told = Exclude<keyof CacheObserver, 'series' | 'seriesOf'>;

/**
 * One observer out of several. `primary` resolves the series and is called directly; what one of the `others` throws is
 * logged once and never felt, neither by the cache nor by the rest.
 */
export function composeObservers(
  primary: CacheObserver,
  others: readonly CacheObserver[],
  options: ComposeOptions = {},
): CacheObserver {
  return others.length === 0 ? primary : new ComposedObserver(primary, others, options);
}

class ComposedObserver implements CacheObserver {
  readonly #primary: CacheObserver;
  readonly #others: readonly CacheObserver[];
  readonly #options: ComposeOptions;
  readonly #logged = new Set<CacheObserver>();

  constructor(primary: CacheObserver, others: readonly CacheObserver[], options: ComposeOptions) {
    this.#primary = primary;
    this.#others = others;
    this.#options = options;
  }

  attach(layers: readonly LayerDescription[]): void {
    this.#tell('attach', layers);
  }

  series(pattern: string, endpoint?: string, options?: SeriesOptions): Series {
    return this.#primary.series(pattern, endpoint, options);
  }

  seriesOf(key: string): Series {
    return this.#primary.seriesOf(key);
  }

  hit(series: Series, layer: number, startedAt: number): void {
    this.#primary.hit(series, layer, startedAt);
    for (const other of this.#others) {
      try {
        other.hit(series, layer, startedAt);
      } catch (error) {
        this.#failed(other, 'hit', error);
      }
    }
  }

  access(...told: Parameters<CacheObserver['access']>): void {
    this.#tell('access', ...told);
  }

  bypass(...told: Parameters<CacheObserver['bypass']>): void {
    this.#tell('bypass', ...told);
  }

  load(...told: Parameters<CacheObserver['load']>): void {
    this.#tell('load', ...told);
  }

  inFlight(...told: Parameters<CacheObserver['inFlight']>): void {
    this.#tell('inFlight', ...told);
  }

  waitTimeout(...told: Parameters<CacheObserver['waitTimeout']>): void {
    this.#tell('waitTimeout', ...told);
  }

  operation(...told: Parameters<CacheObserver['operation']>): void {
    this.#tell('operation', ...told);
  }

  invalidation(...told: Parameters<CacheObserver['invalidation']>): void {
    this.#tell('invalidation', ...told);
  }

  sizeRejected(...told: Parameters<CacheObserver['sizeRejected']>): void {
    this.#tell('sizeRejected', ...told);
  }

  layer(...told: Parameters<CacheObserver['layer']>): void {
    this.#tell('layer', ...told);
  }

  evicted(...told: Parameters<CacheObserver['evicted']>): void {
    this.#tell('evicted', ...told);
  }

  circuit(...told: Parameters<CacheObserver['circuit']>): void {
    this.#tell('circuit', ...told);
  }

  queueDepth(...told: Parameters<CacheObserver['queueDepth']>): void {
    this.#tell('queueDepth', ...told);
  }

  writeDropped(...told: Parameters<CacheObserver['writeDropped']>): void {
    this.#tell('writeDropped', ...told);
  }

  asyncWrite(...told: Parameters<CacheObserver['asyncWrite']>): void {
    this.#tell('asyncWrite', ...told);
  }

  #tell<M extends Told>(method: M, ...told: Parameters<CacheObserver[M]>): void {
    tell(this.#primary, method, told);
    for (const other of this.#others) {
      try {
        tell(other, method, told);
      } catch (error) {
        this.#failed(other, method, error);
      }
    }
  }

  #failed(observer: CacheObserver, method: string, error: unknown): void {
    this.#options.onError?.(error);
    if (this.#logged.has(observer)) return;
    this.#logged.add(observer);
    this.#options.log?.(
      'warn',
      'OBSERVER_FAILED',
      `${observer.constructor.name}.${method} threw ${error instanceof Error ? error.name : 'a value'}; the cache goes on, and further failures of it are counted only.`,
    );
  }
}

function tell<M extends Told>(observer: CacheObserver, method: M, told: Parameters<CacheObserver[M]>): void {
  (observer[method] as (...told: Parameters<CacheObserver[M]>) => void).apply(observer, told);
}
