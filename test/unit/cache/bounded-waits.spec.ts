import { describe, expect, it, jest } from '@jest/globals';
import type { CacheError } from '../../../lib/cache/base/errors.js';
import { LayeredCache, type LayeredCacheOptions } from '../../../lib/cache/layered-cache.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import type { CachePolicy } from '../../../lib/cache/policies/policy.js';
import { turnsDuring } from '../../support/loop-turns.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { RecordingObserver } from '../../support/recording-observer.js';
import { ScriptedLayer, SharedServer } from '../../support/scripted-layer.js';

const never = () => new Promise<never>(() => undefined);

/** A clock whose timers end up to a millisecond early, as those of Node do. */
class EarlyClock extends ManualClock {
  override after(delayMs: number, task: () => void): () => void {
    return super.after(Math.max(1, delayMs - 0.5), task);
  }
}

function process({
  memory = true,
  clock = new ManualClock(),
  ...options
}: Partial<LayeredCacheOptions> & { memory?: boolean; clock?: ManualClock } = {}) {
  const remote = new ScriptedLayer('remote', new SharedServer());
  const observer = new RecordingObserver();
  const layers = memory ? [memoryLayer(), remote.factory()] : [remote.factory()];
  const cache = new LayeredCache({ layers, namespace: 'cache', ttl: '1m', observer, clock, ...options });
  return { cache, remote, observer, clock };
}

/** How a call has ended so far: its value, the code of its error, or `waiting`. */
function watch(call: Promise<unknown>): { outcome: unknown } {
  const watched: { outcome: unknown } = { outcome: 'waiting' };
  call.then(
    (value) => (watched.outcome = value),
    (error: CacheError) => (watched.outcome = error.code),
  );
  return watched;
}

type Ask = (cache: LayeredCache, load: () => unknown, policy: CachePolicy) => Promise<unknown>;
const ways: [string, Ask][] = [
  ['one key', (cache, load, policy) => cache.getOrSet('a', load, policy)],
  [
    'many keys',
    async (cache, load, policy) => (await cache.getOrSetMany(['a'], async () => [await load()], policy))[0],
  ],
];

