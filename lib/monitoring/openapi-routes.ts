import type { Type } from '@nestjs/common';
import type * as Swagger from '@nestjs/swagger';
import { optionalPackage } from '../cache/optional-package.js';
import { WINDOWS } from '../metrics/snapshot.js';
import * as answers from './openapi-answers.js';
import type { PolicyChange } from '../cache/policies/policy-overrides.js';
import { MAX_PATTERN_LENGTH } from '../tuning/override-record.js';
import type { Schema } from './openapi-answers.js';

/** One query parameter of a route, as OpenAPI describes it. */
interface QueryParameter {
  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
  /** @default false */
  readonly required?: boolean;
}

/** The description of one route. */
interface RouteDescription {
  readonly summary: string;
  readonly query?: readonly QueryParameter[];
  readonly path?: { readonly name: string; readonly description: string };
  readonly body?: Schema;
  /** Schemas by status; `content` lists them by content type if the answer is not JSON. */
  readonly answers: Readonly<Record<number, Schema | { readonly content: Readonly<Record<string, Schema>> }>>;
  /** The statuses with which the route refuses a request. */
  readonly refusals?: readonly number[];
}

const window: QueryParameter = {
  name: 'window',
  description: 'The time window of the figures',
  schema: { type: 'string', enum: [...WINDOWS], default: 'all' },
};
const scope: QueryParameter = {
  name: 'scope',
  description: 'Figures of this instance, or of all live instances together',
  schema: { type: 'string', enum: ['instance', 'fleet'], default: 'instance' },
};
const cache: QueryParameter = {
  name: 'cache',
  description: "The name of a cache that forFeature() created; default is the application's own cache",
  schema: { type: 'string', default: 'default' },
};
const onlyCache: QueryParameter = {
  ...cache,
  description: 'The cache whose metrics are reset; all caches if it is left out',
  schema: { type: 'string' },
};
const limit: QueryParameter = {
  name: 'limit',
  description: 'The maximum number of items',
  schema: { type: 'integer', minimum: 1, maximum: 1000, default: 10 },
};
const pattern: QueryParameter = {
  name: 'pattern',
  description: 'The key pattern as in statistics, such as feed:*',
  schema: { type: 'string', maxLength: MAX_PATTERN_LENGTH },
  required: true,
};
const onePattern: QueryParameter = { ...pattern, description: 'Only this key pattern', required: false };
const costliest: QueryParameter = {
  name: 'limit',
  description: 'The maximum number of patterns: those that lose the most time to misses, most first',
  schema: { type: 'integer', minimum: 1, maximum: 1000 },
};
const duration = {
  oneOf: [
    { type: 'number', minimum: 0, description: 'Milliseconds' },
    { type: 'string', example: '5m' },
  ],
};
const fraction = { type: 'number', minimum: 0, maximum: 1 };
const policyBody = {
  type: 'object',
  properties: {
    ttl: duration,
    staleWhileRevalidate: duration,
    staleIfError: duration,
    softTimeout: duration,
    hardTimeout: duration,
    refreshAhead: {
      oneOf: [
        fraction,
        { type: 'string', enum: ['xfetch'] },
        {
          type: 'object',
          properties: { fraction, xfetch: { type: 'boolean' }, beta: { type: 'number' } },
          additionalProperties: false,
        },
      ],
    },
    jitter: fraction,
    negativeTtl: { oneOf: [...duration.oneOf, { type: 'boolean', enum: [false] }] },
    lock: { type: 'boolean' },
    waitTimeout: duration,
    maxEntrySize: { type: 'integer', minimum: 1 },
    for: duration,
  } satisfies Record<keyof PolicyChange | 'for', Schema>,
  additionalProperties: false,
};
const texts = { type: 'array', items: { type: 'string' } };

/** Refusals of routes that read: a wrong parameter (400), a fleet that is off (409), a fleet that does not answer (503). */
const READ_REFUSALS = [400, 409, 503];
/** Refusals of routes that change data: a wrong body (400), another site or closed writes (403), a body that is not JSON (415). */
const WRITE_REFUSALS = [400, 403, 415];

/** Describes a route that reads the figures of one cache, in this instance or in all instances together. */
function reading(summary: string, answer: Schema, ...query: readonly QueryParameter[]): RouteDescription {
  return {
    summary,
    query: [...query, scope, cache],
    answers: { 200: answers.ofCache(answer) },
    refusals: READ_REFUSALS,
  };
}

