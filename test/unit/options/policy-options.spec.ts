import { afterEach, describe, expect, it } from '@jest/globals';
import { createObservedCache } from '../../../lib/wiring/create-observed-cache.js';
import type { ObservedCache } from '../../../lib/wiring/observed-cache.js';

let cache: ObservedCache;
const open = () => (cache = createObservedCache());
afterEach(() => cache.close());

const faulty: [policy: unknown, code: string, faults: string[]][] = [
  [{ tll: '5m' }, 'INVALID_OPTIONS', ['tll: is unknown; did you mean ttl? Allowed: ttl, ']],
  [{ ttl: NaN }, 'INVALID_DURATION', ['ttl: NaN is not a duration']],
  [{ ttl: Infinity }, 'INVALID_DURATION', ['ttl: Infinity is not a duration']],
  [{ ttl: 'soon' }, 'INVALID_DURATION', ['ttl: "soon" is not a duration']],
  [{ ttl: {} }, 'INVALID_DURATION', ['ttl: an object is not a duration']],
  [{ lock: 'yes' }, 'INVALID_OPTIONS', ['lock: must be true or false, not "yes"']],
  [{ cacheIf: true }, 'INVALID_OPTIONS', ['cacheIf: must be a function, not true']],
  [{ tags: 'products' }, 'INVALID_OPTIONS', ['tags: must be an array, not "products"']],
  [{ tags: ['a', 7] }, 'INVALID_OPTIONS', ['tags[1]: must be non-empty text, not 7']],
  [{ maxEntrySize: NaN }, 'INVALID_OPTIONS', ['maxEntrySize: must be a whole number of 1 or more, not NaN']],
  [{ jitter: 2 }, 'INVALID_OPTIONS', ['jitter: must be a number from 0 to 1, not 2']],
  [{ refreshAhead: 'xfetsh' }, 'INVALID_OPTIONS', ['refreshAhead: must be one of "xfetch"']],
  [{ refreshAhead: { fractoin: 1 } }, 'INVALID_OPTIONS', ['refreshAhead.fractoin: is unknown; did you mean fraction?']],
  [{ refreshAhead: { beta: 0 } }, 'INVALID_OPTIONS', ['refreshAhead.beta: must be a number above 0, not 0']],
  [{ toString: 1 }, 'INVALID_OPTIONS', ['toString: is unknown']],
  [{ tll: 1, jitter: -1, ttl: 'x' }, 'INVALID_OPTIONS', ['tll: is unknown', 'jitter: must be', 'ttl: "x" is not']],
  ['5m', 'INVALID_OPTIONS', ['policy: must be an object, not "5m"']],
  [5, 'INVALID_OPTIONS', ['policy: must be an object, not 5']],
  [() => '5m', 'INVALID_OPTIONS', ['policy: must be an object, not a function']],
];

describe('a policy given at run time', () => {
  it.each(faulty)('every method refuses the invalid policy %j with all its faults', async (policy, code, faults) => {
    open();
    const load = () => 1;
    const attempts = [
      () => cache.getOrSet('k', load, policy as never),
      () => cache.getOrSetMany(['k'], () => [1] as never, policy as never),
      ...(typeof policy === 'object' && policy !== null ? [() => cache.wrap('k', load, policy as never)] : []),
    ];
    for (const attempt of attempts) {
      const refused = expect(attempt()).rejects;
      await refused.toMatchObject({ name: 'CacheError', code });
      for (const fault of faults) await expect(attempt()).rejects.toThrow(fault);
    }
    expect(await cache.has('k')).toBe(false);
  });

  it('a policy given at run time is not validated by hits in memory', async () => {
    open();
    await cache.set('k', 1);
    let read = 0;
    const policy = new Proxy({}, { ownKeys: () => (read++, []), getOwnPropertyDescriptor: () => (read++, undefined) });
    expect(await cache.getOrSet('k', () => 2, policy)).toBe(1);
    expect(read).toBe(0);
  });

  it('a policy given at run time may have undefined fields', async () => {
    open();
    expect(await cache.getOrSet('l', () => 1, { ttl: undefined, lock: undefined } as never)).toBe(1);
  });
});

describe('options of createObservedCache', () => {
  it('createObservedCache() refuses its options with one error that lists every fault', () => {
    open();
    expect(() => createObservedCache({ tll: 1, policy: { lock: 1 }, namespace: 'a b', ttl: 'soon' } as never)).toThrow(
      /4 faults in the options:[^]*tll: is unknown; did you mean ttl\?[^]*policy\.lock: must be[^]*namespace: must be[^]*ttl: "soon"/,
    );
    for (const [options, fault] of [
      [{ cache: 'app' }, "cache: 'app' needs CacheObservabilityModule"],
      [{ clock: {} }, 'clock: must be a clock with now, after'],
      [{ log: true }, 'log: must be a function'],
      [{ tracer: {} }, 'tracer: must be a tracer with span'],
      [{ monitoring: false }, 'monitoring: is unknown'],
      [{ layers: [] }, 'layers: must not be empty'],
      [null, 'options: must be an object, not null'],
    ] as const) {
      expect(() => createObservedCache(options as never)).toThrow(fault);
    }
  });
});
