import type { DatabaseMetrics } from '../database/records/database-metrics.js';
import type { FleetAnswers } from '../fleet/fleet-answers.js';
import type { OfFleet } from '../fleet/fleet-insight.js';
import type { Instances } from '../instances/instances.js';
import type { CacheMetrics } from '../metrics/cache-metrics.js';
import type { CacheStatistics } from '../metrics/cache-statistics.js';
import type { CacheWarmer } from '../warming/cache-warmer.js';
import { memoryByPattern } from './memory-by-pattern.js';
import type { MonitoredCache, MonitoredCaches } from './monitored-cache.js';
import {
  alertStateOf,
  cacheNameOf,
  cacheOf,
  cacheParameterOf,
  givenLimitOf,
  historyWindowOf,
  limitOf,
  minRequestsOf,
  type MonitoringRequest,
  patternOf,
  patternsOf,
  requiredPatternOf,
  scopeOf,
  thresholdOf,
  windowOf,
} from './parameters.js';
import { ofCache, presentedText } from './presenter.js';
import type { ServerInformation } from './server-information.js';
import type { MadeAnswer, SharedAnswer, SharedAnswers } from './shared-answers.js';
import { shownPolicies } from './shown-policy.js';

/** The parts of the cache that a request names. */
export interface AskedCache extends Pick<MonitoredCache, 'insight' | 'tuning' | 'layers'> {
  readonly metrics: CacheMetrics;
}

/** What a route reads. Each function checks the parameters first, and returns a function that computes the answer. */
interface Reading {
  /** The query parameters that determine the answer. */
  readonly takes: readonly string[];
  /** True if the answer is expensive to compute and changes slowly. */
  readonly slow?: boolean;
  /** Reads the statistics of one cache of this instance, or those of all instances. */
  readonly ofStatistics?: (request: MonitoringRequest, asked: AskedCache) => (metrics: CacheStatistics) => unknown;
  /** Reads from this instance. */
  readonly ofInstance?: (request: MonitoringRequest, caches: CachesOf) => () => unknown;
  /** Reads from all instances; undefined if the route covers only this instance. */
  readonly ofFleet?: (request: MonitoringRequest) => (fleet: FleetAnswers['insight']) => Promise<OfFleet<unknown>>;
}

interface CachesOf {
  readonly own: AskedCache;
  readonly named: ReadonlyMap<string, AskedCache>;
}

const COUNTED = ['window', 'scope', 'cache'] as const;

/** The routes that read the metrics, by path. */
const statistics = {
  health: { takes: ['scope', 'cache'], ofStatistics: () => (metrics) => metrics.collectHealth() },
  stats: {
    takes: COUNTED,
    ofStatistics: (request) => {
      const window = windowOf(request);
      return (metrics) => metrics.collectStats(window);
    },
  },
  'stats/patterns': {
    takes: [...COUNTED, 'limit', 'pattern'],
    ofStatistics: (request) => {
      const window = windowOf(request);
      const limit = givenLimitOf(request);
      const pattern = patternOf(request);
      return (metrics) => {
        if (pattern !== undefined) {
          return metrics.patterns.includes(pattern) ? [metrics.getPatternStats(pattern, window)] : [];
        }
        return limit === undefined
          ? metrics.collectPatternStats(window)
          : metrics.collectCostliestPatterns(limit, window);
      };
    },
  },
  'stats/endpoints': {
    takes: [...COUNTED, 'pattern'],
    ofStatistics: (request, { metrics: own }) => {
      const window = windowOf(request);
      const pattern = patternOf(request);
      const using = pattern === undefined ? undefined : endpointsOf(own, pattern);
      return async (metrics) => {
        const all = await metrics.collectEndpointStats(window);
        return using === undefined ? all : all.filter(({ endpoint }) => using.has(endpoint));
      };
    },
  },
  'stats/layers': {
    takes: COUNTED,
    ofStatistics: (request) => {
      const window = windowOf(request);
      return (metrics) => metrics.collectLayerStats(window);
    },
  },
  'stats/operations': {
    takes: COUNTED,
    ofStatistics: (request) => {
      const window = windowOf(request);
      return (metrics) => metrics.collectOperationStats(window);
    },
  },
  'stats/top-patterns': {
    takes: [...COUNTED, 'limit'],
    ofStatistics: (request) => {
      const limit = limitOf(request);
      const window = windowOf(request);
      return (metrics) => metrics.collectTopPatterns(limit, window);
    },
  },
  'stats/low-performers': {
    takes: [...COUNTED, 'threshold', 'min_requests', 'limit'],
    slow: true,
    ofStatistics: (request) => {
      const threshold = thresholdOf(request);
      const minRequests = minRequestsOf(request);
      const limit = givenLimitOf(request);
      const window = windowOf(request);
      return (metrics) => metrics.collectLowPerformers(threshold, window, minRequests, limit);
    },
  },
  'hit-rate': { takes: ['scope', 'cache'], ofStatistics: () => (metrics) => metrics.collectHitRates() },
  realtime: { takes: ['scope', 'cache'], ofStatistics: () => (metrics) => metrics.collectRealtime() },
  history: {
    takes: [...COUNTED, 'pattern', 'patterns'],
    ofStatistics: (request) => {
      const window = historyWindowOf(request);
      const pattern = patternOf(request);
      const patterns = patternsOf(request);
      return (metrics) => metrics.collectHistory(window, pattern, patterns);
    },
  },
} as const satisfies Record<string, Reading>;

