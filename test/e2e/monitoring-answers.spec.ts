import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Param } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Ajv, type ValidateFunction } from 'ajv';
import { DatabaseMetrics } from '../../lib/database/index.js';
import { Cached, CacheObservabilityModule, memoryLayer, redisLayer, WarmingStrategy } from '../../lib/index.js';
import { type BootedApp, boot, closeApps, platforms } from '../support/apps.js';
import { EventStream } from '../support/event-stream.js';
import { eventually, RedisServer } from '../support/redis.js';

@Controller()
class ShopController {
  @Get('products/:id')
  @Cached('product:{params.id}')
  find(@Param('id') id: string) {
    return { id };
  }

  @Get('refused')
  @Cached('refused', { cacheIf: () => false })
  refused() {
    return { refused: true };
  }
}

@Injectable()
@WarmingStrategy({ name: 'numbers' })
class Numbers {
  *entries() {
    for (let n = 1; n <= 3; n++) yield { key: `number:${n}`, value: n };
  }
}

@Injectable()
@WarmingStrategy({ name: 'broken' })
class Broken {
  entries(): never {
    throw new Error('down');
  }
}

let redis: RedisServer;
beforeAll(async () => (redis = await RedisServer.start()), 20_000);
afterAll(async () => redis.dispose());

const responseTimes = ['avg', 'p50', 'p95', 'p99', 'max'].map((which) => `${which}_response_time_ms`);
const accesses = [
  ...[
    'total_requests',
    'cache_hits',
    'cache_misses',
    'stale_hits',
    'coalesced',
    'bypasses',
    'errors',
    'recalculations',
  ],
  ...[
    'load_errors',
    'load_rejections',
    'wait_timeouts',
    'size_limit_rejections',
    'sets',
    'deletes',
    'invalidations',
    'evictions',
  ],
  ...['entry_count', 'total_size_bytes', 'operations_in_flight', 'hit_rate', 'miss_rate', ...responseTimes],
  ...['avg_load_time_ms', 'p50_load_time_ms', 'p95_load_time_ms', 'p99_load_time_ms', 'time_saved_ms'],
  ...['miss_reasons', 'window', 'coverage_seconds'],
];

/** The fields of the contract, route by route; of lists, the fields of each item. */
const contract: readonly (readonly [path: string, fields: readonly string[]])[] = [
  [
    '/cache/health',
    [
      ...['status', 'hit_rate', 'avg_response_time_ms', 'p95_response_time_ms', 'total_requests', 'warnings'],
      ...['note', 'window', 'timestamp'],
    ],
  ],
  ['/cache/stats', accesses],
  ['/cache/stats/patterns', ['pattern', ...accesses, 'not_kept', 'avg_value_bytes']],
  ['/cache/stats/top-patterns', ['pattern', ...accesses, 'not_kept', 'avg_value_bytes']],
  [
    '/cache/stats/endpoints',
    [...['endpoint', ...accesses], ...['avg', 'p50', 'p95', 'p99'].map((which) => `${which}_total_time_ms`)],
  ],
  [
    '/cache/stats/layers',
    [
      ...['layer', 'total_requests', 'cache_hits', 'cache_misses', 'errors', 'timeouts', 'hit_rate', 'miss_rate'],
      ...[...responseTimes, 'evictions', 'entry_count', 'total_size_bytes', 'connected', 'circuit_state'],
      ...['queue_depth', 'writes_dropped', 'writes_failed', 'window', 'coverage_seconds'],
    ],
  ],
  [
    '/cache/stats/operations',
    ['operation', 'count', 'errors', 'hit_rate', ...responseTimes, 'window', 'coverage_seconds'],
  ],
  [
    '/cache/stats/low-performers?threshold=1',
    [
      ...['pattern', 'hit_rate', 'total_requests', 'code', 'recommendation', 'miss_reasons', 'not_kept'],
      ...['ttl_ms', 'avg_load_time_ms'],
    ],
  ],
  [
    '/cache/insights',
    [
      ...['id', 'code', 'pattern', 'title', 'why', 'change', 'evidence', 'predicted', 'confidence', 'since'],
      ...['declared_by'],
    ],
  ],
  ['/cache/hit-rate', ['overall', 'patterns', 'operations']],
  [
    '/cache/realtime',
    [
      ...['operations_in_flight', 'requests_per_second', 'hit_rate', 'avg_response_time_ms', 'p99_response_time_ms'],
      ...['alerts', 'timestamp'],
    ],
  ],
  ['/cache/history?patterns=2', ['window', 'pattern', 'points', 'patterns', 'since', 'timestamp']],
  [
    '/cache/info',
    [
      ...['redis_version', 'used_memory_human', 'used_memory', 'connected_clients', 'total_keys', 'uptime_in_seconds'],
      ...['hit_rate', 'evicted_keys', 'max_memory', 'layers'],
    ],
  ],
  [
    '/cache/policies',
    ['pattern', 'declared', 'varies', 'override', 'automatic', 'effective', 'outcome', 'declared_by'],
  ],
  ['/cache/database', ['pools', 'queries', 'slow_queries']],
];

