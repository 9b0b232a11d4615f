import type { MemoryByPattern, PatternMemory } from './memory-by-pattern.js';
import type { WriteCounts } from './route-handlers.js';
import type { CacheInformation, LayerInformation } from './server-information.js';
import type {
  DatabaseSnapshot,
  PoolSnapshot,
  QuerySnapshot,
  SlowQuerySnapshot,
} from '../database/records/database-snapshot.js';
import type { StatementPlan } from '../database/plans/statement-plan.js';
import {
  type PredictedEffect,
  type Recommendation,
  RECOMMENDATION_CODES,
  type RecommendedChange,
} from '../insight/recommendations/recommendation-types.js';
import type { Instance, InstanceList } from '../instances/instances.js';
import type { HotKey } from '../insight/hot-key-figures.js';
import type { DifferingInstance, FleetMemoryLadder, FleetMemoryRung } from '../insight/memory-ladders-together.js';
import type { AdvisedTtl, TtlLadder, TtlRung } from '../insight/ladder-report.js';
import { type Alert, CODES, SEVERITIES } from '../insight/alerts/alert.js';
import {
  type CacheStats,
  type EndpointStats,
  type HealthReport,
  type HealthWarning,
  type History,
  type HistoryPoint,
  type HitRates,
  type LayerStats,
  type LowPerformer,
  type NotKeptCounts,
  type OperationStats,
  type PatternStats,
  type Realtime,
  WINDOWS,
} from '../metrics/snapshot.js';
import type { DeclaringMethod } from '../metrics/judgement.js';
import type { StrategyReport, WarmingFailure, WarmingReport } from '../warming/warming-report.js';
import type { PolicyOutcome, PolicyOverride, Prediction } from '../tuning/policy-tuning.js';
import type { AutomaticTtlValues, PolicyValues } from '../tuning/policy-values.js';
import { snakeCase } from './presenter.js';
import type { ShownPolicy } from './shown-policy.js';

/** A schema of OpenAPI 3.0. */
export type Schema = Readonly<Record<string, unknown>>;

/*
 * The schema of each route's answer. The compiler checks that an answer's type and its schema have the same fields. Field names are
 * converted to snake_case, as in the answers.
 */

/** One schema per field. */
type Fields<T> = { readonly [Name in keyof T]-?: Schema };

/** Returns the schema of an object with exactly these fields. Fields in `optional` may be missing. */
function answer<T>(title: string, fields: Fields<T>, optional: readonly (keyof T)[] = []): Schema {
  const named = Object.entries<Schema>(fields);
  return {
    title,
    type: 'object',
    properties: Object.fromEntries(named.map(([name, schema]) => [snakeCase(name), schema])),
    required: named.filter(([name]) => !optional.includes(name as keyof T)).map(([name]) => snakeCase(name)),
    additionalProperties: false,
  };
}

/** Adds the field `cache`, the cache's name, to the schema of an answer: to the object, or to each object of a list. */
export function ofCache(schema: Schema): Schema {
  if (schema['type'] === 'array') return { ...schema, items: ofCache(schema['items'] as Schema) };
  const { properties, required } = schema as { properties: Record<string, Schema>; required: readonly string[] };
  return { ...schema, properties: { cache: text, ...properties }, required: ['cache', ...required] };
}

const listOf = (items: Schema): Schema => ({ type: 'array', items });
const orNull = (schema: Schema): Schema => ({ ...schema, nullable: true });
const oneOf = (...names: string[]): Schema => ({ type: 'string', enum: names });

const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const bytes: Schema = { type: 'number', minimum: 0, description: 'Bytes' };
const ms: Schema = { type: 'number', minimum: 0, description: 'Milliseconds' };
const seconds: Schema = { type: 'number', minimum: 0, description: 'Seconds' };
const rate = orNull({ type: 'number', minimum: 0, maximum: 1, description: '0–1; null if nothing was counted' });
const moment: Schema = { type: 'string', format: 'date-time' };
const window = oneOf(...WINDOWS);
const circuitState = oneOf('closed', 'open', 'half_open');
const figure: Schema = { oneOf: [orNull({ type: 'number' }), text] };