/** The routes that read other facts about caches, by path. */
const insights = {
  insights: {
    takes: ['scope', 'cache', 'pattern'],
    slow: true,
    ofInstance: (request, caches) => {
      const pattern = patternOf(request);
      const { insight } = ofOneInstance(request, caches);
      return () => insight.collectRecommendations({ pattern });
    },
    ofFleet: (request) => {
      const pattern = patternOf(request);
      return (fleet) => fleet.recommendations(pattern);
    },
  },
  'insights/ttl': {
    takes: ['scope', 'cache', 'pattern'],
    slow: true,
    ofInstance: (request, caches) => {
      const pattern = requiredPatternOf(request);
      const { insight } = ofOneInstance(request, caches);
      return () => insight.ttlLadder(pattern);
    },
    ofFleet: (request) => {
      const pattern = requiredPatternOf(request);
      return (fleet) => fleet.ttlLadder(pattern);
    },
  },
  'insights/memory': {
    takes: ['scope', 'cache'],
    slow: true,
    ofInstance: (request, caches) => {
      const { insight } = ofOneInstance(request, caches);
      return () => insight.memoryLadder();
    },
    ofFleet: () => (fleet) => fleet.memoryLadders(),
  },
  'stats/memory': {
    takes: ['cache', 'pattern', 'limit'],
    slow: true,
    ofInstance: (request, caches) => {
      const filter = { pattern: patternOf(request), limit: givenLimitOf(request) };
      const { layers, metrics } = ofOneInstance(request, caches);
      return () => memoryByPattern(layers, (key) => metrics.patternOf(key), filter);
    },
  },
  'hot-keys': {
    takes: ['scope', 'cache', 'limit'],
    slow: true,
    ofInstance: (request, caches) => {
      const limit = limitOf(request);
      const { insight } = ofOneInstance(request, caches);
      return () => insight.hotKeys(limit);
    },
    ofFleet: (request) => {
      const limit = limitOf(request);
      return (fleet) => fleet.hotKeys(limit);
    },
  },
  alerts: {
    takes: ['scope', 'cache', 'state'],
    ofInstance: (request, caches) => {
      const state = alertStateOf(request);
      const { insight } = ofOneInstance(request, caches);
      return () => insight.alerts({ state });
    },
    ofFleet: (request) => {
      const state = alertStateOf(request);
      return (fleet) => fleet.alerts(state);
    },
  },
  policies: {
    takes: ['cache', 'pattern'],
    slow: true,
    ofInstance: (request, { own, named }) => {
      const pattern = patternOf(request);
      const { tuning, metrics } = cacheParameterOf(request, named) ?? own;
      return () => shownPolicies(pattern === undefined ? tuning.policies() : [tuning.report(pattern)], metrics);
    },
  },
} as const satisfies Record<string, Reading>;

/** The path of a route that reads, below the monitoring path. */
export type ReadingName = keyof typeof statistics | keyof typeof insights | 'info' | 'database' | 'instances' | 'warm';

