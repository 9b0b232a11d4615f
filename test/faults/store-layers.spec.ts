import { expect, it } from '@jest/globals';
import KeyvRedis from '@keyv/redis';
import { redisStore } from 'cache-manager-redis-yet';
import { keyvLayer } from '../../lib/cache/layers/stores/keyv-layer.js';
import { legacyStoreLayer } from '../../lib/cache/layers/stores/legacy-store-layer.js';
import type { LayerFactory } from '../../lib/cache/layers/layer.js';
import { entryOf } from '../support/entries.js';
import { layerContext } from '../support/layer-context.js';
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
  '%s whose server is down at boot is found later',
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