/** Returns the schemas of the mean and three percentiles of a time, such as `avgWaitTimeMs` and `p50WaitTimeMs`. */
function percentiles<Time extends string>(time: Time) {
  type Name = `${'avg' | 'p50' | 'p95' | 'p99'}${Time}`;
  const names = ['avg', 'p50', 'p95', 'p99'].map((of) => [`${of}${time}`, orNull(ms)]);
  return Object.fromEntries(names) as Readonly<Record<Name, Schema>>;
}

const responseTimes = {
  ...percentiles('ResponseTimeMs'),
  maxResponseTimeMs: orNull(ms),
};
const covered = { window, coverageSeconds: { ...seconds, description: 'Seconds of the window that were observed' } };
const missReasons = answer<CacheStats['missReasons']>('MissReasons', {
  cold: count,
  expired: count,
  evicted: count,
  invalidated: count,
  error: count,
  unknown: count,
});
const notKept = answer<NotKeptCounts>('NotKeptCounts', {
  error: count,
  size: count,
  cacheIf: count,
  skipped: count,
  cookie: count,
  stream: count,
  status: count,
  response: count,
  value: count,
  empty: count,
  ttl: count,
  policy: count,
  invalidated: count,
  layer: count,
});

const accesses: Fields<CacheStats> = {
  totalRequests: count,
  cacheHits: count,
  cacheMisses: count,
  staleHits: count,
  coalesced: count,
  bypasses: count,
  errors: count,
  recalculations: { ...count, description: 'Loads, including refreshes' },
  loadErrors: count,
  loadRejections: count,
  waitTimeouts: count,
  sizeLimitRejections: count,
  sets: count,
  deletes: count,
  invalidations: count,
  evictions: count,
  entryCount: orNull(count),
  totalSizeBytes: orNull(bytes),
  operationsInFlight: count,
  hitRate: rate,
  missRate: rate,
  ...responseTimes,
  ...percentiles('LoadTimeMs'),
  timeSavedMs: { ...ms, description: 'Hits × the mean load time, milliseconds' },
  missReasons,
  ...covered,
};

const warning = answer<HealthWarning>(
  'HealthWarning',
  { code: text, message: text, value: figure, threshold: figure, pattern: text, layer: text, pool: text },
  ['pattern', 'layer', 'pool'],
);

const ratesByWindow = answer<HitRates['overall']>('HitRatesByWindow', {
  '1m': rate,
  '5m': rate,
  '1h': rate,
  '24h': rate,
  all: rate,
});

export const health = answer<HealthReport>(
  'HealthReport',
  {
    status: oneOf('healthy', 'warning', 'degraded'),
    hitRate: rate,
    avgResponseTimeMs: orNull(ms),
    p95ResponseTimeMs: orNull(ms),
    totalRequests: count,
    warnings: listOf(warning),
    note: { ...text, description: 'Present if there are too few requests to judge' },
    window,
    timestamp: moment,
  },
  ['note'],
);

export const stats = answer<CacheStats>('CacheStats', accesses);

export const patterns = listOf(
  answer<PatternStats>('PatternStats', { pattern: text, ...accesses, notKept, avgValueBytes: orNull(bytes) }),
);

export const endpoints = listOf(
  answer<EndpointStats>('EndpointStats', {
    endpoint: { ...text, description: 'Method and route template' },
    ...accesses,
    ...percentiles('TotalTimeMs'),
  }),
);

export const layers = listOf(
  answer<LayerStats>(
    'LayerStats',
    {
      layer: text,
      totalRequests: count,
      cacheHits: count,
      cacheMisses: count,
      errors: count,
      timeouts: count,
      hitRate: rate,
      missRate: rate,
      ...responseTimes,
      evictions: count,
      entryCount: orNull(count),
      totalSizeBytes: orNull(bytes),
      connected: flag,
      circuitState,
      failure: { ...text, description: 'Why this instance cannot use the layer, and what to do' },
      queueDepth: count,
      writesDropped: count,
      writesFailed: count,
      sweepsPending: { ...count, description: 'Invalidations by glob whose entries are not removed yet' },
      invalidationsPending: { ...count, description: 'Invalidations that the layer has not accepted yet' },
      busNotSent: { ...flag, description: 'The last message to the other processes could not be sent' },
      busUnreachable: { ...flag, description: 'Messages of the other processes cannot be received' },
      ...covered,
    },
    ['failure', 'sweepsPending', 'invalidationsPending', 'busNotSent', 'busUnreachable'],
  ),
);