/** The routes by the name of their handler. No two controllers have a handler of the same name. */
const routes: Readonly<Record<string, RouteDescription>> = {
  health: reading('Health of the cache, with warnings', answers.health),
  stats: reading('Statistics of the whole cache', answers.stats, window),
  patterns: reading('Statistics by key pattern', answers.patterns, window, costliest, onePattern),
  endpoints: reading('Statistics by endpoint', answers.endpoints, window, {
    ...onePattern,
    description: 'Only endpoints whose handlers declare this key pattern',
  }),
  layers: reading('Statistics by layer, with circuit state and write queue', answers.layers, window),
  heldMemory: {
    summary: 'Contents of the memory layers of this instance, by key pattern',
    query: [
      cache,
      onePattern,
      { ...costliest, description: 'The maximum number of patterns: those with the most bytes, most first' },
    ],
    answers: { 200: answers.ofCache(answers.memoryByPattern) },
    refusals: [400],
  },
  operations: reading('Statistics by operation', answers.operations, window),
  topPatterns: reading('Patterns with the most requests, most first', answers.patterns, limit, window),
  lowPerformers: reading(
    'Patterns with a low hit rate, each with a recommendation',
    answers.lowPerformers,
    {
      name: 'threshold',
      description: 'Patterns with a lower hit rate are listed',
      schema: { type: 'number', minimum: 0, maximum: 1, default: 0.5 },
    },
    {
      name: 'min_requests',
      description: 'Patterns with fewer requests are left out',
      schema: { type: 'integer', minimum: 0, default: 1 },
    },
    { ...costliest, description: 'The maximum number of patterns: those with the lowest hit rates, lowest first' },
    window,
  ),
  insights: reading('Recommendations; those that save the most time come first', answers.recommendations, {
    name: 'pattern',
    description: 'Only recommendations for this key pattern',
    schema: { type: 'string', minLength: 1, maxLength: 512 },
  }),
  ttl: reading('The predicted effect of other TTLs on the accesses of a key pattern', answers.ttlLadder, pattern),
  memory: reading('The predicted hit rates of each memory layer with other bounds', answers.memoryLadders),
  hotKeys: reading('The most requested keys, masked unless insight.showKeys is on', answers.hotKeys, limit),
  hitRate: reading('Hit rates in every window: overall, by pattern and by operation', answers.hitRates),
  history: reading(
    'Figures over time, of all patterns together or of one',
    answers.history,
    {
      name: 'window',
      description: 'The time window of the figures',
      schema: { type: 'string', enum: ['1m', '5m', '1h', '24h'], default: '1h' },
    },
    { name: 'pattern', description: 'One pattern instead of all patterns together', schema: { type: 'string' } },
    {
      name: 'patterns',
      description: 'How many patterns are listed separately as well: those that lost the most time to misses',
      schema: { type: 'integer', minimum: 0, maximum: 100, default: 0 },
    },
  ),
  realtime: reading('Operations in flight, request rate, response times and open alerts', answers.realtime),
  alerts: reading('Alerts, newest first', answers.alerts, {
    name: 'state',
    description: 'open: open alerts only; all: the latest closed alerts as well',
    schema: { type: 'string', enum: ['open', 'all'], default: 'open' },
  }),
  events: {
    summary: 'Server-sent events: ticks, alerts, warming progress, invalidations and policy changes',
    answers: { 200: { content: { 'text/event-stream': answers.events } } },
    refusals: [405, 503],
  },
  flamegraph: {
    summary: 'Where sampled operations spend their time',
    query: [
      {
        name: 'format',
        description: 'folded: text, one stack per line; svg: a picture; speedscope: a file for speedscope',
        schema: { type: 'string', enum: ['folded', 'svg', 'speedscope'], default: 'folded' },
      },
    ],
    answers: {
      200: {
        content: {
          'text/plain': { type: 'string' },
          'image/svg+xml': { type: 'string' },
          'application/json': answers.speedscope,
        },
      },
    },
    refusals: [400, 404],
  },
  cpuProfile: {
    summary: 'A CPU profile of this process, which DevTools can open',
    body: {
      type: 'object',
      properties: { seconds: { type: 'number', exclusiveMinimum: true, minimum: 0, maximum: 60, default: 5 } },
      additionalProperties: false,
    },
    answers: { 200: answers.cpuProfile },
    refusals: WRITE_REFUSALS,
  },
  info: {
    summary: 'Figures of the server of the first layer that has one, and the state of every layer',
    answers: { 200: answers.information },
  },
  databasePlan: {
    summary: "The database's plan for a slow statement, from EXPLAIN without ANALYZE",
    query: [
      { name: 'shape', description: 'The shape of the statement, as in slow_queries', schema: { type: 'string' } },
    ],
    answers: { 200: answers.statementPlan },
    refusals: [400, 403, 404, 409, 415, 503],
  },
  database: { summary: 'Observed connection pools and queries', answers: { 200: answers.database } },
  warm: {
    summary: 'Warms the cache and returns the report of the run',
    query: [
      {
        name: 'wait',
        description:
          'true: answers after the run has ended; false: answers 202 at once, with the URL of the run in Location',
        schema: { type: 'boolean', default: true },
      },
    ],
    body: { type: 'object', properties: { strategies: texts }, additionalProperties: false },
    answers: { 200: answers.warming, 202: answers.warming },
    refusals: [...WRITE_REFUSALS, 503],
  },
  runs: {
    summary: 'The reports of the latest warming runs, newest first',
    query: [limit],
    answers: { 200: answers.warmingRuns },
    refusals: [400],
  },
  instances: {
    summary: 'The live instances, with version, uptime, health and the time when each was last seen',
    answers: { 200: answers.instances },
  },
  run: {
    summary: 'The report of a warming run; it grows while the run is going on',
    path: { name: 'id', description: 'The id of the run' },
    answers: { 200: answers.warming },
    refusals: [404],
  },
  policies: {
    summary: 'Policies: the declared, the overridden and the effective values',
    query: [
      { name: 'pattern', description: 'Only this key pattern; all if it is left out', schema: { type: 'string' } },
      cache,
    ],
    answers: { 200: answers.ofCache(answers.policies) },
    refusals: [400],
  },
  overridePolicy: {
    summary: 'Overrides the policy of a pattern for values that are stored from now on',
    query: [pattern, cache],
    body: policyBody,
    answers: { 200: answers.ofCache(answers.policy) },
    refusals: [...WRITE_REFUSALS, 404, 409],
  },
  extendPolicy: {
    summary: 'Adds fields to the override of a pattern. Its other fields stay, and its end unless for is given',
    query: [pattern, cache],
    body: policyBody,
    answers: { 200: answers.ofCache(answers.policy) },
    refusals: [...WRITE_REFUSALS, 404, 409],
  },
  revertPolicy: {
    summary: 'Ends the override of the policy of a pattern',
    query: [pattern, cache],
    answers: { 200: answers.ofCache(answers.policy) },
    refusals: [...WRITE_REFUSALS, 404],
  },
  reset: {
    summary: 'Resets the metrics of all caches or of one',
    query: [onlyCache],
    answers: { 200: answers.reset },
    refusals: WRITE_REFUSALS,
  },
  invalidate: {
    summary: 'Invalidates entries by key, by glob and by tag',
    query: [cache],
    body: {
      type: 'object',
      properties: { keys: texts, patterns: texts, tags: texts, cache: { type: 'string', default: 'default' } },
      additionalProperties: false,
    },
    answers: { 200: answers.invalidated },
    refusals: [...WRITE_REFUSALS, 503],
  },
};

