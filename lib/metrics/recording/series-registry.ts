import type { CacheLog } from '../../cache/cache-log.js';
import { CacheError } from '../../cache/errors.js';
import { type GlobMatcher, globMatcher } from '../../cache/glob.js';
import type { SeriesOptions } from '../../cache/observer.js';
import type { Ledger } from '../ledger.js';
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
  /** Patterns that handlers declare, the most particular first. */
  #declared: readonly { readonly pattern: string; readonly length: number; readonly fits: GlobMatcher }[] = [];
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

  /** Keys that fit a declared pattern belong to it, whoever writes or deletes them. */
  declare(pattern: string): void {
    const known = this.#declared.some((other) => other.pattern === pattern);
    // What fits every key would leave nothing to the detection.
    if (known || /^\**$/.test(pattern)) return;
    const length = literalLength(pattern);
    const behind = this.#declared.findIndex((other) => other.length < length);
    const at = behind === -1 ? this.#declared.length : behind;
    this.#declared = this.#declared.toSpliced(at, 0, { pattern, length, fits: globMatcher(pattern) });
    this.#byKey = new Map();
    this.#byOlderKey = new Map();
  }

  /** The series of a key for which none was made beforehand. */
  seriesOf(key: string): SeriesHandle {
    let handle = this.#byKey.get(key);
    if (handle !== undefined) return handle;
    handle = this.#byOlderKey.get(key) ?? this.series(this.#patternOf(key), undefined, {});
    if (this.#byKey.size >= REMEMBERED_KEYS) {
      this.#byOlderKey = this.#byKey;
      this.#byKey = new Map();
    }
    this.#byKey.set(key, handle);
    return handle;
  }

  #patternOf(key: string): string {
    return this.#detector.patternOf(key, () => this.#declared.find(({ fits }) => fits(key))?.pattern);
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

function literalLength(pattern: string): number {
  return pattern.replaceAll('*', '').length;
}

function checkedRate(rate: number): number {
  if (typeof rate === 'number' && rate >= 0 && rate <= 1) return rate;
  throw new CacheError(
    'INVALID_OPTIONS',
    `metrics.samplingRate: ${String(rate)} is no share; give a number from 0 to 1.`,
  );
}
