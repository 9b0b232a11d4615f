import type { CallbackErrors } from '../cache/base/callback-errors.js';
import type { Clock } from '../cache/base/clock.js';
import type { AccessStream } from '../cache/entries/access-stream.js';
import type { Alert } from './alerts/alert.js';
import type { CacheAlerts } from './alerts/cache-alerts.js';
import { AccessRecorder } from './access-recorder.js';
import { type AdvisedCache, Advisor } from './recommendations/advisor.js';
import type { AdviceState } from './recommendations/low-performer.js';
import type { SharedLoadEvidence, TtlEvidence, WarmedEvidence } from './evidence/evidence.js';
import type { Recommendation } from './recommendations/recommendation-types.js';
import type { RecommendationFilter } from './recommendations/recommendation-list.js';
import type { HottestKeys } from './hottest-keys.js';
import type { Layer } from '../cache/layers/layer.js';
import { type MemoryLadder, MemorySimulation } from './memory-ladder.js';
import type { InstanceMemory } from './memory-ladders-together.js';
import type { CacheMetrics } from '../metrics/cache-metrics.js';
import { StaleShares } from './stale-shares.js';
import { keyHash, saltOf } from './stream/key-hash.js';
import { LadderExchange } from './ladder-exchange.js';
import { figuresBytes, readFigures, togetherOf } from './ladder-figures.js';
import { tooFew } from './ladder-sums.js';
import { foundBytes, type KeptPart, readFound, unreadable } from './kept-insight.js';
import { runInSlices } from '../cache/base/slices.js';
import { type LadderFigures, ladderReport, type TtlAdviceOptions, type TtlLadder } from './ladder-report.js';
import type { AccessListener } from './stream/tracked-access.js';
import { type HotKey, type HotKeyFigures, hotKeysTogether, idOf, MOST_NOTED, shareOf } from './hot-key-figures.js';

/** What insight compares and shows. */
export interface InsightOptions {
  /**
   * Returns the part of a value that is compared with the value before when a key is loaded again, such as all fields but `generatedAt`.
   * It is called with values of the cache: do not change them. @default the whole value
   */
  compare?: (value: unknown) => unknown;
  /** Shows full keys. If false, the parts that identify an entity are masked: `user:•••`. @default false */
  showKeys?: boolean;
  /**
   * The share of hits that may be outdated, 0–1: one number for all patterns, or an object by pattern as in statistics (`'feed:*'`) or by
   * glob over patterns. The longest matching name decides. A pattern with an automatic TTL has its own share. @default 0.01
   */
  maxStaleShare?: number | Readonly<Record<string, number>>;
}

/** The parts of the cache that insight uses. */
export interface InsightContext {
  readonly clock: Clock;
  readonly namespace: string;
  readonly errors: CallbackErrors;
  /** The book of alerts; undefined if there are no alerts. */
  readonly alerts?: Pick<CacheAlerts, 'list' | keyof KeptPart> | undefined;
  /** Returns a number from 0 to 1. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/**
 * Recommends changes to a cache, from a sample of its accesses: `cache.insight`, and injectable. Its memory is bounded: at most
 * 60 KB per pattern, and 127 patterns.
 * @publicApi
 */
export class CacheInsight {
  readonly #clock: Clock;
  readonly #recorder: AccessRecorder | undefined;
  readonly #salt: number;
  readonly #showKeys: boolean;
  #memory: MemorySimulation | undefined;
  #metrics: CacheMetrics | undefined;
  #advisor: Advisor | undefined;
  readonly #staleShares: StaleShares;
  #warmed: (pattern: string) => readonly WarmedEvidence[] = () => [];
  #sharedLoads: (pattern: string) => SharedLoadEvidence | undefined = () => undefined;
  readonly #alerts: InsightContext['alerts'];

  /** @param options `false`: no key is followed, and every report is empty. */
  constructor(
    options: InsightOptions | false,
    { clock, namespace, errors, alerts, random = Math.random }: InsightContext,
  ) {
    this.#clock = clock;
    this.#salt = saltOf(namespace);
    this.#alerts = alerts;
    this.#staleShares = new StaleShares(options === false ? undefined : options.maxStaleShare);
    this.#showKeys = options !== false && options.showKeys === true;
    if (options === false) return;
    const { compare } = options;
    this.#recorder = new AccessRecorder({ salt: this.#salt, startedAt: clock.now(), compare, random, errors });
  }

