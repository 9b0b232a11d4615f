import 'reflect-metadata';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import KeyvRedis from '@keyv/redis';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { redisStore } from 'cache-manager-redis-yet';
import { Redis } from 'ioredis';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Pool } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import {
  Cached,
  CacheObservabilityModule,
  createObservedCache,
  keyvLayer,
  legacyStoreLayer,
  memoryLayer,
  type MetricsExporter,
  type MetricsSnapshot,
  ObservedCache,
  prometheusText,
  redisLayer,
  type RedisLayerOptions,
  serveMetrics,
} from 'nestjs-cache-observability';
import { CloudWatchExporter } from 'nestjs-cache-observability/cloudwatch';
import { observePool, observeQueries } from 'nestjs-cache-observability/database';
import { CacheMetricProducer } from 'nestjs-cache-observability/otel';
import { StatsdExporter } from 'nestjs-cache-observability/statsd';
import { ManualClock, MemoryCollector } from 'nestjs-cache-observability/testing';
import { boot, closeApps } from '../support/apps.js';
import { PostgresServer } from '../support/postgres.js';
import { eventually, RedisCluster, RedisSentinelSetup, RedisServer } from '../support/redis.js';
import { StatsdServer } from '../support/statsd-server.js';

const environment = { ...process.env };
afterEach(async () => {
  process.env = { ...environment };
  await closeApps();
});

describe('the recipes for Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => (redis = await RedisServer.start()));
  afterAll(() => redis.dispose());

  const shop = () => [
    CacheObservabilityModule.forRoot({
      namespace: 'shop',
      layers: [memoryLayer({ maxEntries: 10_000 }), redisLayer({ url: process.env.REDIS_URL })],
    }),
  ];

  it('the recipes for Redis share entries between instances, and work without Redis', async () => {
    process.env.REDIS_URL = redis.url;
    const one = await boot('express', { imports: shop() });
    await one.app.get(ObservedCache).set('feed:1', { page: 1 });
    await one.close();
    const another = await boot('express', { imports: shop() });
    const cache = another.app.get(ObservedCache);

    expect(await cache.get('feed:1')).toEqual({ page: 1 });
    expect((await (await redis.client()).keys('*')).every((key) => key.startsWith('shop:'))).toBe(true);

    await redis.kill();
    expect(await cache.getOrSet('feed:2', () => 'from the origin')).toBe('from the origin');
    await redis.up();
  });

  it('the recipes for Redis connect with an existing client and by other stores', async () => {
    process.env.REDIS_URL = redis.url;
    const client = new Redis(redis.url);
    const ways = [
      redisLayer({ client }), // yours: node-redis or ioredis; it is left open when the application ends

      keyvLayer(() => new KeyvRedis(process.env.REDIS_URL)), // @keyv/redis, or any other adapter of Keyv 5
      legacyStoreLayer(() => redisStore({ url: process.env.REDIS_URL })), // cache-manager-redis-yet
    ];
    for (const layer of ways) {
      const cache = createObservedCache({ layers: [layer], namespace: layer.name });
      await cache.connect();
      await cache.set('a', 1);
      expect([layer.name, await cache.get('a')]).toEqual([layer.name, 1]);
      await cache.disconnect();
    }
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
  });
});

