import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Layer } from '../../lib/cache/layers/layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import type { RedisLayerOptions } from '../../lib/cache/layers/redis/redis-options.js';
import { CircuitState } from '../../lib/cache/base/observer.js';
import { entryOf } from '../support/entries.js';
import { layerContext, recordEvents, type RecordedEvents } from '../support/layer-context.js';
import { eventually, freePort, RedisServer } from '../support/redis.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { beforeTimer } from '../support/before-timer.js';
import { LoadTicket } from '../../lib/cache/layers/load-ticket.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serverWith(config: Record<string, string> = {}, port?: number): Promise<RedisServer> {
  const server = await RedisServer.start(config, port);
  closing.push(() => server.dispose());
  return server;
}

function layerOver(options: RedisLayerOptions, recorded: RecordedEvents = recordEvents(), prefix = 'cache'): Layer {
  const layer = redisLayer({ deadline: 500, ...options }).create(layerContext(prefix, { events: recorded.events }));
  closing.push(() => layer.disconnect());
  return layer;
}

const codeOf = (operation: unknown) =>
  Promise.resolve(operation).then(
    () => 'fulfilled',
    (error: { code?: string }) => error.code ?? String(error),
  );

/** Reads until the layer refuses reads. */
const untilOpen = (layer: Layer) =>
  eventually(async () => {
    await codeOf(layer.get('k'));
    return layer.status().circuitState === CircuitState.open;
  }, 'the circuit opens');

const untilServing = (layer: Layer) =>
  eventually(
    async () => layer.status().circuitState === CircuitState.closed && (await codeOf(layer.get('k'))) === 'fulfilled',
    'the layer serves again',
    5_000,
  );

