import type { Clock } from '../../cache/base/clock.js';
import type { CacheLog } from '../../cache/base/cache-log.js';
import type { CacheWarmer } from '../cache-warmer.js';
import type { TaskStrategy } from '../strategy-pass.js';
import type { ClockTarget } from '../warming-target.js';
import { AskedKeys, QUARTER_MS } from './asked-keys.js';
import type { WarmableKeys } from './warmable-keys.js';

/*
 * Loads the keys that will be requested in the next quarter of an hour, a minute before it begins.
 *
 * The keys are learned from the requests of callers. A key is recorded when a caller loads it, and from then on also at
 * its first hit in a quarter. Loads by warming do not count, so a key that no caller requests is
 * dropped, even if it was often warmed.
 *
 * On holidays, requests differ from the prediction. So every quarter is compared with its prediction, even if it was not warmed. While
 * the last predictions of a pattern were wrong, its keys are not warmed.
 */

/** Name of the built-in strategy for predictive warming. */
export const PREDICTIVE = 'predictive';

/** How long before a quarter its keys are loaded, milliseconds. */
const LEAD_MS = 60_000;
/** The minimum share of a quarter that must be observed to learn from it. */
const ENOUGH = 2 / 3;
const KEYS_AT_ONCE = 250;
/** How often the keys of strategies are read, milliseconds. */
const LOOK_THROUGH_EVERY_MS = 86_400_000;
/** The minimum number of ended entries of a pattern before their share of read ones is judged. */
const LEAST_ENDED = 50;
const LEAST_EFFICIENCY = 0.2;
/** How long a pattern is then not warmed, milliseconds. */
const STOPPED_MS = 86_400_000;
/** A pattern is not warmed while a smaller share of its predicted keys was requested in the last quarters. */
const LEAST_ACCURACY = 0.4;
/** The minimum number of predicted keys before that share is judged. */
const LEAST_COMPARED = 20;
/** The weight of a quarter relative to the one after it. */
const FADING = 0.5;
const MOST_PATTERNS = 1_000;

export interface ClockWarmingOptions {
  readonly target: ClockTarget;
  readonly keys: WarmableKeys;
  readonly warmer: Pick<CacheWarmer, 'start' | 'warmedOf' | 'countAnew'>;
  readonly clock: Clock;
  readonly log: CacheLog;
  /** The maximum number of loads for one quarter of an hour. */
  readonly maxLoads: number;
}

/** The strategy for predictive warming. */
export class ClockWarming implements TaskStrategy {
  readonly asked = new AskedKeys();
  readonly #options: ClockWarmingOptions;
  /** Patterns that are not warmed, with the end of that time. */
  readonly #stopped = new Map<string, number>();
  /** The number of keys that were predicted in the last quarters, and how many of them were requested. */
  readonly #accuracies = new Map<string, { predicted: number; asked: number }>();
  #learned = false;
  #observedFrom = 0;
  #lookedThroughAt = -Infinity;
  #stopWatching: () => void = () => undefined;
  #cancel: () => void = () => undefined;
  readonly #closed = new AbortController();

  constructor(options: ClockWarmingOptions) {
    this.#options = options;
  }

  /** Returns the learned state; undefined if it has not changed since the last call. */
  collectDump(): Promise<Uint8Array | undefined> {
    const dump = this.#learned ? this.asked.bytes() : undefined;
    this.#learned = false;
    return Promise.resolve(dump);
  }

  restore(dump: Uint8Array): void {
    this.asked.restore(dump);
  }

  /** Starts to learn and to warm. */
  start(): void {
    const { target, keys, clock } = this.#options;
    this.#observedFrom = clock.now();
    const stop = target.watchAccesses({
      oneIn: Infinity,
      hit: () => undefined,
      loaded: (key) => {
        if (this.asked.has(key) || keys.owns(key)) this.asked.asked(key);
      },
    });
    this.#watchQuarter();
    this.#stopWatching = stop;
    void this.#lookThrough();
    this.#plan();
  }

  close(): void {
    this.#closed.abort();
    this.#cancel();
    this.#stopWatching();
  }

  /** Records the hit of a warmed entry. */
  read(key: string): void {
    this.asked.asked(key);
  }

  async *entries(signal: AbortSignal): AsyncGenerator<unknown> {
    yield* this.#options.keys.entries(await this.#due(), signal);
  }