describe('the recipes for Sentinel and Cluster', () => {
  let sentinel: RedisSentinelSetup;
  let cluster: RedisCluster;
  beforeAll(async () => {
    sentinel = await RedisSentinelSetup.start('mymaster');
    cluster = await RedisCluster.start();
  }, 60_000);
  afterAll(async () => {
    await sentinel?.dispose();
    await cluster?.dispose();
  });

  it('the recipes for Sentinel and Cluster store entries on the current master, and on all nodes', async () => {
    const redisLayer = (options: RedisLayerOptions) => reach(here(options));
    const layers = {
      sentinel: redisLayer({ sentinel: { name: 'mymaster', rootNodes: [{ host: 'sentinel-1', port: 26379 }] } }),
      cluster: redisLayer({ cluster: { rootNodes: [{ url: 'redis://node-1:6379' }] } }),
    };
    for (const [namespace, layer] of Object.entries(layers)) {
      const cache = createObservedCache({ layers: [layer], namespace });
      await cache.connect();
      for (let id = 0; id < 20; id++) await cache.set(`user:${id}`, { id });
      expect([namespace, await cache.get('user:7')]).toEqual([namespace, { id: 7 }]);
      await cache.disconnect();
    }
    expect(await userKeys(sentinel.master)).toBe(20);
    const onNodes = await Promise.all(cluster.nodes.map(userKeys));
    expect(onNodes.every((keys) => keys > 0)).toBe(true);
    expect(onNodes.reduce((all, keys) => all + keys)).toBe(20);
  });

  const reach = redisLayer;
  /** Replaces the recipe's servers by those of this test. */
  const here = (options: RedisLayerOptions): RedisLayerOptions =>
    JSON.parse(
      JSON.stringify(options)
        .replace('"host":"sentinel-1","port":26379', `"host":"127.0.0.1","port":${sentinel.ports[0]}`)
        .replace('redis://node-1:6379', cluster.nodes[0]!.url),
    ) as RedisLayerOptions;

  const userKeys = async (server: RedisServer) => (await (await server.client()).keys('*user:*')).length;
});

it('the recipe for a cache without Nest serves its figures', async () => {
  const id = 42;
  const loadUser = async (user: number) => ({ user });

  const cache = createObservedCache({ layers: [memoryLayer()], ttl: '1m' });
  const user = await cache.getOrSet(`user:${id}`, () => loadUser(id));
  await cache.getOrSet(`user:${id}`, () => loadUser(id));

  expect(user).toEqual({ user: 42 });
  expect(cache.metrics.getPatternStats('user:*').hitRate).toBe(0.5);
  expect(prometheusText(cache.metrics)).toContain('cache_operations_total{operation="get",result="hit"} 1');
  const served = await serveMetrics(cache.metrics, { port: 9464 }); // or on a port of its own
  expect(await (await fetch(served.url)).text()).toContain('cache_hit_rate');
  await served.close();
  await cache.disconnect();
});

describe('the recipe for a pool', () => {
  let server: PostgresServer;
  beforeAll(async () => (server = await PostgresServer.start()), 60_000);
  afterAll(() => server.stop());

  it('the recipe for a pool shows its connections and its slow queries', async () => {
    const { host, port, user, database } = server.connection;
    process.env.DATABASE_URL = `postgres://${user}@${host}:${port}/${database}`;

    @Module({
      providers: [
        {
          provide: Pool,
          useFactory: () => {
            const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
            return observeQueries(observePool(pool, { name: 'main' }), { slowThreshold: '100ms' });
          },
        },
      ],
      exports: [Pool],
    })
    class DatabaseModule {}

    const { app, ask } = await boot('express', {
      imports: [CacheObservabilityModule.forRoot({ prometheus: false }), DatabaseModule],
    });
    const pool = app.get(Pool, { strict: false });
    await pool.query('SELECT pg_sleep(0.2)');
    const { body } = await ask().get('/cache/database').expect(200);
    await pool.end();

    expect(body.pools).toMatchObject([{ pool: 'main', size: 20, acquired: 1 }]);
    expect(body.queries).toMatchObject([{ query_type: 'SELECT', count: 1, slow: 1 }]);
    expect(body.slow_queries).toMatchObject([{ shape: 'SELECT pg_sleep(?)' }]);
  });

  it('the recipe for a DataSource shows the pool and the slow queries of TypeORM', async () => {
    const { host, port, user: username, database } = server.connection;
    const dataSourceFactory = async (options?: DataSourceOptions) => {
      const source = await new DataSource(options!).initialize();
      const { master } = source.driver as unknown as { master: object };
      observePool(master, { name: 'main' });
      return observeQueries(source, { slowThreshold: '100ms' });
    };

    const source = await dataSourceFactory({ type: 'postgres', host, port, username, database, poolSize: 7 });
    const { ask } = await boot('express', { imports: [CacheObservabilityModule.forRoot({ prometheus: false })] });
    await source.query('SELECT pg_sleep(0.2), 1');
    const { body } = await ask().get('/cache/database').expect(200);
    await source.destroy();

    expect(body.pools).toMatchObject([{ pool: 'main', size: 7, acquired: expect.any(Number) }]);
    expect(body.slow_queries).toContainEqual(expect.objectContaining({ shape: 'SELECT pg_sleep(?), ?' }));
  });
});

