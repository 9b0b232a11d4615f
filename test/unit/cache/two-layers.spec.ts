import { describe, expect, it, jest } from '@jest/globals';
import { CacheError } from '../../../lib/cache/base/errors.js';
import { LayeredCache, type LayeredCacheOptions } from '../../../lib/cache/layered-cache.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import { CircuitState } from '../../../lib/cache/base/observer.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { RecordingObserver } from '../../support/recording-observer.js';
import { ScriptedLayer, SharedServer } from '../../support/scripted-layer.js';

function process(server = new SharedServer(), options: Partial<LayeredCacheOptions> = {}, clock = new ManualClock()) {
  const remote = new ScriptedLayer('remote', server);
  const observer = new RecordingObserver();
  const cache = new LayeredCache({
    layers: [memoryLayer(), remote.factory()],
    namespace: 'cache',
    ttl: '1m',
    observer,
    clock,
    ...options,
  });
  return { cache, remote, observer, clock, server };
}

/** Two processes that share a server and a clock. */
function twoProcesses(options: Partial<LayeredCacheOptions> = {}) {
  const one = process(new SharedServer(), options);
  return { one, other: process(one.server, options, one.clock) };
}

describe('two layers', () => {
  it('a hit of the remote layer fills memory with the rest of the TTL', async () => {
    const { one, other } = twoProcesses();
    await one.cache.set('a', 1);
    await one.clock.advance(45_000);
    expect(await other.cache.get('a')).toBe(1);
    expect(other.remote.take()).toEqual(['get a']);
    expect(await other.cache.get('a')).toBe(1);
    expect(other.remote.take()).toEqual([]);
    await other.clock.advance(15_000);
    one.server.entries.clear();
    expect(await other.cache.get('a')).toBeUndefined();
  });

  it('a hit is reported with the layer that answered', async () => {
    const { one, other } = twoProcesses();
    await one.cache.set('a', 1);
    await other.cache.get('a');
    await other.cache.get('a');
    await other.cache.getOrSet('a', () => 2);
    expect(other.observer.take()).toEqual(['a hit remote', 'a hit memory', 'a hit memory']);
  });

  it("keys missing in a batch's result count as absent", async () => {
    const { cache, remote } = process();
    jest.spyOn(remote, 'getMany').mockResolvedValue([]);
    expect(await cache.mget(['a', 'b'])).toEqual([undefined, undefined]);
    expect(await cache.getOrSetMany(['a', 'b'], async (keys) => keys.map((key) => `${key}!`))).toEqual(['a!', 'b!']);
  });

  it('a batch takes one round trip per layer', async () => {
    const { cache, remote } = process();
    await cache.mset([
      { key: 'a', value: 1 },
      { key: 'b', value: 2 },
    ]);
    expect(remote.take()).toEqual(['setMany a,b']);
    expect(await cache.mget(['a', 'b', 'c'])).toEqual([1, 2, undefined]);
    expect(remote.take()).toEqual(['getMany c']);
    await cache.mdel(['a', 'b']);
    expect(remote.take()).toEqual(['deleteMany a,b']);
  });

  it('a batch with a loader reads each layer once and writes it once', async () => {
    const { one, other } = twoProcesses();
    await one.cache.set('a', 1);
    const loader = jest.fn(async (keys: string[]) => keys.map((key) => key.toUpperCase()));
    expect(await other.cache.getOrSetMany(['a', 'b', 'c'], loader as never)).toEqual([1, 'B', 'C']);
    expect(loader).toHaveBeenCalledTimes(1);
    expect(loader.mock.calls[0]![0]).toEqual(['b', 'c']);
    expect(other.remote.take()).toEqual(['getMany a,b,c', 'setMany b,c']);
    expect(other.observer.take().filter((line) => !/ set ok| load ok/.test(line))).toEqual([
      'a hit remote',
      'b miss (cold)',
      'c miss (cold)',
    ]);
  });

  it.each([
    ['a deletion', 'delete a', (cache: LayeredCache) => cache.del('a')],
    ['a set', 'set a', (cache: LayeredCache) => cache.set('a', 2)],
    ['an invalidation by glob', 'deleteByPattern a*', (cache: LayeredCache) => cache.deleteByPattern('a*')],
    ['an invalidation by tag', 'invalidateTags t', (cache: LayeredCache) => cache.invalidateTags('t')],
    ['clear()', 'clear', (cache: LayeredCache) => cache.clear()],
  ])('%s that follows a load reaches the remote layer after its value', async (_, change, make) => {
    const { cache, remote } = process();
    await cache.getOrSet('a', () => 1);
    await make(cache);
    expect(remote.take()).toEqual(['get a', 'set a', change]);
  });

  it('a read of a loaded value that memory did not keep is sent after its value', async () => {
    const layers = (remote: ScriptedLayer) => [memoryLayer({ maxBytes: 1 }), remote.factory()];
    const remote = new ScriptedLayer('remote', new SharedServer());
    const { cache } = process(undefined, { layers: layers(remote) });
    await cache.getOrSet('a', () => 1);
    await cache.get('a');
    expect(remote.take()).toEqual(['get a', 'set a', 'get a']);
  });

  it('the next reads of several callers are sent before the values that they loaded', async () => {
    const { cache, remote } = process();
    const loadTwo = async (first: string, second: string) => {
      await cache.getOrSet(first, () => 1);
      await cache.getOrSet(second, () => 2);
    };
    await Promise.all([loadTwo('a', 'c'), loadTwo('b', 'd')]);
    await settle();
    expect(remote.take()).toEqual(['getMany a,b', 'getMany c,d', 'setMany a,b,c,d']);
  });

  it.each([
    ['a deletion', 'delete a', (cache: LayeredCache) => cache.del('a')],
    ['a set', 'set a', (cache: LayeredCache) => cache.set('a', 2)],
    ['an invalidation by tag', 'invalidateTags t', (cache: LayeredCache) => cache.invalidateTags('t')],
    ['expire()', 'get a', (cache: LayeredCache) => cache.expire('a')],
  ])('%s that follows several loads reaches the remote layer after their values', async (_, change, make) => {
    const { cache, remote } = process();
    await Promise.all([cache.getOrSet('a', () => 1), cache.getOrSet('b', () => 2)]);
    await make(cache);
    expect(remote.take().slice(0, 3)).toEqual(['getMany a,b', 'setMany a,b', change]);
  });

  it('a read of one of several loaded values that memory did not keep is sent after the values', async () => {
    const remote = new ScriptedLayer('remote', new SharedServer());
    const { cache } = process(undefined, { layers: [memoryLayer({ maxBytes: 1 }), remote.factory()] });
    await Promise.all([cache.getOrSet('a', () => 1), cache.getOrSet('b', () => 2)]);
    await cache.get('b');
    expect(remote.take()).toEqual(['getMany a,b', 'setMany a,b', 'get b']);
  });

  it('concurrent callers share one read of the remote layer', async () => {
    const { one, other } = twoProcesses();
    await one.cache.set('a', 1);
    const load = jest.fn(() => 2);
    const answers = await Promise.all([1, 2, 3].map(() => other.cache.getOrSet('a', load)));
    expect(answers).toEqual([1, 1, 1]);
    expect(load).not.toHaveBeenCalled();
    expect(other.remote.take()).toEqual(['get a']);
    expect(other.observer.take()).toEqual(['a hit remote', 'a hit remote', 'a hit remote']);
  });

  it('a cache continues without a layer that rejects, counts the failure and logs it once', async () => {
    const log = jest.fn();
    const { cache, remote, observer } = process(undefined, { log });
    remote.failing = new Error('broken');
    expect(await cache.getOrSet('a', () => 1)).toBe(1);
    expect(await cache.getOrSet('a', () => 2)).toBe(1);
    expect(await cache.get('b')).toBeUndefined();
    await cache.set('c', 3);
    expect(await cache.get('c')).toBe(3);
    expect(await cache.mget(['c', 'd'])).toEqual([3, undefined]);
    expect(await cache.del('c')).toBe(true);
    await expect(cache.clear()).resolves.toBe(true);
    await settle();
    expect(observer.take()).toContain('a error (error)');
    expect(observer.layerCalls.filter((call) => call.startsWith('remote get error'))).toHaveLength(3);
    const codes = () => log.mock.calls.map(([level, code]) => `${String(level)} ${String(code)}`);
    expect(codes()).toEqual(['warn LAYER_FAILED']);
    remote.failing = undefined;
    await cache.set('d', 1);
    expect(codes()).toEqual(['warn LAYER_FAILED', 'log LAYER_RESTORED']);
  });

  it('a cache logs that a layer is back when the layer answers, not when a write is queued for it', async () => {
    const log = jest.fn();
    const { cache, remote } = process(undefined, { log });
    const said = () => log.mock.calls.map(([, code]) => code);
    const well = remote.status();
    jest.spyOn(remote, 'get').mockRejectedValue(new Error('broken'));
    jest.spyOn(remote, 'status').mockReturnValue({ ...well, connected: false });
    for (const key of ['a', 'b', 'c']) await cache.getOrSet(key, () => 1);
    expect(said()).toEqual(['LAYER_FAILED']);
    jest.spyOn(remote, 'status').mockReturnValue({ ...well, circuitState: CircuitState.open });
    for (const key of ['d', 'e', 'f']) await cache.getOrSet(key, () => 1);
    expect(said()).toEqual(['LAYER_FAILED']);
    jest.restoreAllMocks();
    await cache.getOrSet('g', () => 1);
    expect(said()).toEqual(['LAYER_FAILED', 'LAYER_RESTORED']);
  });

  it('a call that a circuit refuses counts as a miss with the failure as its reason', async () => {
    const { cache, remote, observer } = process();
    remote.failing = new CacheError('CIRCUIT_OPEN', 'open');
    expect(await cache.getOrSet('a', () => 1)).toBe(1);
    expect(observer.take()).toContain('a miss (error)');
  });

  it('a stale value of the remote layer is served while it is refreshed', async () => {
    const { one, other } = twoProcesses({ policy: { staleWhileRevalidate: '1m' } });
    await one.cache.set('a', 1);
    await one.clock.advance(70_000);
    expect(await other.cache.getOrSet('a', () => 2)).toBe(1);
    await settle();
    expect(await other.cache.getOrSet('a', () => 3)).toBe(2);
    expect(other.observer.take().filter((line) => line.startsWith('a stale') || line.startsWith('a hit'))).toEqual([
      'a stale remote (expired)',
      'a hit memory',
    ]);
  });
});