describe.each(ways)('the wait of a caller of %s', (_, ask) => {
  it('the wait of a caller ends at softTimeout with the stale value when a layer hangs', async () => {
    const { cache, remote, clock } = process();
    const policy = { ttl: '1s', staleIfError: '1h', softTimeout: 100 } as const;
    await ask(cache, () => 'old', policy);
    await clock.advance(1_001);
    remote.hold('get');
    remote.hold('getMany');
    const asked = watch(ask(cache, () => 'new', policy));
    await clock.advance(99);
    expect(asked.outcome).toBe('waiting');
    await clock.advance(1);
    expect(asked.outcome).toBe('old');
  });

  it('the wait of a caller ends at softTimeout with the stale value when a timer ends early', async () => {
    const { cache, clock } = process({ clock: new EarlyClock() });
    const policy = { ttl: '1s', staleIfError: '1h', softTimeout: 100 } as const;
    await ask(cache, () => 'old', policy);
    await clock.advance(1_001);
    const asked = watch(ask(cache, never, policy));
    await clock.advance(99.5);
    expect(asked.outcome).toBe('waiting');
    await clock.advance(1);
    expect(asked.outcome).toBe('old');
  });

  it('the wait of a caller ends at hardTimeout when a layer hangs', async () => {
    const { cache, remote, clock } = process();
    remote.hold('get');
    remote.hold('getMany');
    let loads = 0;
    const asked = watch(ask(cache, () => ++loads, { hardTimeout: 300 }));
    await clock.advance(299);
    expect(asked.outcome).toBe('waiting');
    await clock.advance(1);
    expect([asked.outcome, loads]).toEqual(['LOAD_TIMEOUT', 0]);
  });

  it('a load gets the rest of hardTimeout after a slow layer', async () => {
    const { cache, remote, clock } = process();
    const answer = [remote.hold('get'), remote.hold('getMany')];
    const asked = watch(ask(cache, never, { hardTimeout: 300 }));
    await clock.advance(200);
    for (const open of answer) open();
    await clock.advance(99);
    expect(asked.outcome).toBe('waiting');
    await clock.advance(1);
    expect(asked.outcome).toBe('LOAD_TIMEOUT');
  });

  it('the wait of a caller ends at hardTimeout with a value that staleIfError allows when a layer hangs', async () => {
    const { cache, remote, clock } = process();
    const policy = { ttl: '1s', staleIfError: '1h', hardTimeout: 300 } as const;
    await ask(cache, () => 'old', policy);
    await clock.advance(1_001);
    remote.hold('get');
    remote.hold('getMany');
    const asked = watch(ask(cache, () => 'new', policy));
    await clock.advance(300);
    expect(asked.outcome).toBe('old');
  });

  it('the wait of a caller ends at hardTimeout with the loaded value when a write hangs', async () => {
    const { cache, remote, clock } = process({ memory: false });
    remote.hold('set');
    remote.hold('setMany');
    const asked = watch(ask(cache, () => 'loaded', { hardTimeout: 300 }));
    await clock.advance(299);
    expect(asked.outcome).toBe('waiting');
    await clock.advance(1);
    expect(asked.outcome).toBe('loaded');
  });

  it('the wait of a caller continues with the load after one second of a hanging lock, and after half of hardTimeout at most', async () => {
    const { cache, remote, clock } = process();
    remote.hold('acquire');
    const patient = watch(ask(cache, () => 'loaded', { lock: true }));
    await settle();
    await clock.advance(1_000);
    expect(patient.outcome).toBe('loaded');
    await cache.del('a');
    const hurried = watch(ask(cache, () => 'loaded', { lock: true, hardTimeout: 300 }));
    await settle();
    await clock.advance(150);
    expect(hurried.outcome).toBe('loaded');
  });

  it('the wait of a caller leaves half of hardTimeout for its own load if another process holds the lock', async () => {
    const { cache, remote, clock } = process();
    remote.server.locks.add('load:a');
    const asked = watch(ask(cache, () => 'loaded', { lock: true, hardTimeout: 300 }));
    await settle();
    await clock.advance(149);
    expect(asked.outcome).toBe('waiting');
    await clock.advance(20);
    expect(asked.outcome).toBe('loaded');
  });

  it('the wait of a caller does not include the release of a lock', async () => {
    const { cache, remote } = process();
    remote.hold('release');
    const asked = watch(ask(cache, () => 'loaded', { lock: true }));
    await settle();
    expect(asked.outcome).toBe('loaded');
  });

  it('the wait of a caller does not include the release of a lock found with a value in the layer', async () => {
    const { cache, remote, clock } = process();
    const other = process();
    remote.server.locks.add('load:a');
    const asked = watch(ask(cache, () => 'loaded', { lock: true }));
    await settle();
    remote.hold('release');
    await other.cache.set('a', 'stored');
    remote.server.entries.set('a', other.remote.server.entries.get('a')!);
    remote.server.locks.clear();
    await clock.advance(20);
    expect(asked.outcome).toBe('stored');
  });

  it('the wait of a caller includes no lock of a layer that failed to answer', async () => {
    const { cache, remote } = process();
    remote.failing = new Error('down');
    const asked = watch(ask(cache, () => 'loaded', { lock: true }));
    await settle();
    expect(asked.outcome).toBe('loaded');
    expect(remote.calls.filter((call) => call.startsWith('acquire'))).toEqual([]);
  });

  it('the wait of a caller ends without a lease that is granted too late, which is released', async () => {
    const { cache, remote, clock } = process();
    const grant = remote.hold('acquire');
    const asked = watch(ask(cache, () => 'loaded', { lock: true }));
    await settle();
    await clock.advance(1_000);
    expect(asked.outcome).toBe('loaded');
    grant();
    await settle();
    expect(remote.server.locks.size).toBe(0);
  });
});

