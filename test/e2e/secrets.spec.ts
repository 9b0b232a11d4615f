import type { Channel } from 'node:diagnostics_channel';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PGlite } from '@electric-sql/pglite';
import {
  Body,
  Controller,
  Get,
  Headers,
  Inject,
  Injectable,
  type INestApplication,
  type LoggerService,
  Param,
  Post,
  Query,
} from '@nestjs/common';
import * as api from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Redis, type RedisOptions } from 'ioredis';
import { register } from 'prom-client';
import { observeQueries } from '../../lib/database/index.js';
import { CloudWatchExporter } from '../../lib/exporters/cloudwatch/index.js';
import { StatsdExporter } from '../../lib/exporters/statsd/index.js';
import {
  Cached,
  CacheInvalidate,
  CacheObservabilityModule,
  createObservedCache,
  type LayerFactory,
  memoryLayer,
  ObservedCache,
  redisLayer,
  WarmingStrategy,
} from '../../lib/index.js';
import { MemoryCollector } from '../../lib/testing/index.js';
import { cacheChannels } from '../../lib/tracing/channels.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';
import { EventStream } from '../support/event-stream.js';
import { eventually, freePort, RedisServer } from '../support/redis.js';

/** Text that no output may contain, one for each place with a secret. */
const secret = (place: string): string => `planted-${place}-9f8e7d6c5b4a39281706`;
/** A personal name: its characters do not show that it is one. */
const NAME = 'zebrafinch-secret';
const PLANTED = /9f8e7d6c5b4a39281706|zebrafinch/;

@Injectable()
class Accounts {
  @Cached('account:*')
  find(email: string, filter: object): Promise<object> {
    return Promise.resolve({ email, filter, balance: secret('method-value') });
  }

  @Cached('ledger:{0}')
  async ledger(id: string): Promise<string> {
    await pause(1);
    throw Object.assign(new Error(`no ledger ${id}: ${secret('method-error')}`), { code: 'ENOLEDGER' });
  }

  @CacheInvalidate({ keys: ['ledger:{0}'], tags: ['owner:{0}'] })
  close(id: string): Promise<string> {
    return Promise.resolve(id);
  }
}

@Controller('shop')
class ShopController {
  constructor(@Inject(Accounts) private readonly accounts: Accounts) {}

  @Get('search')
  @Cached('search:*', { ttl: '1m' })
  search(@Query('q') q: string): object {
    return { q, value: secret('value') };
  }

  @Get('products/:id')
  @Cached('product:{params.id}', { ttl: '1m' })
  product(@Param('id') id: string): object {
    return { id };
  }

  @Get('cart')
  @Cached('cart:*', { vary: ['headers.authorization', 'headers.x-tenant'] })
  cart(@Headers('x-tenant') tenant: string): object {
    return { tenant };
  }

  @Get('broken')
  @Cached('broken:*')
  broken(@Query('q') q: string): object {
    throw new Error(`cannot answer ${q}: ${secret('handler-error')}`);
  }

  @Post('accounts')
  account(@Body() { email }: { email: string }): Promise<object> {
    return this.accounts.find(email, { since: secret('argument') });
  }
}

@Injectable()
@WarmingStrategy({ name: 'failing-origin' })
class FailingOrigin {
  *entries() {
    yield { key: `warm:${secret('warm-key')}`, value: secret('warm-value'), tags: [secret('warm-tag')] };
    yield {
      key: `warm:${secret('other-warm-key')}`,
      load: () => Promise.reject(new Error(`SELECT '${secret('warm-sql')}' failed`)),
    };
    throw new Error(secret('warm-strategy-error'));
  }
}

/** Records every log line of every level, as a console shows it. */
class Listening implements LoggerService {
  readonly lines: string[] = [];
  readonly log = (...said: unknown[]): void => {
    // Nest logs the errors of handlers; they belong to the application.
    if (!said.includes('ExceptionsHandler')) this.lines.push(inspect(said, { depth: null }));
  };
  readonly error = this.log;
  readonly warn = this.log;
  readonly debug = this.log;
  readonly verbose = this.log;
  readonly fatal = this.log;
}

// Use these channel objects: earlier suites in this process had channels of the same names.
const channels = Object.values(cacheChannels()) as Channel[];
const published: unknown[] = [];
const onMessage = (message: unknown): void => void published.push(message);
const spans = new InMemorySpanExporter();