  /** Returns the keys that will probably be requested in the next quarter and are not fresh, at most `maxLoads`. */
  async #due(): Promise<string[]> {
    const { target, keys, clock, maxLoads } = this.#options;
    const soon = Math.floor((clock.now() + LEAD_MS) / QUARTER_MS);
    const likely = this.asked.likely(soon).filter((key) => keys.owns(key) && this.#isWarmed(target.patternOf(key)));
    const due: string[] = [];
    for (let from = 0; from < likely.length && due.length < maxLoads; from += KEYS_AT_ONCE) {
      const some = likely.slice(from, from + KEYS_AT_ONCE);
      const fresh = await target.freshKeys(some);
      due.push(...some.filter((key) => !fresh.has(key)));
    }
    return due.slice(0, maxLoads);
  }

  /** False for a pattern whose last predictions were wrong, or whose warmed entries are not read. */
  #isWarmed(pattern: string): boolean {
    const { predicted, asked } = this.#accuracies.get(pattern) ?? { predicted: 0, asked: 0 };
    return (predicted < LEAST_COMPARED || asked >= predicted * LEAST_ACCURACY) && !this.#isStopped(pattern);
  }

  #isStopped(pattern: string): boolean {
    const { warmer, clock, log } = this.#options;
    const now = clock.now();
    const until = this.#stopped.get(pattern);
    if (until !== undefined && until > now) return true;
    this.#stopped.delete(pattern);
    const ended = warmer.warmedOf(pattern).find(({ strategy }) => strategy === PREDICTIVE);
    if (ended === undefined || ended.warmed < LEAST_ENDED || ended.read >= ended.warmed * LEAST_EFFICIENCY)
      return false;
    this.#stopped.set(pattern, now + STOPPED_MS);
    warmer.countAnew(PREDICTIVE, pattern);
    const share = `${ended.read} of ${ended.warmed}`;
    log(
      'log',
      'PREDICTION_STOPPED',
      `Predictive warming of ${pattern} stops for a day: ${share} warmed entries were read.`,
    );
    return true;
  }

  #plan(): void {
    const { clock } = this.#options;
    const now = clock.now();
    const end = (Math.floor(now / QUARTER_MS) + 1) * QUARTER_MS;
    const warmAt = end - LEAD_MS;
    const isWarming = now < warmAt;
    this.#cancel = clock.after((isWarming ? warmAt : end) - now, () => {
      if (this.#closed.signal.aborted) return;
      if (isWarming) this.#warm();
      else this.#endQuarter(end);
      this.#plan();
    });
  }

  #warm(): void {
    const { warmer, clock } = this.#options;
    if (this.asked.likely(Math.floor((clock.now() + LEAD_MS) / QUARTER_MS)).length === 0) return;
    void warmer.start(PREDICTIVE, { trigger: 'cron', quiet: true }).done.catch(() => undefined);
  }

  #endQuarter(end: number): void {
    const { clock } = this.#options;
    const now = clock.now();
    const isLate = now - end > QUARTER_MS * (1 - ENOUGH);
    const observed = end - Math.max(this.#observedFrom, end - QUARTER_MS) >= QUARTER_MS * ENOUGH && !isLate;
    const quarter = end / QUARTER_MS - 1;
    if (observed) this.#compare(quarter);
    this.asked.end(quarter, observed);
    this.#learned ||= observed;
    this.#observedFrom = Math.min(this.#observedFrom, end);
    if (isLate) this.#observedFrom = now;
    this.#watchQuarter();
    if (now - this.#lookedThroughAt >= LOOK_THROUGH_EVERY_MS) void this.#lookThrough();
  }

  /** Compares a quarter with its prediction. */
  #compare(quarter: number): void {
    for (const accuracy of this.#accuracies.values()) {
      accuracy.predicted *= FADING;
      accuracy.asked *= FADING;
    }
    for (const key of this.asked.likely(quarter)) {
      const pattern = this.#options.target.patternOf(key);
      let accuracy = this.#accuracies.get(pattern);
      if (accuracy === undefined) {
        if (this.#accuracies.size >= MOST_PATTERNS) continue;
        this.#accuracies.set(pattern, (accuracy = { predicted: 0, asked: 0 }));
      }
      accuracy.predicted++;
      if (this.asked.isAsked(key)) accuracy.asked++;
    }
  }

  /** Watches the known keys for hits in the next quarter. */
  #watchQuarter(): void {
    this.#options.target.watchNextHit(this.asked.keys, (key) => this.asked.asked(key));
  }

  async #lookThrough(): Promise<void> {
    this.#lookedThroughAt = this.#options.clock.now();
    await this.#options.keys.lookThrough(this.#closed.signal);
  }
}