describe('the recipes for exporters', () => {
  it('the recipes for exporters export to StatsD and to CloudWatch', async () => {
    const server = await StatsdServer.start();
    process.env.STATSD_PORT = String(server.port);
    const output = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    const { app, close } = await boot('express', {
      imports: [
        CacheObservabilityModule.forRoot({
          serviceName: 'shop',
          exporters: [
            new StatsdExporter({ dialect: 'statsd', port: Number(process.env.STATSD_PORT) }),
            new CloudWatchExporter({ dimensions: { environment: 'production' } }),
          ],
        }),
      ],
    });
    await app.get(ObservedCache).getOrSet('user:1', () => 'ann');
    await close();
    const written = output.mock.calls.map(([text]) => String(text)).join('');
    output.mockRestore();

    expect(written).toContain('"Namespace":"shop"');
    expect(written).toContain('"environment":"production"');
    await eventually(() => server.counters.get('cache.operations.get.miss') === 1, 'StatsD receives the miss');
    await server.stop();
  });

  it("the recipes for exporters export through OpenTelemetry's reader", async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);

    const producer = new CacheMetricProducer();
    const reader = new PeriodicExportingMetricReader({ exporter, metricProducers: [producer] });
    const meters = new MeterProvider({ readers: [reader] });
    const { app } = await boot('express', {
      imports: [CacheObservabilityModule.forRoot({ exporters: [producer] })],
    });
    await app.get(ObservedCache).getOrSet('user:1', () => 'ann');
    await meters.forceFlush();

    const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    const names = scopes.flatMap(({ metrics }) => metrics.map(({ descriptor }) => descriptor.name));
    expect(names).toEqual(expect.arrayContaining(['cache.operations', 'cache.operation.duration']));
    await meters.shutdown();
  });

  it('the recipes for exporters export through a custom exporter', async () => {
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);

    class HitRateLog implements MetricsExporter {
      readonly name = 'hit-rate-log';
      readonly intervalMs = 60_000;

      start(): void {}

      export({ families }: MetricsSnapshot): void {
        const rates = families.find(({ name }) => name === 'cache_hit_rate');
        for (const { labels, value } of rates?.points() ?? []) log(`${labels[0]}: ${value}`);
      }

      stop(): void {}
    }

    const { app, close } = await boot('express', {
      imports: [CacheObservabilityModule.forRoot({ exporters: [new HitRateLog()] })],
    });
    for (let time = 0; time < 2; time++) await app.get(ObservedCache).getOrSet('user:1', () => 'ann');
    await close();

    expect(lines).toContain('all: 0.5');
  });
});

it('the recipe for a collector lets a test read the events of the cache', async () => {
  @Injectable()
  class Catalogue {
    @Cached('product:*')
    async product(id: number) {
      return { id };
    }
  }

  const collector = new MemoryCollector();
  const module = await Test.createTestingModule({
    imports: [CacheObservabilityModule.forRoot({ collectors: [collector] })],
    providers: [Catalogue],
  }).compile();
  await module.init();

  await module.get(Catalogue).product(42);
  await module.get(Catalogue).product(42);

  expect(collector.snapshot().chain).toMatchObject({ totalHits: 1, totalMisses: 1 });
  expect(collector.snapshot().layers['memory']).toMatchObject({ sets: 1 });
  await module.close();
});

it('the recipe for time in tests lets an entry expire without waiting', async () => {
  const clock = new ManualClock();
  const cache = createObservedCache({ clock, ttl: '1m' });

  await cache.set('user:42', 'ann');
  await clock.advance(60_001);

  expect(await cache.get('user:42')).toBeUndefined();
  await cache.disconnect();
});

it('the recipe for diagnostics channels receives every access, and no key', async () => {
  const heard: unknown[] = [];
  const note = (message: unknown) => void heard.push(message);

  subscribe('nestjs-cache-observability:access', note);
  const cache = createObservedCache();
  await cache.getOrSet('user:420042004200', () => 'ann');
  unsubscribe('nestjs-cache-observability:access', note);

  expect(heard).toMatchObject([{ pattern: 'user:*', outcome: 'miss', reason: 'cold' }]);
  expect(JSON.stringify(heard)).not.toContain('420042004200');
  await cache.disconnect();
});