/**
 * Describes the controllers of one registration for @nestjs/swagger. Only this function loads that package, and this file is loaded
 * only with `monitoring.swagger`.
 * @throws CacheError `MISSING_PACKAGE` if the package is not installed.
 */
export async function describeRoutes(controllers: readonly Type[]): Promise<void> {
  const load = () => import('@nestjs/swagger');
  const swagger = await optionalPackage('@nestjs/swagger', 'monitoring.swagger', load);
  for (const controller of controllers) {
    swagger.ApiTags('cache')(controller);
    for (const [name, route] of Object.entries(routes)) {
      const descriptor = Object.getOwnPropertyDescriptor(controller.prototype, name);
      if (descriptor === undefined) continue;
      for (const decorate of decoratorsOf(swagger, route)) decorate(controller.prototype as object, name, descriptor);
    }
  }
}

function decoratorsOf(swagger: typeof Swagger, route: RouteDescription): MethodDecorator[] {
  const { summary, query = [], path, body, refusals = [] } = route;
  return [
    swagger.ApiOperation({ summary }),
    ...query.map((parameter) => swagger.ApiQuery({ required: false, ...parameter })),
    ...(path === undefined ? [] : [swagger.ApiParam({ ...path, schema: { type: 'string' } })]),
    ...(body === undefined ? [] : [swagger.ApiBody({ schema: body, required: false })]),
    ...Object.entries(route.answers).map(([status, answer]) => {
      const headers = query.includes(scope) ? { headers: { 'X-Cache-Instances': INSTANCES } } : {};
      return swagger.ApiResponse({
        status: Number(status),
        description: summary,
        ...headers,
        content: contentOf(answer),
      });
    }),
    ...refusals.map((status) =>
      swagger.ApiResponse({ status, description: 'Refused', content: contentOf(answers.refusal) }),
    ),
  ];
}

const INSTANCES = {
  description: 'With scope=fleet: the number of instances that the answer covers',
  schema: { type: 'integer' as const, minimum: 1 },
};

function contentOf(answer: RouteDescription['answers'][number]): Record<string, { schema: Schema }> {
  const content = 'content' in answer ? (answer.content as Record<string, Schema>) : { 'application/json': answer };
  return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));
}