/** Computes the answers of the routes that read. Requests that accept an answer of some age share it. */
export class Readings {
  readonly #readings: Readonly<Record<ReadingName, Reading>>;
  readonly #caches: () => CachesOf;
  #stops: readonly (() => void)[] | undefined;

  constructor(
    private readonly cache: MonitoredCache,
    metrics: CacheMetrics,
    private readonly named: MonitoredCaches,
    private readonly fleet: FleetAnswers,
    private readonly shared: SharedAnswers,
    information: ServerInformation,
    databases: DatabaseMetrics,
    instances: Instances,
    warmer: CacheWarmer,
  ) {
    this.#caches = () => {
      const { insight, tuning, layers } = cache;
      return { own: { insight, tuning, layers, metrics }, named: named.all };
    };
    this.#readings = {
      ...statistics,
      ...insights,
      info: { takes: [], slow: true, ofInstance: () => () => information.read() },
      database: { takes: [], ofInstance: () => () => databases.snapshot() },
      instances: { takes: [], ofInstance: () => () => instances.list() },
      warm: {
        takes: ['limit'],
        ofInstance: (request) => {
          const limit = limitOf(request);
          return () => warmer.reports(limit);
        },
      },
    };
  }

  has(name: string): name is ReadingName {
    return Object.hasOwn(this.#readings, name);
  }

  /** True if the answer of the route is expensive to compute and changes slowly. */
  isSlow(name: ReadingName): boolean {
    return this.#readings[name].slow === true;
  }

  /**
   * Returns the answer of a route, as text.
   * @param maxAgeMs the highest age of the answer, milliseconds; 0 for a new answer.
   * @throws MonitoringError for wrong parameters; CacheError if the fleet is off or does not answer.
   */
  async read(name: ReadingName, request: MonitoringRequest, maxAgeMs: number): Promise<SharedAnswer> {
    if (maxAgeMs > 0) this.#stops ??= this.#watch();
    const { takes } = this.#readings[name];
    const make = this.#makerOf(name, request);
    const query = (request.query ?? {}) as Record<string, unknown>;
    const address = JSON.stringify([name, ...takes.map((parameter) => query[parameter] ?? null)]);
    return this.shared.answer(address, maxAgeMs, make);
  }

  close(): void {
    for (const stop of this.#stops ?? []) stop();
  }

  /** Drops the shared answers when a policy or alert changes, because pages then request new ones at once. */
  #watch(): (() => void)[] {
    const changed = () => this.shared.clear();
    return [this.cache, ...this.named.all.values()].flatMap((cache) => [
      cache.tuning.watch(changed),
      cache.watchAlerts(changed),
    ]);
  }

  #makerOf(name: ReadingName, request: MonitoringRequest): () => Promise<MadeAnswer> {
    const { takes, ofStatistics, ofInstance, ofFleet } = this.#readings[name];
    const caches = this.#caches();
    const textOf = (answer: unknown): Promise<string> =>
      presentedText(takes.includes('cache') ? ofCache(answer, cacheNameOf(request)) : answer);
    if (ofFleet !== undefined && scopeOf(request) === 'fleet') {
      cacheOf(request, caches.named);
      const ask = ofFleet(request);
      return async () => {
        const { value, instances } = await ask(this.fleet.insight);
        return { text: await textOf(value), instances };
      };
    }
    if (ofStatistics === undefined) {
      const ask = ofInstance!(request, caches);
      return async () => ({ text: await textOf(await ask()) });
    }
    const asked = ofOneInstance(request, caches);
    const ask = ofStatistics(request, asked);
    if (scopeOf(request) === 'instance') return async () => ({ text: await textOf(await ask(asked.metrics)) });
    return async () => {
      const { statistics: all, instances } = await this.fleet.statistics();
      return { text: await textOf(await ask(all)), instances };
    };
  }
}

/** Returns the cache that a request names. Refuses a named cache with `scope=fleet`. */
function ofOneInstance(request: MonitoringRequest, { own, named }: CachesOf): AskedCache {
  return cacheOf(request, named) ?? own;
}

/** Returns the endpoints whose handlers declare a pattern. */
function endpointsOf(metrics: CacheMetrics, pattern: string): ReadonlySet<string> {
  const { declaredBy = [] } = metrics.declarationOf(pattern) ?? {};
  return new Set(declaredBy.flatMap(({ endpoint }) => endpoint ?? []));
}