export const operations = listOf(
  answer<OperationStats>('OperationStats', {
    operation: oneOf('get', 'set', 'has', 'delete', 'invalidate', 'load', 'refresh', 'warm'),
    count,
    errors: count,
    hitRate: { ...rate, description: 'For get, the share of hits; for other operations, the share that succeeded' },
    ...responseTimes,
    ...covered,
  }),
);

export const lowPerformers = listOf(
  answer<LowPerformer>('LowPerformer', {
    pattern: text,
    hitRate: rate,
    totalRequests: count,
    code: oneOf(...RECOMMENDATION_CODES, 'LAYER_FAILS', 'NOTHING_STORED', 'COLD_KEYS', 'WITHHELD'),
    recommendation: text,
    missReasons,
    notKept,
    ttlMs: orNull({
      ...ms,
      description: 'The current TTL, milliseconds; null if entries do not expire or the TTL is not known',
    }),
    avgLoadTimeMs: orNull(ms),
  }),
);

const optionValue: Schema = { oneOf: [orNull(text), { type: 'number' }, flag] };

const declaredBy = listOf(
  answer<DeclaringMethod>('DeclaringMethod', {
    class: text,
    method: text,
    transport: { ...text, description: 'The transport of a handler, such as http; method for a method of a provider' },
    endpoint: orNull({ ...text, description: 'The endpoint as in statistics, such as GET /feeds/:id' }),
  }),
);

export const recommendations = listOf(
  answer<Recommendation>(
    'Recommendation',
    {
      id: text,
      code: oneOf(...RECOMMENDATION_CODES),
      pattern: text,
      layer: text,
      title: text,
      why: text,
      change: answer<RecommendedChange>('RecommendedChange', {
        option: text,
        from: optionValue,
        to: optionValue,
        code: { ...text, description: 'TypeScript to paste' },
      }),
      evidence: { type: 'object', additionalProperties: figure },
      predicted: answer<PredictedEffect>(
        'PredictedEffect',
        {
          hitRate: rate,
          hitRateError: rate,
          staleShare: rate,
          timeSavedMsPerHour: { type: 'number', description: 'Milliseconds; negative if the change costs time' },
          bytes: { type: 'number', description: 'Bytes; negative if memory is freed' },
          loadsPerHour: { type: 'number', minimum: 0 },
        },
        ['bytes', 'loadsPerHour'],
      ),
      confidence: oneOf('high', 'medium'),
      since: moment,
      declaredBy,
      instances: { ...count, description: 'With scope=fleet: how many instances recommend it' },
    },
    ['pattern', 'layer', 'declaredBy', 'instances'],
  ),
);

const missing: Schema = {
  ...count,
  description:
    'With scope=fleet: live instances that are left out because they publish no such figures (an earlier release); absent if 0',
};

const ladderText: Schema = {
  ...text,
  description: 'Why a figure or advice is withheld, with the required and the current amount',
};

const rungFields: Fields<TtlRung> = {
  ttlMs: { type: 'number', description: 'Milliseconds' },
  hitRate: orNull(rate),
  hitRateError: orNull(rate),
  staleShare: orNull(rate),
  staleShareError: orNull(rate),
  loadsPerHour: orNull({ type: 'number', minimum: 0 }),
  loadMsPerHour: orNull({ type: 'number', minimum: 0, description: 'Milliseconds' }),
  withheld: ladderText,
};

export const ttlLadder = answer<TtlLadder>(
  'TtlLadder',
  {
    pattern: text,
    ttlMs: orNull({
      type: 'number',
      description: "Today's TTL, milliseconds; null if no entry was stored or entries do not expire",
    }),
    accesses: { type: 'integer', minimum: 0 },
    observedMs: { type: 'number', minimum: 0 },
    withheld: ladderText,
    outdated: { type: 'boolean', description: "Today's TTL is certainly too long, although its figures are withheld" },
    ladder: listOf(answer<TtlRung>('TtlRung', rungFields, ['withheld'])),
    advised: answer<AdvisedTtl>(
      'AdvisedTtl',
      {
        ...rungFields,
        gain: { type: 'number', minimum: -1, maximum: 1 },
        gainError: rate,
      },
      ['withheld'],
    ),
  },
  ['withheld', 'outdated', 'advised'],
);