describe('an invalidation', () => {
  it('an invalidation wins over a running read of the remote layer', async () => {
    const { one, other } = twoProcesses();
    await one.cache.set('a', 'old');
    const answer = other.remote.hold('get');
    const reading = other.cache.get('a');
    await settle();
    await other.cache.del('a');
    answer();
    await reading;
    expect(other.cache.peek('a')).toBeUndefined();
    expect(await other.cache.get('a')).toBeUndefined();
  });

  it('an invalidation wins over a running load, in the remote layer too', async () => {
    const { cache, remote, server } = process();
    let land!: (value: string) => void;
    const loading = cache.getOrSet('a', () => new Promise<string>((resolve) => (land = resolve)));
    await settle();
    await cache.del('a');
    land('old');
    expect(await loading).toBe('old');
    await settle();
    expect(server.entries.has('a')).toBe(false);
    expect(remote.take()).not.toContain('set a');
  });

  it('an invalidation reaches the memory of the other process, by key, tag or glob', async () => {
    for (const invalidate of ['del', 'glob', 'tag', 'clear', 'set'] as const) {
      const { one, other } = twoProcesses();
      await Promise.all([one.cache.connect(), other.cache.connect()]);
      await one.cache.getOrSet('a:1', () => 'old', { tags: ['t'] });
      await other.cache.get('a:1');
      expect(other.cache.peek('a:1')).toBe('old');
      if (invalidate === 'del') await one.cache.del('a:1');
      else if (invalidate === 'glob') await one.cache.deleteByPattern('a:*');
      else if (invalidate === 'tag') await one.cache.invalidateTags('t');
      else if (invalidate === 'clear') await one.cache.clear();
      else await one.cache.set('a:1', 'new');
      await settle();
      expect(other.cache.peek('a:1')).toBeUndefined();
      expect(await other.cache.get('a:1')).toBe(invalidate === 'set' ? 'new' : undefined);
    }
  });

  it('an invalidation of another process wins over a load of this process', async () => {
    const { one, other } = twoProcesses();
    await Promise.all([one.cache.connect(), other.cache.connect()]);
    let land!: (value: string) => void;
    const loading = other.cache.getOrSet('a', () => new Promise<string>((resolve) => (land = resolve)));
    await settle();
    await one.cache.del('a');
    await settle();
    land('old');
    expect(await loading).toBe('old');
    expect(other.cache.peek('a')).toBeUndefined();
  });

  it('an invalidation is assumed after a gap in the messages', async () => {
    const { cache, server } = process();
    await cache.connect();
    await cache.set('a', 1);
    for (const listener of server.listeners) listener.onGap();
    expect(cache.peek('a')).toBeUndefined();
    expect(await cache.get('a')).toBe(1);
  });

  it('a miss after a gap in the messages counts as an error, not as an invalidation', async () => {
    const { cache, server, observer } = process();
    await cache.connect();
    await cache.set('a', 1);
    await cache.set('b', 1);
    for (const listener of server.listeners) listener.onGap();
    server.entries.clear();
    observer.take();
    expect(await cache.get('a')).toBeUndefined();
    await cache.del('b');
    expect(await cache.get('b')).toBeUndefined();
    expect(observer.take().filter((line) => line.includes('('))).toEqual(['a miss (error)', 'b miss (invalidated)']);
  });
});

