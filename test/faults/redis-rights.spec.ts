import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RedisClientType } from '@redis/client';
import { Redis as IORedis } from 'ioredis';
import { redactedLog } from '../../lib/cache/base/redacted-error.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { eventually, RedisServer } from '../support/redis.js';

let server: RedisServer;
let admin: RedisClientType;
let open: ObservedCache[] = [];
const clients: IORedis[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  admin = await server.client();
});
afterEach(async () => {
  await Promise.all(open.map((cache) => cache.disconnect()));
  open = [];
  for (const client of clients.splice(0)) client.disconnect();
  await admin.flushAll();
});
afterAll(() => server.dispose());

const permit = (...rules: string[]) =>
  admin.sendCommand(['ACL', 'SETUSER', 'app', 'reset', 'on', '>secret', '~shop:*', '&shop:*', '+@all', ...rules]);

/** A process and its log: level and code of each line, and its text. */
async function process(
  user = 'app:secret@',
  connection: (url: string) => { url: string } | { client: IORedis } = (url) => ({ url }),
): Promise<{ cache: ObservedCache; codes: string[]; lines: string[] }> {
  const codes: string[] = [];
  const lines: string[] = [];
  const cache = createObservedCache({
    namespace: 'shop',
    layers: [memoryLayer(), redisLayer({ ...connection(`redis://${user}127.0.0.1:${server.port}`), deadline: 2_000 })],
    log: redactedLog((level, code, message, details) => {
      codes.push(`${level} ${code}`);
      lines.push(`${code} ${message} ${String(details?.cause ?? '')}`);
    }),
  });
  await cache.connect();
  open.push(cache);
  return { cache, codes, lines };
}

/** A client of the application, which the cache does not close. */
function clientOf(url: string): IORedis {
  const client = new IORedis(url);
  clients.push(client);
  return client;
}

const warnings = (cache: ObservedCache) => cache.metrics.getHealth().warnings.map(({ code }) => code);

describe('a Redis user without all rights to remove', () => {
  const KEYS = ['a', 'b', 'c'];
  const old = (cache: ObservedCache) => cache.mset(KEYS.map((key) => ({ key, value: 'old' })));
  /** The values that a new process finds. */
  const found = async () => (await process('')).cache.mget(KEYS);

  it.each([
    ['DEL', ['-del']],
    ['UNLINK', ['-unlink']],
    ['DEL and UNLINK', ['-del', '-unlink']],
    ['DEL, UNLINK and PEXPIRE', ['-del', '-unlink', '-pexpire']],
  ])('keys are removed from Redis without %s', async (_, rights) => {
    await permit(...rights);
    const { cache, codes } = await process();
    await old(cache);
    expect(await cache.del('a')).toBe(true);
    expect(await found()).toEqual([undefined, 'old', 'old']);
    expect(await cache.mdel(['b', 'missing'])).toBe(true);
    expect(await found()).toEqual([undefined, undefined, 'old']);
    expect(await cache.getOrSet('a', () => 'new')).toBe('new');
    await eventually(async () => (await found())[0] === 'new', 'the new value is stored');
    expect([warnings(cache), codes.filter((line) => line.startsWith('warn'))]).toEqual([[], []]);
  });

  it.each([
    ['DEL', ['-del']],
    ['UNLINK', ['-unlink']],
    ['DEL and UNLINK', ['-del', '-unlink']],
  ])('entries invalidated by a glob or clear() are swept without %s', async (_, rights) => {
    await permit(...rights);
    const { cache, codes } = await process();
    await old(cache);
    await cache.deleteByPattern('a*');
    expect(await found()).toEqual([undefined, 'old', 'old']);
    await cache.clear();
    expect(await found()).toEqual([undefined, undefined, undefined]);
    expect(await admin.exists(KEYS.map((key) => `shop:${key}`))).toBe(0);
    expect([warnings(cache), codes.filter((line) => line.startsWith('warn'))]).toEqual([[], []]);
  });

  it('a lock is released without DEL and UNLINK', async () => {
    await permit('-del', '-unlink');
    const { cache } = await process();
    const layer = cache.layers.find(({ coordination }) => coordination !== undefined)!;
    const lease = await layer.coordination!.acquire('load', 60_000);
    await lease!.release();
    expect(await layer.coordination!.acquire('load', 60_000)).toBeDefined();
  });
});

