import { type AnomalyCode, type Condition, EVERYTHING } from './alert.js';
import type { Baselines } from './baselines.js';
import type { Alarm } from './level-detector.js';
import type { Minute } from './minute.js';
import { SeriesWatch } from './series-watch.js';
import type { SignalName } from './signals.js';

/** The maximum number of watched patterns. Beyond it, new patterns are not watched. */
const MOST_PATTERNS = 100;
/** A pattern is dropped after this time without requests, milliseconds. */
const FORGOTTEN_MS = 24 * 60 * 60_000;
/** How long a saved level is still current, milliseconds. */
const RECENT_MS = 30 * 60_000;

const CODES: Readonly<Record<SignalName, AnomalyCode>> = {
  hitRate: 'HIT_RATE_DROP',
  loadTime: 'SLOW_LOADS',
  errors: 'ERRORS_RISE',
  invalidations: 'INVALIDATION_STORM',
  traffic: 'TRAFFIC_DROP',
};

/** Compares each minute with the usual figures, for the whole cache and for each pattern. */
export class Anomalies {
  readonly #everything = new SeriesWatch();
  readonly #patterns = new Map<string, { readonly watch: SeriesWatch; askedAt: number }>();

  /** @param frozen true if this minute must be neither judged nor learned. */
  observe(everything: Minute, patterns: Iterable<readonly [string, Minute]>, frozen: boolean): void {
    const conditions = { frozen, series: 1 + this.#patterns.size };
    this.#everything.observe(everything, conditions);
    for (const [pattern, minute] of patterns) this.#watchOf(pattern, minute)?.observe(minute, conditions);
    for (const [pattern, { askedAt }] of this.#patterns) {
      if (everything.at - askedAt >= FORGOTTEN_MS) this.#patterns.delete(pattern);
    }
  }

  /** Returns the usual figures, for {@link load}; each step of the generator saves one series. */
  *save(at: number): Generator<void, Baselines> {
    const series = new Map([['', this.#everything.save()]]);
    for (const [pattern, { watch }] of this.#patterns) {
      series.set(pattern, watch.save());
      yield;
    }
    return { at, series };
  }

  load({ at, series }: Baselines, now: number): void {
    const isRecent = Math.abs(now - at) < RECENT_MS;
    for (const [pattern, numbers] of series) {
      if (pattern === '') this.#everything.load(numbers, isRecent);
      else if (this.#patterns.size < MOST_PATTERNS) {
        const watch = new SeriesWatch();
        watch.load(numbers, isRecent);
        this.#patterns.set(pattern, { watch, askedAt: now });
      }
    }
  }

  /** The current deviations. */
  conditions(): Condition[] {
    const all = [...this.#everything.alarms()].map(([name, alarm]) => condition(name, EVERYTHING, alarm));
    for (const [pattern, { watch }] of this.#patterns) {
      for (const [name, alarm] of watch.alarms()) all.push(condition(name, pattern, alarm));
    }
    return all;
  }

  #watchOf(pattern: string, { requests, at }: Minute): SeriesWatch | undefined {
    const known = this.#patterns.get(pattern);
    if (known !== undefined) {
      if (requests > 0) known.askedAt = at;
      return known.watch;
    }
    if (requests === 0 || this.#patterns.size >= MOST_PATTERNS) return undefined;
    const watch = new SeriesWatch();
    this.#patterns.set(pattern, { watch, askedAt: at });
    return watch;
  }
}

function condition(name: SignalName, subject: string, { value, expected }: Alarm): Condition {
  const of = subject === EVERYTHING ? 'the cache' : subject;
  return { code: CODES[name], subject, value, expected, message: TEXTS[name](of, value, expected) };
}

const TEXTS: Readonly<Record<SignalName, (of: string, value: number, expected: number) => string>> = {
  hitRate: (of, value, expected) =>
    `The hit rate of ${of} is ${percent(value)}; ${percent(expected)} is usual at this time. /cache/stats/patterns names the reasons of its misses.`,
  loadTime: (of, value, expected) =>
    `The p95 load time of ${of} is ${rounded(value)} ms; ${rounded(expected)} ms is usual at this time. Look at the origin.`,
  errors: (of, value, expected) =>
    `${percent(value)} of the accesses and loads of ${of} fail; ${percent(expected)} is usual. The log names the causes.`,
  invalidations: (of, value, expected) =>
    `${rounded(value)} invalidations a minute empty ${of}; ${rounded(expected)} is usual at this time. Find the code that sends them, or use narrower keys or tags.`,
  traffic: (of, value, expected) =>
    `${of === 'the cache' ? 'The cache' : of} gets ${rounded(value)} requests a minute; ${rounded(expected)} is usual at this time. Look at the proxy or load balancer in front of it.`,
};

function percent(share: number): string {
  return `${rounded(share * 100)} %`;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