describe('a lock across processes', () => {
  it('a lock across processes lets one process load, and gives its value to the other', async () => {
    const { one, other } = twoProcesses({ policy: { lock: true } });
    let land!: (value: number) => void;
    const load = jest.fn(() => new Promise<number>((resolve) => (land = resolve)));
    const first = one.cache.getOrSet('a', load);
    await settle();
    const second = other.cache.getOrSet('a', load);
    await one.clock.advance(50);
    land(1);
    await one.clock.advance(50);
    expect(await Promise.all([first, second])).toEqual([1, 1]);
    expect(load).toHaveBeenCalledTimes(1);
    expect(one.server.locks.size).toBe(0);
  });

  it('a lock across processes is waited for no longer than waitTimeout', async () => {
    const { one, other } = twoProcesses({ policy: { lock: true, waitTimeout: 100 } });
    void one.cache.getOrSet('a', () => new Promise(() => undefined)).catch(() => undefined);
    await settle();
    const second = other.cache.getOrSet('a', () => 2);
    await settle();
    await one.clock.advance(150);
    expect(await second).toBe(2);
    expect(other.observer.take()).toContain('a wait timeout');
  });

  it('a lock across processes is skipped if it cannot be reached', async () => {
    const { cache, remote } = process(undefined, { policy: { lock: true } });
    remote.failing = new Error('broken');
    expect(await cache.getOrSet('a', () => 1)).toBe(1);
  });

  it('a lock across processes is skipped if only the lock fails, and the log reports it once', async () => {
    const logged: string[] = [];
    const { cache, remote } = process(undefined, {
      policy: { lock: true },
      log: (_, code, message) => logged.push(`${code} ${message}`),
    });
    jest.spyOn(remote.coordination, 'acquire').mockRejectedValue(new Error('broken'));
    for (let time = 0; time < 2; time++) {
      expect(await cache.getOrSet('a', () => 1)).toBe(1);
      await cache.del('a');
    }
    expect(logged).toEqual([
      expect.stringMatching(/^LOCK_UNREACHABLE The layer that holds the lock for a cannot be reached/),
    ]);
  });

  it('a lock across processes is released when the load fails', async () => {
    const { cache, server } = process(undefined, { policy: { lock: true } });
    await expect(cache.getOrSet('a', () => Promise.reject(new Error('origin')))).rejects.toThrow('origin');
    await settle();
    expect(server.locks.size).toBe(0);
    expect(await cache.getOrSet('a', () => 1)).toBe(1);
  });

  it('a lock across processes is taken for every key of a batch separately', async () => {
    const { one, other } = twoProcesses({ policy: { lock: true } });
    let land!: (value: number) => void;
    const first = one.cache.getOrSet('a', () => new Promise<number>((resolve) => (land = resolve)));
    await settle();
    const batch = other.cache.getOrSetMany(['a', 'b'], (keys) => keys.map((key) => `${key} of the batch`));
    await one.clock.advance(20);
    land(1);
    await one.clock.advance(50);
    expect(await first).toBe(1);
    expect(await batch).toEqual([1, 'b of the batch']);
  });
});