/** Whether a route answers about one cache, which each object names. */
const ofOneCache = (path: string): boolean => !['/cache/info', '/cache/database'].includes(path);

describe.each(platforms)('responses of the monitoring routes on %s', (platform) => {
  let running: BootedApp;

  beforeAll(async () => {
    running = await boot(platform, {
      imports: [
        CacheObservabilityModule.forRoot({
          layers: [memoryLayer(), redisLayer({ url: redis.url })],
          namespace: 'answers',
          fleet: { every: '1s' },
          profiling: { every: 1 },
          prometheus: false,
          monitoring: { swagger: true },
        }),
      ],
      controllers: [ShopController],
      providers: [Numbers, Broken],
    });
    const { app, ask } = running;
    for (const path of ['/products/1', '/products/1', '/products/2', '/refused']) await ask().get(path).expect(200);
    const databases = app.get(DatabaseMetrics);
    databases.pool('main', 'postgresql', () => ({ limit: 10, open: 3, idle: 2, pending: 0 }));
    databases.query('SELECT * FROM products WHERE id = 1', 'postgresql', true, 2_000);
  });
  afterAll(closeApps);

  /** Enough accesses for a recommendation. */
  const refuse = async () => {
    for (let n = 0; n < 20; n++) await running.ask().get('/refused').expect(200);
  };

  it.each(contract)('responses have exactly the fields of the contract: %s', async (path, fields) => {
    if (path === '/cache/insights') await refuse();
    const { body } = await running.ask().get(path).expect(200);
    const items: object[] = Array.isArray(body) ? body : [body];
    expect(items.length).toBeGreaterThan(0);
    const all = ofOneCache(path) ? ['cache', ...fields] : fields;
    for (const item of items) expect(Object.keys(item).toSorted()).toEqual(all.toSorted());
  });

  it('responses match the schemas of the OpenAPI document, on every route', async () => {
    const { app, ask } = running;
    await app.listen(0);
    const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    const ajv = new Ajv({ allErrors: true, formats: { 'date-time': (text) => new Date(text).toISOString() === text } });
    const seen = new Set<string>();
    const fit = (
      method: 'get' | 'post' | 'put' | 'patch' | 'delete',
      path: string,
      status: number,
      type: string,
      answer: unknown,
    ) => {
      const answers = document.paths[path]![method]!.responses[status] as {
        content: Record<string, { schema: object }>;
      };
      const fits: ValidateFunction = ajv.compile(answers.content[type]!.schema);
      if (!fits(answer)) throw new Error(`${method} ${path} ${status}: ${ajv.errorsText(fits.errors)}`);
      seen.add(`${method} ${path} ${status} ${type}`);
    };
    const get = async (path: string, status = 200, query = '') => {
      const response = await ask().get(`${path}${query}`);
      expect(response.status).toBe(status);
      fit('get', path, status, 'application/json', response.body);
    };
    const post = async (path: string, status: number, body?: object, query = '') => {
      const response = await ask().post(`${path}${query}`).send(body);
      expect(response.status).toBe(status);
      fit('post', path, status, 'application/json', response.body);
      return response;
    };

    for (const [path] of contract) await get(path.split('?')[0]!, 200, path.slice(path.split('?')[0]!.length));
    await refuse();
    await get('/cache/insights');
    await eventually(async () => (await ask().get('/cache/stats?scope=fleet')).status === 200, 'the fleet answers');
    for (const path of ['health', 'realtime', 'hit-rate', 'history', 'stats/layers'])
      await get(`/cache/${path}`, 200, '?scope=fleet');
    await get('/cache/stats', 400, '?window=2m');
    await get('/cache/alerts', 200, '?state=all');
    await get('/cache/database/plan', 409, `?shape=${encodeURIComponent('SELECT * FROM products WHERE id = ?')}`);
    await get('/cache/database/plan', 404, '?shape=none');
    await get('/cache/alerts', 400, '?state=over');
    const run = await post('/cache/warm', 202, undefined, '?wait=false');
    const followed = await ask().get(run.headers['location'] as string);
    fit('get', '/cache/warm/{id}', 200, 'application/json', followed.body);
    const unknown = await ask().get('/cache/warm/none').expect(404);
    fit('get', '/cache/warm/{id}', 404, 'application/json', unknown.body);
    await post('/cache/warm', 200);
    await get('/cache/warm', 200, '?limit=2');
    await get('/cache/warm', 400, '?limit=0');
    await get('/cache/instances');
    await post('/cache/warm', 400, { strategies: ['none'] });
    await post('/cache/invalidate', 200, { keys: ['product:1'], patterns: ['product:*'], tags: ['x'] });
    await get('/cache/insights/ttl', 200, '?pattern=product:*');
    await get('/cache/insights/memory');
    await get('/cache/stats/memory');
    await get('/cache/hot-keys');
    const policy = '/cache/policies?pattern=product:*';
    const set = await ask().put(policy).send({ ttl: '1m', for: '1h' }).expect(200);
    fit('put', '/cache/policies', 200, 'application/json', set.body);
    await get('/cache/policies');
    fit('put', '/cache/policies', 400, 'application/json', (await ask().put(policy).send({ ttl: -1 })).body);
    fit('put', '/cache/policies', 404, 'application/json', (await ask().put(`${policy}*`).send({ ttl: 1 })).body);
    const added = await ask().patch(policy).send({ jitter: 0.1 }).expect(200);
    fit('patch', '/cache/policies', 200, 'application/json', added.body);
    fit('patch', '/cache/policies', 400, 'application/json', (await ask().patch(policy).send({ ttl: -1 })).body);
    fit('patch', '/cache/policies', 404, 'application/json', (await ask().patch(`${policy}*`).send({ ttl: 1 })).body);
    fit('delete', '/cache/policies', 200, 'application/json', (await ask().delete(policy)).body);
    fit('delete', '/cache/policies', 404, 'application/json', (await ask().delete(policy)).body);
    await post('/cache/cpu-profile', 200, { seconds: 0.05 });
    await get('/cache/flamegraph', 200, '?format=speedscope');
    for (const [format, type] of [
      ['folded', 'text/plain'],
      ['svg', 'image/svg+xml'],
    ] as const) {
      const response = await ask().get(`/cache/flamegraph?format=${format}`).expect(200);
      expect(response.headers['content-type']).toMatch(type);
      fit('get', '/cache/flamegraph', 200, type, String(response.text ?? response.body));
    }
    const stream = await EventStream.open(app);
    expect(stream.response.headers['content-type']).toMatch('text/event-stream');
    fit('get', '/cache/events', 200, 'text/event-stream', '');
    await eventually(() => stream.of('tick').length > 0, 'a tick');
    fit('get', '/cache/realtime', 200, 'application/json', stream.of('tick')[0]);
    stream.close();
    await post('/cache/reset-metrics', 200);

    const described = Object.entries(document.paths)
      .filter(([path]) => path.startsWith('/cache'))
      .flatMap(([path, methods]) =>
        (['get', 'post', 'put', 'patch', 'delete'] as const).flatMap((method) =>
          Object.entries(methods[method]?.responses ?? {}).flatMap(([status, answer]) =>
            Object.keys((answer as { content?: object }).content ?? { none: 1 }).map(
              (type) => `${method} ${path} ${status} ${type}`,
            ),
          ),
        ),
      );
    expect(described.filter((answer) => !answer.endsWith('application/json')).toSorted()).toEqual([
      'get /cache/events 200 text/event-stream',
      'get /cache/flamegraph 200 image/svg+xml',
      'get /cache/flamegraph 200 text/plain',
    ]);
    const successes = described.filter((answer) => / 20\d /.test(answer));
    // A plan needs a database.
    seen.add('get /cache/database/plan 200 application/json');
    expect(successes.filter((answer) => !seen.has(answer))).toEqual([]);
    expect(new Set(successes.map((answer) => answer.split(' ')[1])).size).toBeGreaterThanOrEqual(20);
  }, 30_000);
});