describe('a silent server', () => {
  it('a layer gives up a silent server after the connect timeout, and connects again', async () => {
    let attempts = 0;
    const silent = net.createServer((socket) => {
      attempts++;
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    closing.push(() => silent.close());
    const { port } = silent.address() as net.AddressInfo;
    const layer = layerOver({ url: `redis://127.0.0.1:${port}`, connection: { connectTimeout: 50 } });
    expect(await codeOf(layer.get('k'))).toBe('LAYER_UNAVAILABLE');
    // With the default of one second a connection would be attempted every two seconds, with pauses between.
    await eventually(() => attempts >= 4, 'the layer tries to connect again', 6_000);
  });
});

describe('a server that is down at boot', () => {
  it('a layer whose server is down at boot rejects connect() and every operation at once, and is used as soon as the server is up', async () => {
    const port = await freePort();
    const recorded = recordEvents();
    const layer = layerOver({ url: `redis://127.0.0.1:${port}` }, recorded);
    expect(await codeOf(layer.connect?.())).toBe('LAYER_UNAVAILABLE');
    expect(await beforeTimer(400, codeOf(layer.get('k')))).toBe('LAYER_UNAVAILABLE');
    await serverWith({}, port);
    await untilServing(layer);
    await layer.set('k', entryOf('v'));
    expect((await layer.get('k'))?.value).toBe('v');
    expect(recorded.logs.map(({ code }) => code).filter((code) => code.startsWith('LAYER_'))).toEqual([
      'LAYER_LOST',
      'LAYER_RESTORED',
    ]);
  });
});

describe('a server that dies', () => {
  it('a layer whose server dies fails fast, opens the circuit, logs it once, and serves again within five seconds', async () => {
    const server = await serverWith();
    const recorded = recordEvents();
    const layer = layerOver({ url: server.url }, recorded);
    await layer.set('k', entryOf('v'));
    await server.kill();
    await untilOpen(layer);
    expect(await codeOf(layer.get('k'))).toBe('CIRCUIT_OPEN');
    await server.up();
    await untilServing(layer);
    await layer.set('k', entryOf('new'));
    expect((await layer.get('k'))?.value).toBe('new');
    expect(recorded.circuit).toContain(CircuitState.halfOpen);
    expect(recorded.circuit.at(-1)).toBe(CircuitState.closed);
    expect(recorded.logs.filter(({ code }) => code === 'LAYER_LOST')).toHaveLength(1);
    expect(recorded.logs.filter(({ code }) => code === 'LAYER_RESTORED')).toHaveLength(1);
  });

  it('a layer restores nothing that was invalidated during an outage', async () => {
    const server = await serverWith();
    const proxy = await TcpProxy.start(server.port);
    closing.push(() => proxy.dispose());
    const layer = layerOver({ url: proxy.url });
    await layer.setMany([
      ['deleted', entryOf(1)],
      ['tagged', entryOf(2, { tags: ['red'] })],
      ['glob:1', entryOf(3)],
      ['kept', entryOf(4)],
    ]);
    proxy.refusing = true;
    proxy.cut();
    await untilOpen(layer);
    await codeOf(layer.delete('deleted'));
    await codeOf(layer.invalidateTags(['red']));
    await codeOf(layer.deleteByPattern('glob:*'));
    proxy.refusing = false;
    await untilServing(layer);
    const read = await layer.getMany(['deleted', 'tagged', 'glob:1', 'kept']);
    expect(read.map((entry) => entry?.value)).toEqual([undefined, undefined, undefined, 4]);
    const other = layerOver({ url: server.url });
    await eventually(
      async () => (await other.getMany(['deleted', 'tagged', 'glob:1'])).every((entry) => entry === undefined),
      'the server has the invalidations too',
    );
  });

  it('after an outage the server receives the last queued value per key, unless the key was deleted', async () => {
    const server = await serverWith();
    const recorded = recordEvents();
    const layer = layerOver({ url: server.url, writes: 'behind' }, recorded);
    await layer.connect?.();
    await server.kill();
    await untilOpen(layer);
    for (let turn = 0; turn < 3; turn++) await layer.set('k', entryOf(turn));
    await layer.set('gone', entryOf('x'));
    await layer.set('short', entryOf('x', { ttl: 50 }));
    await codeOf(layer.delete('gone'));
    await codeOf(layer.delete('again'));
    await layer.set('again', entryOf('after its deletion'));
    expect((await layer.get('k'))?.value).toBe(2);
    await server.up();
    await eventually(() => layer.status().queueDepth === 0, 'the queue is written');
    const other = layerOver({ url: server.url });
    const read = await other.getMany(['k', 'gone', 'short', 'again']);
    expect(read.map((entry) => entry?.value)).toEqual([2, undefined, undefined, 'after its deletion']);
    expect(recorded.dropped).toBe(0);
  });
});

describe('a server that is frozen', () => {
  it('a layer whose server is frozen returns or fails within the deadline, and serves again within five seconds after the server resumes', async () => {
    const server = await serverWith();
    const layer = layerOver({ url: server.url });
    await layer.set('k', entryOf('v'));
    server.freeze();
    expect(await beforeTimer(1_500, codeOf(layer.get('k')))).toBe('LAYER_TIMEOUT');
    await untilOpen(layer);
    await codeOf(layer.delete('k'));
    server.resume();
    await untilServing(layer);
    expect(await layer.get('k')).toBeUndefined();
  });

  it('a set that timed out removes the old value and is not applied later', async () => {
    const server = await serverWith();
    const layer = layerOver({ url: server.url });
    await layer.set('k', entryOf('old'));
    server.freeze();
    expect(await codeOf(layer.set('k', entryOf('late')))).toBe('LAYER_TIMEOUT');
    await new Promise((resolve) => setTimeout(resolve, 700));
    server.resume();
    await untilServing(layer);
    const client = await server.client();
    await eventually(
      async () => (await client.exists('cache:k')) === 0,
      'neither the old nor the late value is stored',
    );
  });
});

describe('a reset connection', () => {
  it('a reset connection fails only its read', async () => {
    const server = await serverWith();
    const proxy = await TcpProxy.start(server.port);
    closing.push(() => proxy.dispose());
    const layer = layerOver({ url: proxy.url });
    await layer.set('k', entryOf('x'.repeat(5_000)));
    proxy.cutReplyAfter = 1_000;
    expect(await codeOf(layer.get('k'))).not.toBe('fulfilled');
    await untilServing(layer);
    expect((await layer.get('k'))?.value).toBe('x'.repeat(5_000));
  });
});

describe('a server that is emptied', () => {
  it('an emptied server refuses a load that began before, because a deletion may have been lost', async () => {
    const server = await serverWith();
    const layer = layerOver({ url: server.url });
    const ticket = new LoadTicket();
    await layer.get('k', ticket);
    await (await server.client()).flushAll();
    await layer.set('k', entryOf('from before'), ticket);
    expect(await layer.get('k')).toBeUndefined();
    const next = new LoadTicket();
    await layer.get('k', next);
    await layer.set('k', entryOf('from after'), next);
    expect((await layer.get('k'))?.value).toBe('from after');
  });
});

describe('a server that is full', () => {
  it('a full server reads and deletes as before, refuses writes, and its circuit stays closed', async () => {
    const server = await serverWith({ 'maxmemory-policy': 'noeviction' });
    const recorded = recordEvents();
    const layer = layerOver({ url: server.url }, recorded);
    await layer.set('k', entryOf('v'));
    await (await server.client()).configSet('maxmemory', '1mb');
    let refused = 0;
    for (let index = 0; index < 20; index++) {
      if ((await codeOf(layer.set(`n:${index}`, entryOf('x'.repeat(1_000))))) !== 'fulfilled') refused++;
    }
    expect(refused).toBe(20);
    expect((await layer.get('k'))?.value).toBe('v');
    expect(await layer.delete('k')).toBe(true);
    expect(await layer.get('k')).toBeUndefined();
    expect(recorded.circuit).toEqual([]);
  });

  it('a full server frees memory by glob, and refuses loads that were invalidated meanwhile', async () => {
    const server = await serverWith({ 'maxmemory-policy': 'noeviction' });
    const layer = layerOver({ url: server.url });
    const other = layerOver({ url: server.url });
    await layer.setMany([
      ['glob:1', entryOf(1)],
      ['tagged', entryOf(2, { tags: ['red'] })],
    ]);
    const ticket = new LoadTicket();
    await other.get('glob:2', ticket);
    const admin = await server.client();
    await admin.configSet('maxmemory', '1mb');
    await codeOf(layer.deleteByPattern('glob:*'));
    await codeOf(layer.invalidateTags(['red']));
    expect(await admin.exists('cache:glob:1')).toBe(0);
    expect(await layer.get('tagged')).toBeUndefined();
    await admin.configSet('maxmemory', '0');
    await eventually(async () => (await other.get('tagged')) === undefined, 'the tag is noted');
    await other.set('glob:2', entryOf('old'), ticket);
    expect(await other.get('glob:2')).toBeUndefined();
  });
});

describe('values of other programs', () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await serverWith();
  });

  it('values of other programs are misses, logged once, and replaced', async () => {
    const recorded = recordEvents();
    const layer = layerOver({ url: server.url }, recorded);
    const client = await server.client();
    await client.set('cache:text', '{"value":"theirs"}');
    await client.set('cache:empty', '');
    await client.lPush('cache:list', 'theirs');
    const read = await layer.getMany(['text', 'empty', 'list']);
    expect(read).toEqual([undefined, undefined, undefined]);
    expect(recorded.logs.filter(({ code }) => code === 'UNDECODABLE_VALUE')).toHaveLength(1);
    await layer.set('text', entryOf('ours'), new LoadTicket());
    await layer.set('list', entryOf('ours'));
    expect((await layer.getMany(['text', 'list'])).map((entry) => entry?.value)).toEqual(['ours', 'ours']);
  });

  it('clear() removes no key outside its namespace, even if the namespace contains `*`', async () => {
    const layer = layerOver({ url: server.url }, recordEvents(), 'ca*he');
    const client = await server.client();
    await client.set('other', '1');
    await client.set('cache:k', '1');
    await layer.set('k', entryOf(1));
    await layer.clear();
    expect(await client.exists('ca*he:k')).toBe(0);
    expect(await client.exists(['other', 'cache:k'])).toBe(2);
  });
});