describe('a Redis user without one needed right', () => {
  const named = (command: string) => `does not permit the user to run ${command} (NOPERM)`;

  it.each([
    ['INFO', ['-info'], 'NO_SERVER_FIGURES', named('INFO')],
    ['CLIENT', ['-client'], undefined, ''],
    ['SCAN', ['-scan'], 'SWEEP_PENDING', named('SCAN')],
    ['PUBLISH', ['-publish'], 'BUS_NOT_SENT', named('PUBLISH')],
    ['SUBSCRIBE', ['-subscribe'], 'BUS_UNREACHABLE', named('SUBSCRIBE')],
    ['EVAL', ['-eval', '-evalsha', '-script'], 'LAYER_LOST', named('EVALSHA')],
    ['any right to write', ['-@write'], 'LAYER_LOST', 'does not permit the user to run'],
    ['any right but to read', ['-@all', '+@read', '+@connection'], 'LAYER_LOST', 'does not permit the user to run'],
  ])('the cache serves right values without %s, and logs the missing right once', async (_, rights, code, text) => {
    await permit(...rights);
    const { cache, codes, lines } = await process();
    const other = await process('');
    expect(await cache.getOrSet('a:1', () => 'old')).toBe('old');
    expect(await cache.del('a:1')).toBe(true);
    expect(await cache.getOrSet('a:1', () => 'new')).toBe('new');
    await cache.deleteByPattern('a:*');
    expect(await cache.get('a:1')).toBeUndefined();
    await cache.set('a:1', 'newer');
    expect(await cache.get('a:1')).toBe('newer');
    expect([undefined, 'newer']).toContain(await other.cache.get('a:1'));
    const layer = cache.layers[1]!;
    for (let turn = 0; turn < 12; turn++) await layer.serverInfo!().catch(() => undefined);
    const logged = lines.filter((line) => line.startsWith(`${code} `));
    expect(logged).toEqual(code === undefined ? [] : [expect.stringContaining(text)]);
    expect(logged.join()).not.toContain('secret');
    // Nothing is logged twice, and a missing right that the cache can do without opens no circuit.
    expect(new Set(codes).size).toBe(codes.length);
    if (code !== 'LAYER_LOST') expect(codes).toEqual(code === undefined ? [] : [`warn ${code}`]);
  });

  it('the log says that other processes are not notified of changed policies without PUBLISH', async () => {
    await permit('-publish');
    const { cache, lines } = await process();
    await cache.tuning.override('a:*', { ttl: '1m' });
    const ofTheBus = () => lines.filter((line) => line.startsWith('BUS_'));
    await eventually(() => ofTheBus().length > 0, 'the line');
    expect(ofTheBus()).toEqual([
      expect.stringMatching(
        /^BUS_NOT_SENT The other processes could not be notified that policies were changed: .*NOPERM/,
      ),
    ]);
  });
});

describe('health with a Redis user that lacks a right', () => {
  it.each([
    ['INVALIDATIONS_PENDING', '-zadd', '+zadd', (cache: ObservedCache) => cache.invalidateTags('red')],
    ['INVALIDATIONS_PENDING', '-@write', '+@write', (cache: ObservedCache) => cache.del('a')],
    ['BUS_NOT_SENT', '-publish', '+publish', (cache: ObservedCache) => cache.del('a')],
    ['BUS_UNREACHABLE', '-subscribe', '+subscribe', () => undefined],
  ])('health has the warning %s with %s until the right is granted: %s', async (code, without, right, invalidate) => {
    await permit(...(code === 'BUS_UNREACHABLE' ? [without] : []));
    const { cache } = await process();
    await process('');
    await admin.sendCommand(['ACL', 'SETUSER', 'app', without]);
    await Promise.resolve(invalidate(cache)).catch(() => undefined);
    expect(cache.metrics.getHealth()).toMatchObject({ status: 'warning', warnings: [{ code, layer: 'redis' }] });
    await admin.sendCommand(['ACL', 'SETUSER', 'app', right]);
    await eventually(() => warnings(cache).length === 0, 'the warning ends');
    expect(cache.metrics.getHealth().status).toBe('healthy');
  });
  it.each([
    ['url', (url: string) => ({ url })],
    ['client of ioredis', (url: string) => ({ client: clientOf(url) })],
  ])('health has the warning BUS_UNREACHABLE while the channel is withdrawn, with a %s', async (_, connection) => {
    await permit();
    const { cache } = await process('app:secret@', connection);
    expect(warnings(cache)).toEqual([]);
    await admin.sendCommand(['ACL', 'SETUSER', 'app', 'resetchannels']);
    await eventually(() => warnings(cache).includes('BUS_UNREACHABLE'), 'the warning appears');
    await admin.sendCommand(['ACL', 'SETUSER', 'app', '&shop:*']);
    await eventually(() => warnings(cache).length === 0, 'the warning ends');
  });
});