export const memoryLadders = listOf(
  answer<FleetMemoryLadder>(
    'MemoryLadder',
    {
      layer: text,
      eviction: oneOf('worth', 'lru'),
      accesses: { type: 'integer', minimum: 0 },
      observedMs: { type: 'number', minimum: 0 },
      withheld: ladderText,
      ladder: listOf(
        answer<FleetMemoryRung>(
          'MemoryRung',
          {
            factor: { type: 'number', description: "The bounds as a multiple of today's" },
            maxEntries: orNull({ type: 'integer', minimum: 1 }),
            maxBytes: orNull({ type: 'integer', minimum: 0, description: 'Bytes' }),
            hitRate: orNull(rate),
            hitRateError: orNull(rate),
            missesPerSecond: orNull({
              type: 'number',
              minimum: 0,
              description: 'With scope=fleet: requests per second in all instances that memory does not answer',
            }),
            withheld: ladderText,
          },
          ['missesPerSecond', 'withheld'],
        ),
      ),
      requestsPerSecond: {
        type: 'number',
        minimum: 0,
        description: 'With scope=fleet: requests per second in all instances',
      },
      instances: { ...count, description: 'With scope=fleet: how many instances it covers' },
      missing,
      differing: {
        ...listOf(
          answer<DifferingInstance>('DifferingInstance', {
            id: text,
            host: text,
            pid: count,
            share: { type: 'number', minimum: 0, maximum: 1, description: 'The share of the requests' },
            hitRate: rate,
            why: text,
          }),
        ),
        description:
          'With scope=fleet: instances whose bounds, eviction or hit rates differ clearly from those of most others',
      },
    },
    ['withheld', 'requestsPerSecond', 'instances', 'missing', 'differing'],
  ),
);

export const memoryByPattern = listOf(
  answer<MemoryByPattern>('MemoryByPattern', {
    layer: text,
    entries: count,
    bytes: count,
    sampled: { type: 'number', minimum: 0, maximum: 1, description: 'The share of the entries that was examined' },
    patterns: listOf(
      answer<PatternMemory>('PatternMemory', {
        pattern: text,
        entries: count,
        bytes: count,
        share: { type: 'number', minimum: 0, maximum: 1, description: "The share of the layer's bytes" },
      }),
    ),
  }),
);

export const hotKeys = listOf(
  answer<HotKey>(
    'HotKey',
    {
      key: text,
      id: text,
      pattern: text,
      requests: { type: 'integer', minimum: 0 },
      requestsError: { type: 'integer', minimum: 0 },
      share: rate,
      instances: { ...count, description: 'With scope=fleet: how many instances list it' },
      missing,
    },
    ['instances', 'missing'],
  ),
);

export const hitRates = answer<HitRates>('HitRates', {
  overall: ratesByWindow,
  patterns: listOf(answer<HitRates['patterns'][number]>('PatternHitRates', { pattern: text, hitRates: ratesByWindow })),
  operations: listOf(
    answer<HitRates['operations'][number]>('OperationHitRates', { operation: text, hitRates: ratesByWindow }),
  ),
});

export const realtime = answer<Realtime>('Realtime', {
  operationsInFlight: count,
  requestsPerSecond: { type: 'number', minimum: 0 },
  hitRate: rate,
  avgResponseTimeMs: orNull(ms),
  p99ResponseTimeMs: orNull(ms),
  alerts: listOf(warning),
  timestamp: moment,
});

export const statementPlan = answer<StatementPlan>('StatementPlan', {
  shape: text,
  queryType: text,
  table: text,
  dialect: text,
  plan: { ...text, description: 'Text from PostgreSQL, JSON from MySQL and MariaDB' },
  values: {
    ...oneOf('generic', 'assumed'),
    description: 'generic: planned for any values; assumed: planned with 1 in place of each value',
  },
});