let redis: RedisServer;
let database: PGlite;

beforeAll(async () => {
  register.clear();
  for (const channel of channels) channel.subscribe(onMessage);
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  api.trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
  redis = await RedisServer.start({ requirepass: secret('redis-password') });
  database = observeQueries(new PGlite(), { slowThreshold: 0 });
}, 60_000);

afterAll(async () => {
  for (const channel of channels) channel.unsubscribe(onMessage);
  api.trace.disable();
  api.context.disable();
  await database.close();
  await redis.dispose();
});

afterEach(async () => {
  await closeApps();
  register.clear();
});

const urlOf = (port: number): string => `redis://default:${secret('redis-password')}@127.0.0.1:${port}`;

describe.each<Platform>([...platforms])('secrets on %s', (platform) => {
  it('secrets in keys, values, requests, statements, credentials or errors appear in no output', async () => {
    const logger = new Listening();
    const collector = new MemoryCollector();
    const statsd: unknown[] = [];
    const emf: string[] = [];
    const record = (...call: unknown[]): void => void statsd.push(call);
    const { app } = await boot(
      platform,
      {
        imports: [
          CacheObservabilityModule.forRoot({
            layers: [
              memoryLayer(),
              redisLayer({ url: urlOf(redis.port), writes: 'behind' }),
              redisLayer({ name: 'lost', url: urlOf(await freePort()) }),
            ],
            collectors: [collector],
            exporters: [
              new StatsdExporter({ client: { increment: record, gauge: record }, interval: 100 }),
              new CloudWatchExporter({ write: (event) => emf.push(event), interval: 100 }),
            ],
            tracing: { withoutParent: true },
            profiling: { every: 1 },
            fleet: { every: 1000 },
            health: { minHitRate: 0.99, minimumRequests: 1, patterns: { 'search:*': { hitRate: 0.99 } } },
          }),
        ],
        controllers: [ShopController],
        providers: [Accounts, FailingOrigin],
      },
      { logger },
    );
    await app.listen(0, '127.0.0.1');
    const base = (await app.getUrl()).replace('[::1]', '127.0.0.1');
    const stream = await EventStream.open(app);
    const streamed: string[] = [];
    stream.response.on('data', (chunk: string) => streamed.push(chunk));

    await use(app, base);

    const outputs = new Map<string, string>();
    const read = async (path: string, init: RequestInit = {}): Promise<void> => {
      const response = await fetch(`${base}${path}`, init);
      const headers = JSON.stringify([...response.headers]);
      const name = `${init.method ?? 'GET'} ${path} ${JSON.stringify(init.headers ?? {})} ${String(init.body ?? '')}`;
      // Each output has a unique name, so that none hides another from the search.
      expect([...outputs.keys()]).not.toContain(name);
      outputs.set(name, headers + (await response.text()));
    };
    const json = { 'content-type': 'application/json' };
    const post = (path: string, body: unknown): Promise<void> =>
      read(path, { method: 'POST', headers: json, body: JSON.stringify(body) });
    const output = (start: string): string => [...outputs].find(([name]) => name.startsWith(start))?.[1] ?? '';
    await post('/cache/warm', { strategies: ['failing-origin'] });
    await post('/cache/warm', { strategies: ['unknown-strategy'] });
    await post('/cache/invalidate', {
      keys: [`user:${secret('invalidated-key')}`],
      patterns: [`user:${secret('glob')}*`],
      tags: [secret('invalidated-tag')],
    });
    for (const path of [
      'health', 'stats', 'stats/patterns', 'stats/endpoints', 'stats/layers', 'stats/operations', 'stats/top-patterns',
      'stats/low-performers?threshold=1', 'hit-rate', 'realtime', 'info', 'database', 'flamegraph', 'flamegraph?format=svg',
      'flamegraph?format=speedscope', 'stats/patterns?scope=fleet', 'warm/unknown',
    ]) {
      await read(`/cache/${path}`);
    } // prettier-ignore
    await read('/metrics');
    await read('/metrics', { headers: { accept: 'application/openmetrics-text' } });
    await read(`/shop/broken?q=${secret('query-of-error')}`);
    await eventually(() => statsd.length > 0 && emf.length > 0, 'an export');
    await eventually(() => stream.of('invalidation').length > 0 && stream.of('warming').length > 0, 'events');
    stream.close();
    await app.close();

    outputs.set('logs', logger.lines.join('\n'));
    outputs.set('spans', inspect(spans.getFinishedSpans(), { depth: 12 }));
    outputs.set('channels', inspect(published, { depth: null }));
    outputs.set('StatsD', inspect(statsd, { depth: null }));
    outputs.set('CloudWatch', emf.join('\n'));
    outputs.set('events', streamed.join(''));
    outputs.set('collector', inspect(collector.snapshot(), { depth: null }));

    // Each output must have content, or the search proves nothing.
    expect([...outputs].filter(([, text]) => text.length < 40).map(([name]) => name)).toEqual([]);
    expect(outputs.get('logs')).toMatch(/ORIGIN_FAILED/);
    expect(output('GET /cache/database ')).toMatch(/"shape":"[^"]*secrets/);
    // The searched report contains the failures of the strategy and its entries.
    expect(output(`POST /cache/warm ${JSON.stringify(json)} {"strategies":["failing-origin"]}`)).toMatch(
      /"code":"WARMING_STRATEGY_FAILED".*"code":"WARMING_LOAD_FAILED"/,
    );
    expect(outputs.get('spans')).toMatch(/cache\.load/);
    for (const [name, text] of outputs) {
      const at = text.search(PLANTED);
      expect([name, at === -1 ? '' : text.slice(Math.max(0, at - 200), at + 40)]).toEqual([name, '']);
    }
  }, 60_000);
});

