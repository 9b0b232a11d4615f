import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import KeyvRedis from '@keyv/redis';
import type { RedisClientType } from '@redis/client';
import { redisStore } from 'cache-manager-redis-yet';
import fc from 'fast-check';
import type { LayerFactory } from '../../lib/cache/layers/layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { keyvLayer } from '../../lib/cache/layers/stores/keyv-layer.js';
import { legacyStoreLayer } from '../../lib/cache/layers/stores/legacy-store-layer.js';
import { LayeredCache } from '../../lib/cache/layered-cache.js';
import { sharedPrefix } from '../../lib/cache/base/namespace.js';
import { NoopObserver } from '../../lib/metrics/noop-observer.js';
import { RedisServer } from '../support/redis.js';

interface Deploy {
  readonly namespace: string;
  readonly version: string | undefined;
}

/** Names that consist of the separators of keys. */
const name = fc.oneof(
  fc
    .array(
      fc.constantFrom('shop', 'eu', 'v1', ':', '#', '@', '/', '~', '%', ';', '%3A;', '{a}', '*', ' ', 'é', '\ud800'),
      {
        minLength: 1,
        maxLength: 4,
      },
    )
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }).filter((text) => !/[{}]/.test(text)),
);
const deploy: fc.Arbitrary<Deploy> = fc.record({
  namespace: name,
  version: fc.option(name, { nil: undefined, freq: 2 }),
});
/** Two different deploys, often one text split in two ways. */
const pair = fc
  .oneof(
    fc.tuple(deploy, deploy),
    fc
      .tuple(deploy, name)
      .map(([one, more]): [Deploy, Deploy] => [one, { ...one, namespace: `${one.namespace}:${more}` }]),
    deploy.map((one): [Deploy, Deploy] => [one, { ...one, version: one.version === undefined ? 'v1' : undefined }]),
    deploy.map((one): [Deploy, Deploy] => [one, { namespace: `${one.namespace}:${one.version}`, version: undefined }]),
    deploy.map((one): [Deploy, Deploy] => [one, { namespace: `${one.namespace}#${one.version}`, version: undefined }]),
  )
  .filter(([one, other]) => one.namespace !== other.namespace || one.version !== other.version);

describe('the prefixes of two deploys', () => {
  it('prefixes of two deploys are never prefixes of each other, colon included', () => {
    fc.assert(
      fc.property(pair, ([one, other]) => {
        const [first, second] = [one, other].map(({ namespace, version }) => `${sharedPrefix(namespace, version)}:`);
        expect(first!.startsWith(second!) || second!.startsWith(first!)).toBe(false);
        // In UTF-8, as every store writes keys.
        expect(Buffer.from(first!).toString()).toBe(first);
      }),
      { numRuns: 1_000 },
    );
  });

  it('prefixes of two deploys are readable for names of packages', () => {
    expect([sharedPrefix('@acme/shop'), sharedPrefix('shop', '2.1.0'), sharedPrefix('shop:eu')]).toEqual([
      '@acme/shop',
      'shop#2.1.0',
      'shop%3A;eu',
    ]);
  });
});

describe('two deploys on one Redis', () => {
  let server: RedisServer;
  let admin: RedisClientType;
  const open: LayeredCache[] = [];
  beforeAll(async () => {
    server = await RedisServer.start();
    admin = await server.client();
  });
  afterEach(() => Promise.all(open.splice(0).map((cache) => cache.disconnect())));
  afterAll(() => server.dispose());

  const layers: [name: string, runs: number, layer: () => LayerFactory][] = [
    ['redisLayer', 40, () => redisLayer({ url: server.url })],
    ['keyvLayer', 15, () => keyvLayer(() => new KeyvRedis(server.url))],
    ['legacyStoreLayer', 15, () => legacyStoreLayer(() => redisStore({ url: server.url }))],
  ];
  const start = async (layer: LayerFactory, { namespace, version }: Deploy) => {
    const cache = new LayeredCache({
      layers: [layer],
      namespace,
      ttl: '1m',
      observer: new NoopObserver(),
      ...(version !== undefined && { version }),
    });
    await cache.connect();
    open.push(cache);
    return cache;
  };

  it.each(layers)('deploys of a %s never read or change entries of each other', async (_name, numRuns, layer) => {
    await fc.assert(
      fc.asyncProperty(pair, async ([one, other]) => {
        await admin.flushAll();
        const [mine, theirs] = [await start(layer(), one), await start(layer(), other)];
        // Keys that look like keys, state or fences of the other deploy.
        const keys = ['k', 'eu:k', `${other.namespace}:k`, `${other.version}:k`, '~bus', '~~k', '~fence:{k}', '*'].map(
          (key) => Buffer.from(key).toString(),
        );
        const all = keys.map((key) => ({ key, value: 'theirs' }));
        await theirs.mset(all);
        await theirs.getOrSet('tagged', () => 'theirs', { tags: ['t'] });
        expect(await mine.mget(keys)).toEqual(keys.map(() => undefined));
        await mine.mset(keys.map((key) => ({ key, value: 'mine' })));
        await mine.deleteByPattern('*k');
        await mine.mdel(keys);
        await mine.invalidateTags('t');
        await mine.clear();
        expect(await theirs.mget(keys)).toEqual(keys.map(() => 'theirs'));
        expect(await theirs.get('tagged')).toBe('theirs');
        await Promise.all(open.splice(0).map((cache) => cache.disconnect()));
      }),
      { numRuns },
    );
  });
});