export const alerts = listOf(
  answer<Alert>(
    'Alert',
    {
      id: text,
      code: oneOf(...Object.keys(CODES)),
      severity: oneOf(...SEVERITIES),
      subject: { ...text, description: 'A pattern, layer or pool; cache for the whole cache' },
      message: text,
      value: figure,
      expected: figure,
      openedAt: moment,
      closedAt: orNull(moment),
      declaredBy,
      caches: { ...listOf(text), description: 'The caches that lost the server, if several caches use it' },
      instances: { ...count, description: 'With scope=fleet: how many instances have the alert' },
    },
    ['declaredBy', 'caches', 'instances'],
  ),
);

const historyPoint = answer<HistoryPoint>('HistoryPoint', {
  start: moment,
  seconds,
  totalRequests: count,
  cacheHits: count,
  cacheMisses: count,
  staleHits: count,
  errors: count,
  hitRate: rate,
  p95ResponseTimeMs: orNull(ms),
  p50LoadTimeMs: orNull(ms),
  p95LoadTimeMs: orNull(ms),
  timeSavedMs: ms,
  missReasons,
});

export const history = answer<History>('History', {
  window: oneOf('1m', '5m', '1h', '24h'),
  pattern: orNull(text),
  points: listOf(historyPoint),
  patterns: listOf(
    answer<History['patterns'][number]>('PatternHistory', { pattern: text, points: listOf(historyPoint) }),
  ),
  since: moment,
  timestamp: moment,
});

export const information = answer<CacheInformation>('CacheInformation', {
  redisVersion: orNull(text),
  usedMemoryHuman: orNull(text),
  usedMemory: orNull(bytes),
  connectedClients: orNull(count),
  totalKeys: orNull(count),
  uptimeInSeconds: orNull(seconds),
  hitRate: rate,
  evictedKeys: orNull(count),
  maxMemory: orNull(bytes),
  layers: listOf(
    answer<LayerInformation>(
      'LayerInformation',
      {
        cache: text,
        layer: text,
        shared: flag,
        connected: flag,
        circuitState,
        entryCount: orNull(count),
        totalSizeBytes: orNull(bytes),
        maxEntries: count,
        maxSizeBytes: bytes,
        boundBy: oneOf('entries', 'bytes'),
        queueDepth: count,
        writesDropped: count,
      },
      ['maxEntries', 'maxSizeBytes', 'boundBy'],
    ),
  ),
});

export const database = answer<DatabaseSnapshot>('DatabaseSnapshot', {
  pools: listOf(
    answer<PoolSnapshot>('PoolSnapshot', {
      pool: text,
      system: text,
      size: count,
      available: count,
      inUse: count,
      idle: count,
      pending: count,
      utilization: { type: 'number', minimum: 0, description: 'in_use / size' },
      acquired: count,
      timeouts: count,
      errors: count,
      ...percentiles('WaitTimeMs'),
      maxWaitTimeMs: orNull(ms),
    }),
  ),
  queries: listOf(
    answer<QuerySnapshot>('QuerySnapshot', {
      queryType: text,
      table: text,
      count,
      errors: count,
      slow: count,
      ...percentiles('TimeMs'),
      maxTimeMs: orNull(ms),
    }),
  ),
  slowQueries: listOf(
    answer<SlowQuerySnapshot>('SlowQuerySnapshot', {
      queryType: text,
      table: text,
      shape: text,
      count,
      maxTimeMs: ms,
      lastTimeMs: ms,
      lastAt: moment,
    }),
  ),
});

const warmed = { keysWarmed: count, keysSkipped: count, keysFailed: count, bytes, durationMs: ms, efficiency: rate };

export const warming = answer<WarmingReport>('WarmingReport', {
  id: text,
  trigger: oneOf('startup', 'cron', 'manual'),
  status: oneOf('running', 'completed', 'aborted'),
  startedAt: moment,
  finishedAt: orNull(moment),
  ...warmed,
  strategies: listOf(
    answer<StrategyReport>('StrategyReport', {
      strategy: text,
      result: oneOf('running', 'ok', 'partial', 'failed', 'timeout', 'aborted', 'elsewhere'),
      ...warmed,
      errors: listOf(answer<WarmingFailure>('WarmingFailure', { code: text, message: text, count })),
    }),
  ),
});

export const warmingRuns = listOf(warming);