/** Uses the application in every way that could leak a secret to an output. */
async function use(app: INestApplication, base: string): Promise<void> {
  const cache = app.get(ObservedCache);
  const accounts = app.get(Accounts);
  const ask = (path: string, headers: Record<string, string> = {}) => fetch(`${base}${path}`, { headers });
  for (let again = 0; again < 2; again++) {
    await ask(`/shop/search?q=${secret('query')}&utm=${secret('undeclared')}`);
    await ask(`/shop/products/${secret('path')}`);
    await ask('/shop/cart', {
      authorization: `Bearer ${secret('authorization')}`,
      'x-tenant': secret('header'),
      cookie: `sid=${secret('cookie')}`,
    });
    await ask(`/shop/broken?q=${secret('query-of-error')}`);
    await fetch(`${base}/shop/accounts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: `${secret('body')}@shop.test` }),
    });
    await accounts.ledger(secret('argument-of-error')).catch(() => undefined);
    await accounts.close(secret('closed'));
  }
  // Words that look like the structure of keys.
  for (const named of [`user:${NAME}`, `session/${NAME}/cart`, `token:7:${NAME}`, NAME, `shop:${NAME}:1?${NAME}=2`]) {
    await cache.getOrSet(named, () => 1);
    await cache.get(named);
    await cache.del(named);
    cache.metrics.record({ operation: 'get', key: named, result: 'miss', responseTimeMs: 1 });
  }
  await cache.deleteByPattern(`user:${NAME}:*`);
  const key = `session:${secret('key')}`;
  await cache.set(key, secret('set-value'));
  await cache.get(key);
  await cache.has(`session:${secret('absent')}`);
  await cache.mget([key, `user/${secret('mget-key')}`]);
  await cache.getOrSet(key, () => secret('loaded'), { tags: [secret('tag')], ttl: 20, staleIfError: '1m' });
  const failing = { ttl: 20, staleIfError: '1m' } as const;
  await cache.getOrSet(`stale:${secret('stale-key')}`, () => secret('stale-value'), failing);
  await pause(40);
  await cache.getOrSet(
    `stale:${secret('stale-key')}`,
    () => Promise.reject(new Error(`password authentication failed for ${secret('origin-error')}`)),
    failing,
  );
  await cache
    .getOrSet(`lost:${secret('lost-key')}`, () => Promise.reject(new Error(secret('load-error'))))
    .catch(() => undefined);
  await cache.set(`odd:${secret('odd-key')}`, { [secret('odd-field')]: () => undefined }).catch(() => undefined);
  await cache
    .getOrSet(`odd:${secret('odd-key')}`, () => ({ [secret('odd-field')]: () => undefined }))
    .catch(() => undefined);
  await cache.set(`${secret('long-key')}${'x'.repeat(70_000)}`, 1).catch(() => undefined);
  await cache.del(key);
  await cache.deleteByPattern(`user:${secret('glob')}*`);
  await cache.invalidateTags(secret('tag'));
  cache.on('set', () => {
    throw new Error(secret('listener-error'));
  });
  await cache.set(key, 1);
  cache.metrics.record({ operation: 'get', key: `ext:${secret('recorded')}`, result: 'hit', responseTimeMs: 1 });
  await database.exec('CREATE TABLE IF NOT EXISTS secrets (name text)');
  await database.query(`SELECT name FROM secrets WHERE name = '${secret('sql-literal')}'`);
  await database.query('SELECT name FROM secrets WHERE name = $1', [secret('sql-parameter')]);
  await database.query(`SELECT $q$${secret('dollar-quoted')}$q$, E'${secret('escaped')}' FROM secrets`);
  await database.query(`SELECT '${secret('sql-error')}' FROM nowhere`).catch(() => undefined);
  // A second application, with a wrong password for its Redis.
  const refused = await boot(
    'express',
    {
      imports: [
        CacheObservabilityModule.forRoot({
          layers: [redisLayer({ url: `redis://default:${secret('wrong-password')}@127.0.0.1:${redis.port}` })],
          prometheus: false,
        }),
      ],
    },
    { logger: new Listening() },
  );
  await refused.app.get(ObservedCache).set('a', 1);
  await refused.close();
}