describe('a batch', () => {
  it('a batch serves a stale value after the soft timeout, and continues to load', async () => {
    const { cache, clock, observer } = process(undefined, { policy: { staleIfError: '1h', softTimeout: 50 } });
    await cache.set('a', 'old');
    await clock.advance(70_000);
    let land!: (values: string[]) => void;
    const batch = cache.getOrSetMany(['a'], () => new Promise<string[]>((resolve) => (land = resolve)));
    await settle();
    await clock.advance(60);
    expect(await batch).toEqual(['old']);
    land(['new']);
    await settle();
    expect(cache.peek('a')).toBe('new');
    expect(observer.take()).toContain('a stale (expired)');
  });

  it('a batch does not call an origin again that failed just now', async () => {
    const { cache, clock } = process(undefined, { policy: { staleIfError: '1h' } });
    await cache.set('a', 'old');
    await clock.advance(70_000);
    const loader = jest.fn(() => Promise.reject(new Error('origin')));
    expect(await cache.getOrSetMany(['a'], loader as never)).toEqual(['old']);
    expect(await cache.getOrSetMany(['a'], loader as never)).toEqual(['old']);
    expect(loader).toHaveBeenCalledTimes(1);
    await clock.advance(1_100);
    expect(await cache.getOrSetMany(['a'], loader as never)).toEqual(['old']);
    expect(loader).toHaveBeenCalledTimes(2);
  });
});

