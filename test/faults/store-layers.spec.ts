import { describe, expect, it } from '@jest/globals';
import KeyvRedis from '@keyv/redis';
import { redisStore } from 'cache-manager-redis-yet';
import { keyvLayer } from '../../lib/cache/layers/stores/keyv-layer.js';
import { legacyStoreLayer } from '../../lib/cache/layers/stores/legacy-store-layer.js';
import { systemClock } from '../../lib/cache/base/clock.js';
import type { Layer, LayerFactory } from '../../lib/cache/layers/layer.js';
import { serverInfoOf } from '../../lib/exporters/server-figures.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { entryOf } from '../support/entries.js';
import { layerContext, recordEvents } from '../support/layer-context.js';
import { ManualClock } from '../support/manual-clock.js';
import { eventually, freePort, RedisServer } from '../support/redis.js';

const kinds: [string, (url: string) => LayerFactory][] = [
  ['keyv over @keyv/redis', (url) => keyvLayer(() => new KeyvRedis(url), { deadline: 300 })],
  [
    'legacy over cache-manager-redis-yet',
    (url) => legacyStoreLayer(() => redisStore({ url }) as never, { deadline: 300 }),
  ],
];

it.each(kinds)(
  '%s fails in time while its server is dead or frozen, and serves again',
  async (_, make) => {
    const server = await RedisServer.start();
    const layer = make(server.url).create(layerContext());
    await layer.connect?.();
    await layer.set('k', entryOf('v'));
    const serves = async () => (await Promise.resolve(layer.get('k')).catch(() => undefined)) !== undefined;
    server.freeze();
    await expect(layer.get('k')).rejects.toMatchObject({ code: 'LAYER_TIMEOUT' });
    server.resume();
    await eventually(serves, 'serves after the freeze');
    await server.kill();
    await expect(layer.set('k', entryOf('w'))).rejects.toThrow();
    await server.up();
    await eventually(
      async () => {
        await Promise.resolve(layer.set('k', entryOf('after'))).catch(() => undefined);
        return serves();
      },
      'serves after the death',
      8_000,
    );
    await layer.disconnect();
    await server.dispose();
  },
  30_000,
);

it.each(kinds)(
  '%s is used later if its server is down at boot',
  async (_, make) => {
    const port = await freePort();
    const layer = make(`redis://127.0.0.1:${port}`).create(layerContext());
    await expect(layer.connect?.()).rejects.toMatchObject({ name: 'CacheError' });
    const server = await RedisServer.start({}, port);
    await eventually(
      async () => {
        await Promise.resolve(layer.set('k', entryOf('v'))).catch(() => undefined);
        return (await Promise.resolve(layer.get('k')).catch(() => undefined)) !== undefined;
      },
      'the layer serves',
      8_000,
    );
    await layer.disconnect();
    await server.dispose();
  },
  30_000,
);

describe('a removal by glob that a store refuses', () => {
  /** A custom store that lists its keys only while `lists` is true. */
  class Store {
    readonly map = new Map<string, unknown>();
    lists = false;
    opts = {};
    get = async (key: string) => this.map.get(key);
    set = async (key: string, value: unknown) => void this.map.set(key, value);
    delete = async (key: string) => this.map.delete(key);
    clear = async () => this.map.clear();
    async *iterator(): AsyncGenerator<[string, unknown]> {
      if (!this.lists) throw new Error('NOPERM');
      yield* this.map;
    }
  }

  it.each([
    ['clear()', (cache: ObservedCache) => cache.clear()],
    ['deleteByPattern()', (cache: ObservedCache) => cache.deleteByPattern('user:*')],
  ])('entries from before %s are hidden and later removed, and later entries stay', async (_, remove) => {
    const clock = new ManualClock();
    const store = new Store();
    const process = () =>
      createObservedCache({ layers: [keyvLayer(store as never, { breaker: false })], ttl: '1h', clock });
    const [cache, other] = [process(), process()];
    await Promise.all([cache.connect(), other.connect()]);
    await cache.set('user:old', 1);
    await remove(cache);
    expect(await cache.get('user:old')).toBeUndefined();
    await clock.advance(1);
    await cache.getOrSet('user:loaded', () => 2);
    await cache.set('user:set', 3);
    await other.set('user:other', 4);
    const found = () => cache.mget(['user:old', 'user:loaded', 'user:set', 'user:other']);
    expect(await found()).toEqual([undefined, 2, 3, 4]);
    expect(store.map.size).toBe(4);
    store.lists = true;
    await clock.advance(10_000);
    expect(await found()).toEqual([undefined, 2, 3, 4]);
    expect(store.map.size).toBe(3);
    await Promise.all([cache.disconnect(), other.disconnect()]);
  });
});