/** Layers that fail with a secret in the error, each in a different way. */
const failingLayers: Record<string, () => LayerFactory | Promise<LayerFactory>> = {
  'an invalid URL': () => redisLayer({ url: `redis://default:${secret('url')}@127.0.0.1:port` }),
  'a URL without a scheme': () => redisLayer({ url: `default:${secret('url')}@127.0.0.1:6379` }),
  'an unreachable server': async () =>
    redisLayer({ url: `redis://default:${secret('url')}@127.0.0.1:${await freePort()}`, deadline: 100 }),
  'a wrong password': () => redisLayer({ url: `redis://default:${secret('url')}@127.0.0.1:${redis.port}` }),
  'an own client with a wrong password': () => {
    const client = ownClient({ port: redis.port, password: secret('client'), maxRetriesPerRequest: 0 });
    return redisLayer({ client });
  },
  'an own client whose commands fail': () => {
    const client = ownClient({ port: redis.port, password: secret('redis-password') });
    Object.defineProperty(client, 'sendCommand', {
      value: (command: { promise: Promise<unknown>; reject(error: Error): void }) => {
        command.reject(Object.assign(new Error(secret('reply')), { command, args: [secret('argument')] }));
        return command.promise;
      },
    });
    return redisLayer({ client });
  },
};
const clients: Redis[] = [];

/** A client that is closed after its test, with its duplicates. */
function ownClient(options: RedisOptions): Redis {
  const client = new Redis({ ...options, disconnectTimeout: 1 });
  clients.push(client);
  client.duplicate = (override) => ownClient({ ...options, ...override });
  client.on('error', () => undefined);
  return client;
}

describe.each(Object.keys(failingLayers))('credentials with %s', (kind) => {
  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect();
  });

  it.each([true, false])('credentials appear neither in the log nor in an error, required: %s', async (required) => {
    const seen: unknown[] = [];
    const logger = new Listening();
    try {
      const layer = { ...(await failingLayers[kind]!()), required };
      const cache = createObservedCache({ layers: [layer], log: (...line) => seen.push(line) });
      await cache.connect().catch((error: unknown) => seen.push(error));
      await cache.set(`user:${secret('key')}`, secret('value')).catch((error: unknown) => seen.push(error));
      await cache.disconnect();
      if (required) return;
      const module = CacheObservabilityModule.forRoot({ layers: [layer], prometheus: false, monitoring: false });
      const { app, close } = await boot('express', { imports: [module] }, { logger });
      await app.get(ObservedCache).get(`user:${secret('key')}`);
      await close();
    } catch (error) {
      seen.push(error);
    } finally {
      const text = inspect(seen, { depth: null, showHidden: true }) + logger.lines.join('\n');
      expect(text).toMatch(/LAYER_|INVALID_/);
      expect(text.match(PLANTED)).toBeNull();
    }
  });
});
