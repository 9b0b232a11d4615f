import type { CacheLog } from '../../cache/base/cache-log.js';
import { CacheError } from '../../cache/base/errors.js';
import type { SeriesOptions } from '../../cache/base/observer.js';
import type { MetricsState } from '../state/metrics-state.js';
import { DeclaredPatterns, patternOfTemplate } from '../patterns/declared-patterns.js';
import { UndeclaredSeries } from './undeclared-series.js';
import { Sampling, SeriesHandle, type TimedBy, Timing } from './series-handle.js';

/** How many handles are cached per allowed pattern and endpoint. */
const HANDLES_PER_NAME = 16;

export interface SeriesRegistryOptions {
  readonly samplingRate: number;
  readonly maxPatterns: number;
  readonly maxEndpoints: number;
  readonly patternOf: ((key: string) => string | undefined) | undefined;
  readonly random: () => number;
  readonly log: CacheLog | undefined;
}

/** Creates series. It returns the same object for the same pattern, endpoint and options. */
export class SeriesRegistry {
  readonly #state: MetricsState;
  readonly #samplingRate: number;
  readonly #random: () => number;
  readonly #log: CacheLog | undefined;
  readonly #handles = new Map<string, SeriesHandle>();
  readonly #maxHandles: number;
  readonly #declared: DeclaredPatterns;
  readonly #undeclared: UndeclaredSeries;
  #overflowLogged = false;

  constructor(state: MetricsState, options: SeriesRegistryOptions) {
    const { samplingRate, maxPatterns, maxEndpoints, patternOf, random, log } = options;
    this.#state = state;
    this.#samplingRate = checkedRate(samplingRate);
    this.#random = random;
    this.#log = log;
    this.#maxHandles = (maxPatterns + maxEndpoints) * HANDLES_PER_NAME;
    this.#declared = new DeclaredPatterns(patternOf, log);
    this.#undeclared = new UndeclaredSeries(state, {
      maxPatterns,
      timed: () => this.#timed(this.#samplingRate),
      seed: Math.floor(Math.random() * 0x1_0000_0000),
    });
  }

  series(declared: string, endpoint: string | undefined, options: SeriesOptions): SeriesHandle {
    const rate = options.samplingRate === undefined ? this.#samplingRate : checkedRate(options.samplingRate);
    const pattern = patternOfTemplate(declared);
    const enabled = options.enabled ?? true;
    const id = `${pattern}\n${endpoint ?? ''}\n${options.subject ?? ''}\n${enabled ? rate : 'off'}`;
    const known = this.#handles.get(id);
    if (known !== undefined) return known;
    const handle = this.#make(pattern, endpoint, options.subject, enabled ? rate : undefined);
    if (this.#handles.size < this.#maxHandles) this.#handles.set(id, handle);
    return handle;
  }

  /** Counts keys that match a declared pattern under it, also if other code writes or deletes them. */
  declare(pattern: string): void {
    this.#declared.add(pattern);
  }

  /** Returns the series of a key that has no plan. */
  seriesOf(key: string): SeriesHandle {
    const declared = this.#declared.of(key);
    if (declared !== undefined) return this.series(declared, undefined, {});
    const { overflowCount } = this.#state.patterns;
    const handle = this.#undeclared.seriesOf(key);
    if (this.#state.patterns.overflowCount > overflowCount) this.#logOverflow();
    return handle;
  }

  /** Returns the pattern under which {@link seriesOf} counts a key. Creates no series. */
  patternOf(key: string): string {
    const declared = this.#declared.of(key);
    return declared === undefined ? this.#undeclared.patternOf(key) : patternOfTemplate(declared);
  }

  #make(
    pattern: string,
    endpoint: string | undefined,
    subject: string | undefined,
    rate: number | undefined,
  ): SeriesHandle {
    const { patterns, endpoints, subjects } = this.#state;
    if (rate === undefined) return new SeriesHandle(pattern, endpoint);
    const { overflow } = this.#state;
    const byPattern = patterns.admit(pattern);
    byPattern.users++;
    const bySide =
      endpoint !== undefined ? endpoints.admit(endpoint) : subject !== undefined ? subjects.admit(subject) : undefined;
    if (this.#state.overflow > overflow) this.#logOverflow();
    return new SeriesHandle(byPattern.name, endpoint, { byPattern, bySide }, this.#timed(rate));
  }

  #timed(rate: number): TimedBy {
    if (rate === 0) return { timing: Timing.never, sampling: undefined };
    if (rate === 1) return { timing: Timing.always, sampling: undefined };
    return { timing: Timing.sampled, sampling: new Sampling(rate, this.#random) };
  }

  #logOverflow(): void {
    if (this.#overflowLogged) return;
    this.#overflowLogged = true;
    this.#log?.(
      'warn',
      'METRICS_OVERFLOW',
      'More patterns or endpoints than metrics.maxPatterns and metrics.maxEndpoints allow: further ones are counted together as __other__.',
    );
  }
}

function checkedRate(rate: number): number {
  if (typeof rate === 'number' && rate >= 0 && rate <= 1) return rate;
  throw new CacheError(
    'INVALID_OPTIONS',
    `metrics.samplingRate: ${String(rate)} is not a share. Give a number from 0 to 1.`,
  );
}