  /** False if the option `insight` is `false`. */
  get enabled(): boolean {
    return this.#recorder !== undefined;
  }

  /** The stream to which the cache reports its accesses; undefined if insight is off. */
  get stream(): AccessStream | undefined {
    return this.#recorder;
  }

  /**
   * Lists alerts, newest first: anomalies, and health warnings that lasted. @param state `all` adds the last 200 closed ones.
   * @default 'open'
   */
  alerts({ state = 'open' }: { readonly state?: 'open' | 'all' } = {}): readonly Alert[] {
    return this.#alerts?.list(state) ?? [];
  }

  /** Calls a listener with the sampled accesses. @returns a function that removes it. */
  listen(listener: AccessListener): () => void {
    return this.#recorder?.listen(listener) ?? (() => undefined);
  }

  /**
   * Lists recommendations, most time saved first: each with its evidence, the code to paste and its predicted effect. Empty if insight or
   * metrics are off.
   * @param filter `pattern`: only recommendations for this pattern.
   */
  recommendations(filter?: RecommendationFilter): readonly Recommendation[] {
    return this.#advisor?.list(filter) ?? [];
  }

  /** Returns the same as {@link recommendations}, in slices, so that the event loop is not blocked. */
  async collectRecommendations(filter?: RecommendationFilter): Promise<readonly Recommendation[]> {
    return (await this.#advisor?.collect(filter)) ?? [];
  }

  /** Returns the recommendation for a pattern, and what is missing for one; undefined if insight is off. */
  adviceOn(pattern: string): AdviceState | undefined {
    return this.#advisor?.stateOf(pattern);
  }

  /**
   * Returns how the hit rate of the memory layer depends on its bounds: from a quarter to eight times today's, with its own eviction
   * policy.
   * @param layer the name of one layer. @default all. Layers outside of this process have no ladder.
   */
  memoryLadder(layer?: string): readonly MemoryLadder[] {
    this.flush();
    const simulated = this.#memory;
    if (simulated === undefined || (layer !== undefined && layer !== simulated.layer.name)) return [];
    return [simulated.report(this.#clock.now(), this.#layerHitRate(simulated.layer.name))];
  }

  /** Returns the memory ladders for other instances, with the requests to their layers in the last hour. */
  memoryFigures(): readonly InstanceMemory[] {
    const layers = this.#metrics?.getLayerStats('1h') ?? [];
    return this.memoryLadder().map((ladder) => {
      const { totalRequests, coverageSeconds } = layers.find(({ layer }) => layer === ladder.layer) ?? NOTHING_COUNTED;
      // If nothing was counted, use the estimate of the simulation.
      const requestsPerSecond =
        coverageSeconds > 0
          ? totalRequests / coverageSeconds
          : (ladder.accesses * 1_000) / Math.max(1_000, ladder.observedMs);
      return { ...ladder, requestsPerSecond };
    });
  }

  /** Starts recommendations for this cache. The cache calls it once. */
  advise(cache: AdvisedCache): void {
    if (this.#recorder === undefined || this.#advisor !== undefined) return;
    this.#metrics = cache.metrics;
    this.#memory = memorySimulationOf(cache.layers, this.#clock.now());
    if (this.#memory !== undefined) this.#recorder.simulate(this.#memory);
    if (cache.layers.slice(1).some(({ shared }) => shared)) this.#recorder.shared();
    const insight = {
      listen: (listener: AccessListener) => this.listen(listener),
      flush: () => this.flush(),
      ttlEvidence: (pattern: string) => this.#ttlEvidence(pattern),
      memoryEvidence: () => this.memoryLadder(),
      maxStaleShare: (pattern: string) => this.#maxStaleShareOf(pattern),
      sharedLoads: (pattern: string) => this.#sharedLoads(pattern),
      warmed: (pattern: string) => this.#warmed(pattern),
    };
    this.#advisor = new Advisor(insight, cache, this.#clock, this.#salt);
  }

  /**
   * Returns the simulated effects of eight TTLs on the accesses of a pattern, and which TTL is better than today's. Uncertain figures
   * are withheld, with the reason.
   */
  ttlLadder(pattern: string, options?: TtlAdviceOptions): TtlLadder {
    const nothing = { pattern, ttlMs: null, accesses: 0, observedMs: 0, ladder: [] };
    if (this.#recorder === undefined) return { ...nothing, withheld: 'insight: it is off' };
    const followed = this.#recorder.patterns.get(pattern);
    if (followed === undefined) return { ...nothing, withheld: tooFew(0)! };
    const now = this.#clock.now();
    this.#recorder.flush(now, followed);
    return followed.ladder.report(now, { maxStaleShare: this.#maxStaleShareOf(pattern), ...options });
  }

  /** Returns the result of {@link ttlLadder} for the accesses of several instances. @param others their figures, by pattern. */
  ttlLadderWith(
    others: readonly ReadonlyMap<string, LadderFigures>[],
    pattern: string,
    options?: TtlAdviceOptions,
  ): TtlLadder {
    const own = this.#figuresOf(pattern, this.#clock.now());
    const figures = togetherOf([own, ...others.map((other) => other.get(pattern))].filter((one) => one !== undefined));
    if (figures === undefined) return this.ttlLadder(pattern, options);
    return ladderReport(pattern, figures, { maxStaleShare: this.#maxStaleShareOf(pattern), ...options });
  }

  /** Returns the figures of the ladders for other instances and for the next run, one pattern per step. */
  *ladderFigures(): Generator<void, ReadonlyMap<string, LadderFigures>> {
    const all = new Map(this.#recorder?.restored);
    for (const pattern of this.#recorder?.patterns.keys() ?? []) {
      const figures = this.#figuresOf(pattern, this.#clock.now());
      if (figures !== undefined) all.set(pattern, figures);
      yield;
    }
    return all;
  }

  /** The parts that are kept over a restart, by name: see `Persistence`. Undefined if insight is off. */
  get kept(): Readonly<Record<'ladders' | 'recommendations' | 'usual', KeptPart>> | undefined {
    const recorder = this.#recorder;
    const alerts = this.#alerts;
    if (recorder === undefined) return undefined;
    return {
      ladders: {
        collectDump: async () => {
          const figures = await runInSlices(this.ladderFigures());
          return figures.size === 0 ? undefined : figuresBytes(figures);
        },
        restore: (dump) => {
          const figures = readFigures(dump);
          if (figures === undefined) throw unreadable();
          recorder.restore(figures);
        },
      },
      recommendations: {
        collectDump: async () => {
          const { found } = this.#advisor ?? {};
          return found === undefined || found.size === 0 ? undefined : foundBytes(found);
        },
        restore: (dump) => this.#advisor?.restore(readFound(dump, this.#clock.now())),
      },
      usual: {
        collectDump: async () => alerts?.collectDump(),
        restore: (dump) => alerts?.restore(dump),
      },
    };
  }

  #figuresOf(pattern: string, now: number): LadderFigures | undefined {
    const followed = this.#recorder?.patterns.get(pattern);
    if (followed === undefined) return undefined;
    this.#recorder!.flush(now, followed);
    return followed.ladder.figures(now);
  }

  /** The exchange of loads with other instances; undefined if insight is off. Call it once. @param everyMs the interval */
  exchange(everyMs: number): LadderExchange | undefined {
    return this.#recorder === undefined ? undefined : new LadderExchange(this.#recorder, everyMs);
  }

  /** Lists the keys with the most requests in all patterns, most first. @param limit 1–1,000. @default 10 */
  hotKeys(limit = 10): readonly HotKey[] {
    const keys: HotKey[] = [];
    for (const { name: pattern, hottest } of this.#recorder?.patterns.values() ?? []) {
      for (const { key, count, overcount } of hottest.ranking(limit)) {
        keys.push({
          key: this.#nameOf(key, pattern),
          id: idOf(this.keyHashOf(key)),
          pattern,
          requests: Math.round(count),
          requestsError: Math.round(overcount),
          share: shareOf(count, hottest.hits),
        });
      }
    }
    return keys.sort((one, other) => other.requests - one.requests).slice(0, limit);
  }

  /** Returns the longest list of {@link hotKeys} for other instances, one pattern per step. */
  *hotKeyFigures(): Generator<void, readonly HotKeyFigures[]> {
    const all: { readonly pattern: string; readonly hits: number; readonly ranking: readonly RankedKey[] }[] = [];
    for (const { name: pattern, hottest } of this.#recorder?.patterns.values() ?? []) {
      if (hottest.hits > 0) all.push({ pattern, hits: hottest.hits, ranking: hottest.ranking(MOST_NOTED) });
      yield;
    }
    const counts = all.flatMap(({ ranking }) => ranking.map(({ count }) => count)).sort((one, other) => other - one);
    const least = counts[MOST_NOTED - 1] ?? 0;
    let left = MOST_NOTED;
    return all.map(({ pattern, hits, ranking }) => {
      const listed = ranking.filter(({ count }) => count >= least).slice(0, left);
      left -= listed.length;
      const keys = listed.map(({ key, count, overcount }) => ({
        hash: this.keyHashOf(key),
        count,
        overcount,
        key: this.#showKeys ? key : undefined,
      }));
      return { pattern, hits, keys };
    });
  }

  /** Returns the result of {@link hotKeys} for several instances, one pattern of an instance per step. @param others their figures. */
  *hotKeysWith(others: readonly (readonly HotKeyFigures[])[], limit: number): Generator<void, readonly HotKey[]> {
    const own = yield* this.hotKeyFigures();
    return yield* hotKeysTogether([own, ...others], limit, (key, pattern) => this.#nameOf(key, pattern));
  }

  /** Returns the hash that instances with the same namespace use for a key, 32 bits, unsigned. */
  keyHashOf(key: string): number {
    return keyHash(key, this.#salt) >>> 0;
  }

  #nameOf(key: string | undefined, pattern: string): string {
    return key !== undefined && this.#showKeys ? key : masked(pattern);
  }

  /** Restarts the ladder of a pattern with a new TTL. Call it when a policy has changed. */
  ttlChanged(pattern: string, ttlMs: number): void {
    const now = this.#clock.now();
    const followed = this.#recorder?.patterns.get(pattern);
    if (followed === undefined) return;
    this.#recorder!.flush(now, followed);
    followed.ladder.change(ttlMs, now);
  }

  #layerHitRate(name: string): number | null {
    return this.#metrics?.getLayerStats('all').find(({ layer }) => layer === name)?.hitRate ?? null;
  }

  #ttlEvidence(pattern: string): TtlEvidence | undefined {
    const { ttlMs, ...report } = this.ttlLadder(pattern);
    return ttlMs === null ? undefined : { ...report, ttlMs };
  }

  #maxStaleShareOf(pattern: string): number {
    const automatic = this.#metrics?.declarationOf(pattern)?.plan?.policy.automaticTtl;
    return automatic?.maxStaleShare ?? this.#staleShares.of(pattern);
  }

  /** Sets the source of evidence about warmed entries. */
  addWarmed(source: (pattern: string) => readonly WarmedEvidence[]): void {
    this.#warmed = source;
  }

  /** Sets the source of evidence about loads of one key in several instances at once. */
  addSharedLoads(source: (pattern: string) => SharedLoadEvidence | undefined): void {
    this.#sharedLoads = source;
  }

  /** Reports the hits that are counted but not reported to listeners yet. */
  flush(): void {
    this.#recorder?.flush(this.#clock.now());
  }
}

/** Creates the simulations of the first layer, if it is memory of this process. */
function memorySimulationOf([first]: readonly Layer[], now: number): MemorySimulation | undefined {
  const { eviction, bounds } = first?.status() ?? {};
  if (first === undefined || eviction === undefined) return undefined;
  const { entries: maxEntries = Infinity, bytes: maxBytes = Infinity } = bounds ?? {};
  return new MemorySimulation({ name: first.name, eviction, bounds: { maxEntries, maxBytes } }, now);
}

type RankedKey = ReturnType<HottestKeys['ranking']>[number];

const NOTHING_COUNTED = { totalRequests: 0, coverageSeconds: 0 };

/** Masks a key: returns its pattern with bullets. */
function masked(pattern: string): string {
  return pattern.replaceAll('*', '•••');
}
