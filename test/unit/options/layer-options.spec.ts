import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CacheObservabilityModule } from '../../../lib/cache-observability.module.js';
import type { CacheError } from '../../../lib/cache/base/errors.js';
import type { LayerFactory } from '../../../lib/cache/layers/layer.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../../lib/cache/layers/redis/redis-layer.js';
import { keyvLayer } from '../../../lib/cache/layers/stores/keyv-layer.js';
import { legacyStoreLayer } from '../../../lib/cache/layers/stores/legacy-store-layer.js';
import { createObservedCache } from '../../../lib/wiring/create-observed-cache.js';
import { boot, closeApps } from '../../support/apps.js';
import { layerContext } from '../../support/layer-context.js';

afterEach(closeApps);

const memory = (options: unknown) => memoryLayer(options as never);
const redis = (options: unknown) => redisLayer(options as never);
const keyv = (store: unknown, options?: unknown) => keyvLayer(store as never, options as never);
const legacy = (store: unknown, options?: unknown) => legacyStoreLayer(store as never, options as never);
const node = { sendCommand: () => undefined, isOpen: true, connect: () => undefined };

const faultsOf = ({ faults = [] }: LayerFactory) => faults.map(({ text }) => text);

describe('a fault in the options of a layer', () => {
  it.each([
    [memory({ maxEntris: 10 }), 'memoryLayer.maxEntris: is unknown; did you mean maxEntries? Allowed: '],
    [memory({ max: 10 }), 'memoryLayer.max: is unknown; did you mean maxEntries? Allowed: '],
    [redis({ host: 'a' }), 'redisLayer.host: is unknown; did you mean url? Allowed: '],
    [memory({ maxEntries: NaN }), 'memoryLayer.maxEntries: must be a whole number of 1 or more, not NaN'],
    [memory({ maxBytes: Infinity }), 'memoryLayer.maxBytes: must be a whole number of 1 or more, not Infinity'],
    [memory({ maxBytes: 0.5 }), 'memoryLayer.maxBytes: must be a whole number of 1 or more, not 0.5'],
    [memory({ maxBytes: '64' }), 'memoryLayer.maxBytes: must be bytes or a text such as \'64mb\', not "64"'],
    [memory({ maxBytes: '0mb' }), 'memoryLayer.maxBytes: must be bytes or a text such as \'64mb\', not "0mb"'],
    [memory({ maxBytes: null }), "memoryLayer.maxBytes: must be bytes or a text such as '64mb', not null"],
    [memory({ maxEntries: 0 }), 'memoryLayer.maxEntries: must be a whole number of 1 or more, not 0'],
    [memory({ name: '' }), 'memoryLayer.name: must be non-empty text, not ""'],
    [memory(null), 'memoryLayer: must be an object, not null'],
    [redis({ url: undefined }), 'redisLayer.url: is undefined. Set it, or leave it out'],
    [redis({ client: undefined }), 'redisLayer.client: is undefined. Set it, or leave it out'],
    [redis({ url: 'localhost:6379' }), 'redisLayer.url: "localhost:6379" has no scheme. Use redis:// or rediss://'],
    [redis({ url: '127.0.0.1' }), 'redisLayer.url: "127.0.0.1" has no scheme.'],
    [redis({ url: 'http://localhost:6379' }), 'redisLayer.url: "http://localhost:6379" has the scheme http://.'],
    [redis({ url: 'redis://' }), 'redisLayer.url: "redis://" names no host.'],
    [redis({ url: 'redis://host:99999' }), 'is not a URL.'],
    [redis({ url: 'redis://host/db' }), 'has a path that is not the number of a database.'],
    [redis({ url: '' }), 'redisLayer.url: "" is empty.'],
    [redis({ url: 6379 }), 'redisLayer.url: 6379 is not a text.'],
    [redis({ url: 'redis://a', client: node }), 'redisLayer: url and client are both given. Give one of them'],
    [redis({ ur: 'redis://a' }), 'redisLayer.ur: is unknown; did you mean url? Allowed: '],
    [redis({ deadline: NaN }), 'redisLayer.deadline: NaN is not a duration.'],
    [redis({ deadline: 0 }), 'redisLayer.deadline: must be one millisecond or more, not 0'],
    [
      redis({ breaker: { threshold: 0 } }),
      'redisLayer.breaker.threshold: must be a number above 0 and at most 1, not 0',
    ],
    [redis({ breaker: true }), 'redisLayer.breaker: must be false or an object, not true'],
    [
      redis({ writes: 'behnd' }),
      'redisLayer.writes: must be one of "through", "behind", not "behnd"; did you mean "behind"?',
    ],
    [
      redis({ writes: { batchSize: 0.5 } }),
      'redisLayer.writes.batchSize: must be a whole number of 1 or more, not 0.5',
    ],
    [redis({ serializer: 'yaml' }), 'redisLayer.serializer: must be one of "json", "structured-clone", not "yaml"'],
    [redis({ serializer: {} }), "redisLayer.serializer: must be 'json', 'structured-clone' or an object with id"],
    [redis({ compression: {} }), 'redisLayer.compression.threshold: is missing'],
    [redis({ required: 'yes' }), 'redisLayer.required: must be true or false, not "yes"'],
    [
      redis({ client: {} }),
      "redisLayer.client: must be a client of 'redis', '@redis/client' or 'ioredis', not an object",
    ],
    [redis({ sentinel: { name: 'm' } }), 'redisLayer.sentinel.rootNodes: is missing'],
    [redis({ sentinel: { name: 'm', rootNodes: [] } }), 'redisLayer.sentinel.rootNodes: must not be empty'],
    [
      redis({ sentinel: { name: 'm', rootNodes: [{ host: 'a' }] } }),
      'redisLayer.sentinel.rootNodes[0].port: is missing',
    ],
    [redis({ cluster: { rootNodes: [{ url: 'a:1' }] } }), 'redisLayer.cluster.rootNodes[0].url: "a:1" has no scheme.'],
    [redis({ connection: { tsl: true } }), 'redisLayer.connection.tsl: is unknown; did you mean tls?'],
    [redis('redis://localhost'), 'redisLayer: must be an object, not "redis://localhost"'],
    [keyv(undefined), 'keyvLayer: the store must be a storage adapter of Keyv 5'],
    [keyv(null), 'keyvLayer: the store must be a storage adapter of Keyv 5'],
    [keyv(new Map(), { deadlin: 1 }), 'keyvLayer.deadlin: is unknown; did you mean deadline?'],
    [legacy({}), 'legacyStoreLayer: the store must be a store of cache-manager 5'],
    [legacy(undefined), 'legacyStoreLayer: the store must be a store of cache-manager 5'],
    [legacy(() => node, { required: 1 }), 'legacyStoreLayer.required: must be true or false, not 1'],
  ])('fault %# of a layer is reported with its place, the given value and the allowed values', (layer, fault) => {
    expect(faultsOf(layer)).toEqual([expect.stringContaining(fault)]);
    // Layers used without the validation of the module.
    expect(() => layer.create(layerContext('x'))).toThrow(fault);
    expect(() => createObservedCache({ layers: [layer], namespace: 'x' })).toThrow(fault);
  });

  it('faults in the options of layers fail the boot with one error for all layers and the module', async () => {
    const layers = [memory({ maxEntris: 1, maxBytes: NaN }), redis({ url: undefined, deadlin: 5 }), keyv(undefined)];
    const start = boot('express', {
      imports: [
        CacheObservabilityModule.forRoot({ namespace: 'x', layers, ttl: 'soon', probe: NaN, monitorin: 1 } as never),
      ],
    });
    const { code, message } = (await start.catch((error: unknown) => error as CacheError)) as CacheError;
    expect(code).toBe('INVALID_OPTIONS');
    expect(message).toMatch(/^CacheObservabilityModule: 8 faults in the options:\n/);
    for (const fault of [
      'layers[0]: memoryLayer.maxEntris: is unknown; did you mean maxEntries?',
      'layers[0]: memoryLayer.maxBytes: must be',
      'layers[1]: redisLayer.url: is undefined',
      'layers[1]: redisLayer.deadlin: is unknown; did you mean deadline?',
      'layers[2]: keyvLayer: the store must be',
      'ttl: "soon" is not a duration',
      'probe: must be a number from 0 to 1, not NaN',
      'monitorin: is unknown; did you mean monitoring?',
    ]) {
      expect(message).toContain(fault);
    }
  });

  it('a fault shows no credentials of the URL', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('', 'redis://', 'rediss://', 'http://', 'redis:', 'redis:///'),
        fc.constantFrom('', 'user', ':'),
        fc.string({ minLength: 1, maxLength: 5, unit: 'grapheme-ascii' }),
        fc.constantFrom('host:6379', 'host:99999', 'host/db', ''),
        (scheme, user, more, host) => {
          const password = `Pa55w0rd${more}`;
          const [fault] = faultsOf(redis({ url: `${scheme}${user}:${password}@${host}` }));
          expect(fault ?? '').not.toContain('Pa55w0rd');
          expect(redis({ url: `${scheme}${user}:${password}@${host}` }).address).not.toContain('Pa55w0rd');
        },
      ),
    );
    const [fault] = faultsOf(redis({ connection: { password: ['Pa55w0rd'] } }));
    expect(fault).toBe('redisLayer.connection.password: must be a text, not a object');
    expect(faultsOf(redis({ connection: { password: 12345678 } })).join()).not.toContain('12345678');
  });

  it.each([
    memory({ maxEntries: 5, maxBytes: 1024, name: 'm' }),
    memory({ maxEntries: undefined }),
    redis({}),
    redis({ url: 'rediss://user:secret@host:6380/2', deadline: '1s', breaker: false, writes: 'behind' }),
    redis({ url: undefined, client: node }),
    redis({ sentinel: { name: 'm', rootNodes: [{ host: 'a', port: 26379 }] }, connection: { tls: true } }),
    redis({ cluster: { rootNodes: [{ url: 'redis://a:1' }], nodeAddressMap: { 'b:1': { host: 'c', port: 2 } } } }),
    keyv(new Map()),
    keyv(() => new Map(), { compression: { threshold: 0 } }),
    legacy(Promise.resolve({}), { serializer: 'structured-clone' }),
  ])('valid options of a layer have no fault (%#)', (layer) => {
    expect(faultsOf(layer)).toEqual([]);
  });
});
