import type { CacheLog } from '../cache/cache-log.js';
import { CacheError } from '../cache/errors.js';
import type { SeriesOptions } from '../cache/observer.js';
import type { Ledger } from './ledger.js';
import { type PatternDetector, patternOfTemplate } from './pattern-detector.js';
import { Sampling } from './sampling.js';
import { SeriesHandle, Timing } from './series-handle.js';

/** Keys whose series are remembered: this many, and as many of the generation before. */
const REMEMBERED_KEYS = 1024;
/** Handles remembered for each pattern and endpoint there is room for. */
const HANDLES_PER_NAME = 16;

/** Gives out series: the same one for the same pattern, endpoint and options. */
export class SeriesRegistry {
  readonly #ledger: Ledger;
  readonly #detector: PatternDetector;
  readonly #samplingRate: number;
  readonly #random: () => number;
  readonly #log: CacheLog | undefined;
  readonly #handles = new Map<string, SeriesHandle>();
  readonly #maxHandles: number;
  #byKey = new Map<string, SeriesHandle>();
  #byOlderKey = new Map<string, SeriesHandle>();
  #overflowTold = false;

  constructor(
    ledger: Ledger,
    detector: PatternDetector,
    options: { samplingRate: number; maxNames: number; random: () => number; log: CacheLog | undefined },
  ) {
    this.#ledger = ledger;
    this.#detector = detector;
    this.#samplingRate = checkedRate(options.samplingRate);
    this.#random = options.random;
    this.#log = options.log;
    this.#maxHandles = options.maxNames * HANDLES_PER_NAME;
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

  /** The series of a key that nobody declared. */
  seriesOf(key: string): SeriesHandle {
    let handle = this.#byKey.get(key);
    if (handle !== undefined) return handle;
    handle = this.#byOlderKey.get(key) ?? this.series(this.#detector.patternOf(key), undefined, {});
    if (this.#byKey.size >= REMEMBERED_KEYS) {
      this.#byOlderKey = this.#byKey;
      this.#byKey = new Map();
    }
    this.#byKey.set(key, handle);
    return handle;
  }

  #make(
    pattern: string,
    endpoint: string | undefined,
    subject: string | undefined,
    rate: number | undefined,
  ): SeriesHandle {
    const { patterns, endpoints, subjects } = this.#ledger;
    if (rate === undefined) return new SeriesHandle(pattern, endpoint, undefined);
    const turnedAway = this.#ledger.overflow;
    const byPattern = patterns.admit(pattern);
    const bySide =
      endpoint !== undefined ? endpoints.admit(endpoint) : subject !== undefined ? subjects.admit(subject) : undefined;
    if (this.#ledger.overflow > turnedAway) this.#tellOverflow();
    const timing = rate === 0 ? Timing.never : rate === 1 ? Timing.always : Timing.sampled;
    const sampling = timing === Timing.sampled ? new Sampling(rate, this.#random) : undefined;
    return new SeriesHandle(byPattern.name, endpoint, { byPattern, bySide, timing, sampling });
  }

  #tellOverflow(): void {
    if (this.#overflowTold) return;
    this.#overflowTold = true;
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
    `metrics.samplingRate: ${String(rate)} is no share; give a number from 0 to 1.`,
  );
}