describe('connecting', () => {
  it('connect() rejects if a required layer cannot be reached', async () => {
    const remote = new ScriptedLayer();
    remote.unreachable = true;
    const { cache } = process(undefined, { layers: [memoryLayer(), remote.factory(true)] });
    await expect(cache.connect()).rejects.toMatchObject({ code: 'LAYER_REQUIRED' });
  });

  it('connect() resolves if an optional layer cannot be reached', async () => {
    const { cache, remote } = process();
    remote.unreachable = true;
    await expect(cache.connect()).resolves.toBeUndefined();
  });
});

describe('disconnecting', () => {
  it('disconnect() waits for unawaited writes', async () => {
    const { cache, remote, server } = process();
    const written = remote.hold('set');
    expect(await cache.getOrSet('a', () => 1)).toBe(1);
    expect(server.entries.size).toBe(0);
    const closing = cache.disconnect();
    await settle();
    expect(remote.closed).toBe(false);
    written();
    await closing;
    expect(remote.closed).toBe(true);
    expect(server.entries.size).toBe(1);
  });

  it('disconnect() ends within five seconds, also when a layer or a loader hangs', async () => {
    const { cache, remote, clock } = process();
    remote.hold('set');
    remote.hold('disconnect');
    let signal: AbortSignal | undefined;
    void cache.getOrSet('b', () => 1);
    const loading = cache.getOrSet('a', (context) => {
      signal = context.signal;
      return new Promise(() => undefined);
    });
    void loading.catch(() => undefined);
    await settle();
    let closed = false;
    void cache.disconnect().then(() => (closed = true));
    await settle();
    expect(signal?.aborted).toBe(true);
    await clock.advance(5_000);
    expect(closed).toBe(true);
    expect(remote.calls).toContain('disconnect');
  });

  it('reads after disconnect() call their origin', async () => {
    const { cache, observer } = process();
    await cache.set('a', 1);
    await cache.disconnect();
    expect(await cache.getOrSet('a', () => 2)).toBe(2);
    expect(await cache.get('a')).toBeUndefined();
    expect(observer.take().slice(-2)).toEqual(['a bypass', 'a bypass']);
  });
});

describe('a refresh', () => {
  it('a refresh is reported to listeners unless it was invalidated meanwhile', async () => {
    const { cache, clock } = process(undefined, { policy: { staleWhileRevalidate: '1h' } });
    const refreshed = jest.fn();
    cache.on('refresh', refreshed);
    await cache.set('a', 1);
    await clock.advance(70_000);
    let land!: (value: number) => void;
    const load = () => new Promise<number>((resolve) => (land = resolve));
    expect(await cache.getOrSet('a', load)).toBe(1);
    await settle();
    await cache.del('a');
    land(2);
    await settle();
    expect(refreshed).not.toHaveBeenCalled();
    await cache.set('a', 3);
    await clock.advance(70_000);
    expect(await cache.getOrSet('a', load)).toBe(3);
    await settle();
    land(4);
    await settle();
    expect(refreshed).toHaveBeenCalledWith({ key: 'a', value: 4 });
  });
});

describe('entries loaded since a mark', () => {
  it('entries loaded since a mark are not written if an invalidation came between', async () => {
    const { cache } = process();
    const since = cache.mark();
    await cache.del('a');
    const written = await cache.setMany([{ key: 'a', value: 'old', since }, { key: 'b', value: 1, since }]); // prettier-ignore
    since.release();
    expect(written).toMatchObject({ written: 1, rejected: [{ key: 'a', code: 'INVALIDATED' }] });
  });
});