describe('keys and values in Redis', () => {
  it('Redis stores an entry under namespace:key, with a TTL in whole milliseconds, and readable as JSON', async () => {
    const server = await serverWith();
    const layer = layerOver({ url: server.url });
    await layer.set('product:1', entryOf({ name: 'teapot' }, { ttl: 61_234.56 }));
    const client = await server.client();
    expect(await client.get('cache:product:1')).toContain('{"name":"teapot"}');
    const ttl = await client.pTTL('cache:product:1');
    expect(ttl).toBeGreaterThan(31_000);
    expect(ttl).toBeLessThanOrEqual(61_235);
  });
});

describe('an ACL user that may access only its namespace', () => {
  it('a layer reads, writes, invalidates, locks and sends messages with access to its namespace only', async () => {
    const server = await serverWith();
    const admin = await server.client();
    await admin.sendCommand([
      'ACL',
      'SETUSER',
      'app',
      'on',
      '>secret',
      '~cache:*',
      '&cache:*',
      '+@all',
      '-@dangerous',
      '+info',
    ]);
    const layer = layerOver({ url: `redis://app:secret@127.0.0.1:${server.port}` });
    await layer.setMany([
      ['a', entryOf(1, { tags: ['red'] })],
      ['b', entryOf(2)],
    ]);
    await layer.invalidateTags(['red']);
    expect((await layer.getMany(['a', 'b'])).map((entry) => entry?.value)).toEqual([undefined, 2]);
    expect(await layer.delete('b')).toBe(true);
    expect(await layer.deleteByPattern('*')).toBe(1);
    const lease = await layer.coordination!.acquire('load', 1_000);
    expect(lease).toBeDefined();
    await layer.coordination!.publish({ keys: ['a'] });
    expect((await layer.serverInfo!())?.redisVersion).toMatch(/^\d/);
  });
});