describe('a caller that joins a load', () => {
  it('a caller that joins a load waits for its own hardTimeout, even if the load has a longer one', async () => {
    const { cache, clock } = process();
    const first = watch(cache.getOrSet('a', never, { hardTimeout: '1m' }));
    await clock.advance(100);
    const joined = watch(cache.getOrSet('a', never, { hardTimeout: 300 }));
    await clock.advance(299);
    expect(joined.outcome).toBe('waiting');
    await clock.advance(1);
    expect([joined.outcome, first.outcome]).toEqual(['LOAD_TIMEOUT', 'waiting']);
  });

  it('a caller that stops waiting for a joined load uses the rest of its hardTimeout for its own load', async () => {
    const { cache, clock } = process();
    watch(cache.getOrSet('a', never, { hardTimeout: '1m' }));
    const joined = watch(cache.getOrSet('a', never, { hardTimeout: 300, waitTimeout: 200 }));
    await clock.advance(299);
    expect(joined.outcome).toBe('waiting');
    await clock.advance(1);
    expect(joined.outcome).toBe('LOAD_TIMEOUT');
  });
});

describe('a batch of 5,000 keys', () => {
  const keys = Array.from({ length: 5_000 }, (_, at) => `item:${at}`);
  const load = (missing: string[]) => missing.map((key) => ({ key, text: 'x'.repeat(50) }));

  it.each([true, false])('a batch of 5,000 keys does not block the event loop (memory: %s)', async (memory) => {
    const { cache } = process({ memory });
    const { result, turns, largest } = await turnsDuring(async () => {
      await cache.clear();
      return cache.getOrSetMany(keys, load);
    });
    expect(result).toHaveLength(5_000);
    expect(turns).toBeGreaterThan(500);
    expect(largest).toBeLessThan(0.3);
  });

  it('a batch of 5,000 keys calls the loader once, writes once, and answers callers that join', async () => {
    const { cache, remote, observer } = process();
    let calls = 0;
    let begun!: () => void;
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    let finish!: () => void;
    const finishing = new Promise<void>((resolve) => (finish = resolve));
    const all = cache.getOrSetMany(keys, async (missing) => {
      calls++;
      begun();
      await finishing;
      return load(missing);
    });
    await beginning;
    const joined = cache.getOrSet('item:4999', () => 'never loaded');
    finish();
    expect(await all).toHaveLength(5_000);
    expect(await joined).toMatchObject({ key: 'item:4999' });
    await settle();
    expect(calls).toBe(1);
    expect(remote.calls.map((call) => call.split(' ')[0])).toEqual(['getMany', 'setMany']);
    const outcomes = observer.take().filter((line) => /^item:\d+ (miss|coalesced)/.test(line));
    expect(outcomes).toHaveLength(5_001);
  });

  it('a batch of 5,000 keys stores nothing in any layer that was invalidated between two slices of its writes', async () => {
    const { cache, remote } = process();
    let deleting: Promise<unknown> | undefined;
    let now = 0;
    // Every slice ends as soon as it can.
    const machine = jest.spyOn(performance, 'now').mockImplementation(() => ++now);
    await cache.getOrSetMany(keys, async (missing) => {
      setImmediate(() => (deleting = cache.del('item:0')));
      return load(missing);
    });
    machine.mockRestore();
    await deleting;
    expect(deleting).toBeDefined();
    expect([cache.peek('item:0'), remote.server.entries.has('item:0')]).toEqual([undefined, false]);
    expect([cache.peek('item:1') !== undefined, remote.server.entries.has('item:1')]).toEqual([true, true]);
  });

  it('a batch of 5,000 keys writes nothing to remote layers that was invalidated before the write', async () => {
    const { cache, remote } = process({ memory: false });
    await cache.getOrSetMany(['a', 'b'], async (missing) => {
      await cache.del('a');
      return load(missing);
    });
    expect([...remote.server.entries.keys()]).toEqual(['b']);
  });
});
