import { describe, expect, it, jest } from '@jest/globals';
import { LayeredCache } from '../../../lib/cache/layered-cache.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { RecordingObserver } from '../../support/recording-observer.js';

function setUp() {
  const clock = new ManualClock();
  const observer = new RecordingObserver();
  const log = jest.fn();
  const cache = new LayeredCache({ layers: [memoryLayer()], namespace: 'cache', ttl: '1m', observer, clock, log });
  return { cache, clock, observer, log };
}

const thrown = (promise: Promise<unknown>) =>
  promise.then(
    () => ({ error: 'nothing was thrown' as unknown }),
    (error: unknown) => ({ error }),
  );

describe('an error of a loader', () => {
  const cases: [what: string, error: unknown][] = [
    ['an Error', new RangeError('origin')],
    ['undefined', undefined],
    ['null', null],
    ['text', 'origin'],
    ['a plain object', Object.freeze({ status: 503 })],
  ];
  it.each(cases)('an error of a loader reaches every caller unchanged: %s', async (_, error) => {
    const { cache, observer } = setUp();

    const rejecting = () => Promise.reject(error);
    const answers = await Promise.all([1, 2].map(() => thrown(cache.getOrSet('a', rejecting))));
    expect(answers).toEqual([{ error }, { error }]);
    expect((await thrown(cache.getOrSetMany(['b', 'c'], rejecting))).error).toBe(error);
    expect((await thrown(cache.wrap('d', rejecting))).error).toBe(error);
    await settle();
    expect(observer.running).toBe(0);
    expect(observer.take().filter((line) => / (miss|coalesced)/.test(line))).toHaveLength(5);
  });

  it('an error of a loader reaches callers unchanged if it is thrown in the same turn', async () => {
    const { cache } = setUp();
    const error = new Error('at once');
    const throwing = () => {
      throw error;
    };
    expect((await thrown(cache.getOrSet('a', throwing))).error).toBe(error);
    expect((await thrown(cache.getOrSetMany(['a'], throwing))).error).toBe(error);
  });

  it('an error of a loader is not stored: the next caller loads', async () => {
    const { cache } = setUp();
    await thrown(cache.getOrSet('a', () => Promise.reject(new Error('once'))));
    expect(await cache.getOrSet('a', () => 1)).toBe(1);
  });
});

describe('a loader that never settles', () => {
  it('a loader that never settles is given up after hardTimeout, with its signal aborted, and delays no later caller', async () => {
    const { cache, clock } = setUp();
    let signal: AbortSignal | undefined;
    const first = thrown(
      cache.getOrSet('a', (context) => {
        signal = context.signal;
        return new Promise(() => undefined);
      }),
    );
    await settle();
    await clock.advance(30_000);
    expect((await first).error).toMatchObject({ code: 'LOAD_TIMEOUT' });
    expect(signal?.aborted).toBe(true);
    expect(await cache.getOrSet('a', () => 2)).toBe(2);
  });

  it('a loader that never settles does not hang a batch', async () => {
    const { cache, clock } = setUp();
    const batch = thrown(cache.getOrSetMany(['a', 'b'], () => new Promise<never>(() => undefined)));
    await settle();
    await clock.advance(30_000);
    expect((await batch).error).toMatchObject({ code: 'LOAD_TIMEOUT' });
    expect(await cache.getOrSetMany(['a', 'b'], () => [1, 2])).toEqual([1, 2]);
  });
});

describe('a loader that reads its own key', () => {
  it('a loader that reads its own key does not wait for itself', async () => {
    const { cache } = setUp();
    const value = await cache.getOrSet('a', async () => `outer of ${await cache.getOrSet('a', () => 'inner')}`);
    expect(value).toBe('outer of inner');
  });

  it('a loader that reads its own key through another key or a batch does not wait for itself', async () => {
    const { cache } = setUp();
    const inner = () => cache.getOrSet('a', () => 'inner');
    expect(await cache.getOrSet('a', () => cache.getOrSet('b', inner))).toBe('inner');
    await cache.clear();
    const batch = await cache.getOrSetMany(['a', 'b'], async (keys) => {
      const [again] = await cache.getOrSetMany(['a'], () => ['inner']);
      return keys.map((key) => `${key} of ${again}`);
    });
    expect(batch).toEqual(['a of inner', 'b of inner']);
  });
});

describe('a value that cannot be stored', () => {
  it('a value that cannot be stored reaches its callers, is counted and logged once', async () => {
    const { cache, observer, log } = setUp();
    const value = { run: () => 1 };
    expect(await cache.getOrSet('a', () => value)).toBe(value);
    expect(await cache.getOrSet('a', () => value)).toBe(value);
    expect(observer.take().filter((line) => line === 'a set rejected')).toHaveLength(2);
    expect(log.mock.calls.filter(([, code]) => code === 'VALUE_NOT_SERIALIZABLE')).toHaveLength(1);
    expect(await cache.getOrSetMany(['b', 'c'], () => [value, 1] as never)).toEqual([value, 1]);
    expect(cache.peek('c')).toBe(1);
    expect(cache.peek('b')).toBeUndefined();
  });
});

describe('a batch with invalidated tags', () => {
  it('a batch is not returned to a caller that came after an invalidation of its tags', async () => {
    const { cache } = setUp();
    let land!: (values: string[]) => void;
    const tags = () => ['t'];
    const batch = cache.getOrSetMany(['a', 'b'], () => new Promise<string[]>((resolve) => (land = resolve)), { tags });
    await settle();
    await cache.invalidateTags('t');
    const later = cache.getOrSet('a', () => 'new', { tags });
    await settle();
    land(['old a', 'old b']);
    expect(await batch).toEqual(['old a', 'old b']);
    expect(await later).toBe('new');
    expect(cache.peek('a')).toBe('new');
    expect(cache.peek('b')).toBeUndefined();
  });
});

describe('a load that is invalidated twice', () => {
  it('a load that is invalidated twice is not returned to a caller that came between', async () => {
    const { cache } = setUp();
    const landings: ((value: string) => void)[] = [];
    const load = () => new Promise<string>((resolve) => landings.push(resolve));
    const tags = () => ['t'];
    const before = cache.getOrSet('a', load, { tags });
    await settle();
    await cache.invalidateTags('t');
    const between = cache.getOrSet('a', load, { tags });
    await settle();
    await cache.del('a');
    landings[0]!('old');
    await settle();
    landings[1]!('new');
    expect(await before).toBe('old');
    expect(await between).toBe('new');
  });
});