describe('the server behind a store', () => {
  const read = (layer: Layer) => serverInfoOf(layer, 5_000, systemClock);

  it.each(kinds)('the figures of the server are requested by %s', async (_, make) => {
    const server = await RedisServer.start();
    const client = await server.client();
    await client.sendCommand(['ACL', 'SETUSER', 'app', 'on', '>secret', 'allkeys', '+@all']);
    const recorded = recordEvents();
    const context = layerContext('cache', { events: recorded.events });
    const layer = make(server.url.replace('//', '//app:secret@')).create(context);
    await layer.connect?.();
    expect(await read(layer)).toMatchObject({
      redisVersion: expect.stringMatching(/^\d/),
      maxMemory: 0,
      evictedKeys: 0,
    });
    const restricted = (rule: string) => client.sendCommand(['ACL', 'SETUSER', 'app', rule]);
    await restricted('-info');
    for (let turn = 0; turn < 12; turn++) expect(await read(layer)).toBeUndefined();
    expect(recorded.logs).toEqual([
      expect.objectContaining({ code: 'NO_SERVER_FIGURES', message: expect.stringContaining('run INFO (NOPERM)') }),
    ]);
    await restricted('+info');
    expect(await read(layer)).toMatchObject({ connectedClients: expect.any(Number) });
    await layer.disconnect();
    await server.dispose();
  });

  it.each<[string, unknown, null | undefined]>([
    ['are absent if the store has no client', undefined, null],
    ['are unknown if the client throws', () => { throw new Error('no'); }, undefined],
    ['are unknown if the client never answers', () => new Promise(() => undefined), undefined],
    ['are unknown if the client returns no text of Redis', () => Promise.resolve({ toString: () => 'ok' }), undefined],
    ['are read within limits', () => Promise.resolve(`redis_version:${'9'.repeat(99)}\r\nused_memory:1e999\r\nmaxmemory:-1\r\n`), undefined],
  ])('the figures of the server %s', async (title, sendCommand, expected) => {
    const client = sendCommand && {
      isOpen: true,
      isReady: true,
      sendCommand,
      on: () => undefined,
      off: () => undefined,
      listenerCount: () => 1,
    };
    const values = new Map<string, unknown>();
    const store = {
      client,
      get: (key: string) => Promise.resolve(values.get(key)),
      set: (key: string, value: unknown) => Promise.resolve(void values.set(key, value)),
      del: (key: string) => Promise.resolve(void values.delete(key)),
      delete: (key: string) => Promise.resolve(values.delete(key)),
    };
    const layers = [
      legacyStoreLayer(store as never, { deadline: 200 }),
      keyvLayer(store as never, { deadline: 200 }),
    ].map((factory) => factory.create(layerContext()));
    for (const layer of layers) {
      await layer.connect?.();
      const figures = layer.serverInfo === undefined ? null : await read(layer);
      if (title === 'are read within limits') expect(figures).toMatchObject({ redisVersion: '9'.repeat(40), usedMemory: 0, maxMemory: 0 });
      else expect(figures).toBe(expected);
      await layer.disconnect();
    }
  }); // prettier-ignore
});
