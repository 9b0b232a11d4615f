import { describe, expect, it } from '@jest/globals';
import KeyvRedis from '@keyv/redis';
import { redisStore } from 'cache-manager-redis-yet';
import { keyvLayer } from '../../lib/cache/layers/stores/keyv-layer.js';
import { legacyStoreLayer } from '../../lib/cache/layers/stores/legacy-store-layer.js';
import type { LayerFactory } from '../../lib/cache/layers/layer.js';
import { createObservedCache } from '../../lib/create-observed-cache.js';
import type { ObservedCache } from '../../lib/observed-cache.js';
import { entryOf } from '../support/entries.js';
import { layerContext } from '../support/layer-context.js';
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
    await eventually(serves, 'serves after the freeze', 5_000);
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
  '%s is used later where its server is down at boot',
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
      'serves',
      8_000,
    );
    await layer.disconnect();
    await server.dispose();
  },
  30_000,
);

describe('a removal by glob that a store refuses', () => {
  /** A store of an application's own, which lists its keys only while `lists` is true. */
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
  ])('hides and later removes what was made before %s, and nothing that was made since', async (_, remove) => {
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