export const instances = answer<InstanceList>('InstanceList', {
  fleet: oneOf('on', 'off', 'unavailable'),
  instances: listOf(
    answer<Instance>('Instance', {
      id: text,
      own: { ...flag, description: 'True for the instance that answers' },
      host: text,
      pid: count,
      version: orNull(text),
      libraryVersion: text,
      startedAt: moment,
      uptimeSeconds: seconds,
      lastSeenAt: moment,
      status: oneOf('healthy', 'warning', 'degraded'),
      warnings: listOf(text),
      requestsPerSecond: { type: 'number', minimum: 0 },
      hitRate: rate,
    }),
  ),
});

export const reset = answer<{ reset: true; timestamp: string }>('ResetMetrics', {
  reset: { type: 'boolean', enum: [true] },
  timestamp: moment,
});

export const invalidated = answer<WriteCounts>('Invalidated', {
  keys: { ...count, description: 'Given keys whose entries were fresh' },
  patterns: { ...count, description: 'Entries that the globs removed' },
  tags: { ...count, description: 'The number of given tags' },
});

const policyValues: Fields<PolicyValues> = {
  ttlMs: { ...orNull(ms), description: 'Milliseconds; null if entries do not expire or a function computes the TTL' },
  automaticTtl: orNull(
    answer<AutomaticTtlValues>('AutomaticTtl', {
      minMs: ms,
      maxMs: ms,
      maxStaleShare: { ...rate, description: '0–1' },
    }),
  ),
  ttlByValue: flag,
  staleWhileRevalidateMs: ms,
  staleIfErrorMs: ms,
  softTimeoutMs: orNull(ms),
  hardTimeoutMs: orNull(ms),
  refreshFraction: {
    ...rate,
    description: '0–1; fresh entries are refreshed from this fraction of the TTL on; null if not',
  },
  xfetchBeta: { type: 'number', minimum: 0 },
  jitter: { ...rate, description: '0–1; each TTL is shortened by a random share of at most this fraction' },
  negativeTtlMs: orNull(ms),
  lock: flag,
  waitTimeoutMs: orNull(ms),
  maxEntrySize: orNull(bytes),
};
const prediction = answer<Prediction>('Prediction', { hitRate: rate, staleShare: rate });
const values = answer<PolicyValues>('PolicyValues', policyValues);
const override = orNull(
  answer<PolicyOverride>('PolicyOverride', {
    values: answer<PolicyValues>('OverriddenValues', policyValues, Object.keys(policyValues) as (keyof PolicyValues)[]),
    setBy: text,
    setAt: moment,
    expiresAt: orNull(moment),
    reached: oneOf('fleet', 'process'),
  }),
);

export const policy = answer<ShownPolicy>('PolicyReport', {
  pattern: text,
  declaredBy,
  declared: values,
  varies: listOf(text),
  override,
  automatic: override,
  effective: values,
  outcome: orNull(answer<PolicyOutcome>('PolicyOutcome', { predicted: prediction, realised: prediction })),
});

export const policies = listOf(policy);

export const events: Schema = {
  type: 'string',
  description:
    'Server-sent events. tick: the answer of realtime, every second, less often with many clients; alert: an alert that opened or closed; warming: the progress of a strategy; invalidation: patterns and counts; policy: an override that was set or has ended.',
};

/** The file format of speedscope. Field names are not converted. */
export const speedscope: Schema = {
  title: 'SpeedscopeFile',
  type: 'object',
  required: ['$schema', 'shared', 'profiles'],
};

/** The `.cpuprofile` format of V8. Field names are not converted. */
export const cpuProfile: Schema = {
  title: 'CpuProfile',
  type: 'object',
  required: ['nodes', 'startTime', 'endTime'],
  properties: {
    nodes: listOf({ type: 'object' }),
    startTime: { type: 'number', description: 'Microseconds' },
    endTime: { type: 'number', description: 'Microseconds' },
    samples: listOf({ type: 'integer' }),
    timeDeltas: listOf({ type: 'integer' }),
  },
};

/** The schema of a route's answer to a request that it refuses. The application answers requests that its guards refuse. */
export const refusal: Schema = {
  title: 'MonitoringError',
  type: 'object',
  properties: { statusCode: { type: 'integer' }, code: text, message: text },
  required: ['statusCode', 'code', 'message'],
  additionalProperties: false,
};
