import type { Type } from '@nestjs/common';
import type * as Swagger from '@nestjs/swagger';
import { CacheError } from '../cache/errors.js';
import { WINDOWS } from '../metrics/snapshot.js';

/** One query parameter of a route, as OpenAPI describes it. */
interface QueryParameter {
  readonly name: string;
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

/** What a document says of one handler. */
interface RouteDescription {
  readonly summary: string;
  readonly query?: readonly QueryParameter[];
  readonly body?: Readonly<Record<string, unknown>>;
}

const window: QueryParameter = {
  name: 'window',
  description: 'The window that is answered for',
  schema: { type: 'string', enum: [...WINDOWS], default: 'all' },
};
const scope: QueryParameter = {
  name: 'scope',
  description: 'This instance, or every live one together',
  schema: { type: 'string', enum: ['instance', 'fleet'], default: 'instance' },
};
const texts = { type: 'array', items: { type: 'string' } };

/** By the handlers' names, which no two controllers share. */
const routes: Readonly<Record<string, RouteDescription>> = {
  health: { summary: 'Health of the cache, with warnings', query: [scope] },
  stats: { summary: 'Statistics of the whole cache', query: [window, scope] },
  patterns: { summary: 'Statistics by key pattern', query: [window, scope] },
  endpoints: { summary: 'Statistics by endpoint', query: [window, scope] },
  layers: { summary: 'Statistics by layer, with circuit state and write queue', query: [window, scope] },
  operations: { summary: 'Statistics by operation', query: [window, scope] },
  topPatterns: {
    summary: 'Patterns by number of requests',
    query: [
      {
        name: 'limit',
        description: 'How many',
        schema: { type: 'integer', minimum: 1, maximum: 1000, default: 10 },
      },
      window,
      scope,
    ],
  },
  lowPerformers: {
    summary: 'Patterns with a low hit rate, each with a recommendation',
    query: [
      {
        name: 'threshold',
        description: 'Hit rate below which a pattern is listed',
        schema: { type: 'number', minimum: 0, maximum: 1, default: 0.5 },
      },
      {
        name: 'min_requests',
        description: 'Requests from which on a pattern is listed',
        schema: { type: 'integer', minimum: 0, default: 1 },
      },
      window,
      scope,
    ],
  },
  hitRate: { summary: 'Hit rates over every window: overall, by pattern, by operation', query: [scope] },
  realtime: { summary: 'Operations in flight, rate, response times and open alerts', query: [scope] },
  events: { summary: 'Server-sent events: ticks, alerts, warming progress, invalidations' },
  flamegraph: {
    summary: 'Where sampled operations spend their time, as folded stacks',
    query: [
      {
        name: 'format',
        description: 'Text, a picture, or a file for speedscope',
        schema: { type: 'string', enum: ['folded', 'svg', 'speedscope'], default: 'folded' },
      },
    ],
  },
  cpuProfile: {
    summary: 'A CPU profile of the process, as DevTools open it',
    body: {
      type: 'object',
      properties: { seconds: { type: 'number', exclusiveMinimum: 0, maximum: 60, default: 5 } },
      additionalProperties: false,
    },
  },
  info: { summary: 'What the server of the first remote layer says of itself, and the state of every layer' },
  database: { summary: 'Observed connection pools and queries' },
  warm: {
    summary: 'Warms the cache and answers with the report of the run',
    query: [
      {
        name: 'wait',
        description: 'false answers 202 at once, with the run to follow',
        schema: { type: 'boolean', default: true },
      },
    ],
    body: { type: 'object', properties: { strategies: texts }, additionalProperties: false },
  },
  run: { summary: 'The report of a warming run, as far as it is' },
  reset: { summary: 'Resets every metric' },
  invalidate: {
    summary: 'Invalidates by key, by glob and by tag',
    body: { type: 'object', properties: { keys: texts, patterns: texts, tags: texts }, additionalProperties: false },
  },
};

/**
 * Describes the controllers of one registration for @nestjs/swagger, which is loaded here and nowhere else.
 * @throws CacheError `MISSING_PACKAGE` where it is not installed.
 */
export async function describeForSwagger(controllers: readonly Type[]): Promise<void> {
  const swagger = await loaded();
  for (const controller of controllers) {
    swagger.ApiTags('cache')(controller);
    for (const [name, route] of Object.entries(routes)) {
      const descriptor = Object.getOwnPropertyDescriptor(controller.prototype, name);
      if (descriptor === undefined) continue;
      for (const decorate of decoratorsOf(swagger, route)) decorate(controller.prototype as object, name, descriptor);
    }
  }
}

function decoratorsOf(swagger: typeof Swagger, { summary, query = [], body }: RouteDescription): MethodDecorator[] {
  return [
    swagger.ApiOperation({ summary }),
    ...query.map((parameter) => swagger.ApiQuery({ ...parameter, required: false })),
    ...(body === undefined ? [] : [swagger.ApiBody({ schema: body, required: false })]),
  ];
}

async function loaded(): Promise<typeof Swagger> {
  try {
    return await import('@nestjs/swagger');
  } catch (cause) {
    throw new CacheError(
      'MISSING_PACKAGE',
      'monitoring.swagger needs the package @nestjs/swagger: npm install @nestjs/swagger',
      { cause },
    );
  }
}
