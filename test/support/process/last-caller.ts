import { createObservedCache } from '../../../lib/wiring/create-observed-cache.js';
import { keyvLayer } from '../../../lib/cache/layers/stores/keyv-layer.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';

/*
 * Scripts that wait only for the cache: no timer, socket or server of theirs keeps the process alive. Their last line
 * is the result.
 */
const never = <T>(): Promise<T> => new Promise(() => undefined);
const later = <T>(value: T, ms: number): Promise<T> =>
  new Promise((resolve) => void setTimeout(() => resolve(value), ms).unref());
const hangingStore = { get: never, set: never, delete: never, disconnect: never };

const scripts: Record<string, () => Promise<unknown>> = {
  async load() {
    return createObservedCache().getOrSet('a', () => later('loaded', 300));
  },
  async 'load of many'() {
    return createObservedCache().getOrSetMany(['a', 'b'], (keys) => later(keys, 300));
  },
  async 'load that hangs'() {
    const loading = createObservedCache().getOrSet('a', never, { hardTimeout: 300 });
    return loading.catch((error: { code: string }) => error.code);
  },
  async 'store that hangs'() {
    const cache = createObservedCache({ layers: [keyvLayer(hangingStore, { deadline: 300 })] });
    return (await cache.get('a')) ?? 'nothing';
  },
  async 'write to a store that hangs'() {
    const cache = createObservedCache({ layers: [keyvLayer(hangingStore, { deadline: 300 })] });
    return cache.set('a', 'written');
  },
  async 'disconnect of a store that hangs'() {
    const cache = createObservedCache({ layers: [memoryLayer(), keyvLayer(hangingStore)] });
    await cache.disconnect();
    return 'disconnected';
  },
  async 'exporter that hangs'() {
    const cache = createObservedCache({
      exporters: [{ name: 'x', start() {}, export: () => later(undefined, 1e6), stop() {} }],
    });
    await cache.connect();
    await cache.disconnect();
    return 'disconnected';
  },
  /** Starts work without awaiting it. */
  async background() {
    const cache = createObservedCache({ layers: [memoryLayer(), keyvLayer(hangingStore, { writes: 'behind' })] });
    await cache.getOrSet('a', () => 'loaded', { ttl: 1, staleWhileRevalidate: '1h' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    void cache.getOrSet('a', never);
    return 'loaded';
  },
};

console.log(await scripts[process.argv[2]!]!());
