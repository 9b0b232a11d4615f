import { describe, expect, it } from '@jest/globals';
import { createObservedCache, type ObservedCacheOptions } from '../../../lib/index.js';
import type { PolicyEvent } from '../../../lib/tuning/policy-tuning.js';
import { ManualClock } from '../../support/manual-clock.js';

function started(options: ObservedCacheOptions = {}) {
  const clock = new ManualClock();
  const cache = createObservedCache({ clock, ttl: '5m', ...options });
  const events: PolicyEvent[] = [];
  cache.tuning.watch((event) => events.push(event));
  return { clock, cache, events };
}

/** How long a value that is stored now stays fresh, milliseconds. */
async function storedFor({ clock, cache }: ReturnType<typeof started>, key: string, policy?: { ttl: string }) {
  await cache.del(key);
  await cache.getOrSet(key, () => key, policy);
  return (await cache.ttl(key))! - clock.now();
}

describe('an override of a policy', () => {
  it('an override replaces the TTL of the cache for values stored later', async () => {
    const its = started();
    await its.cache.getOrSet('feed:1', () => 'before');
    await its.cache.tuning.override('feed:*', { ttl: '1m' });
    expect(await its.cache.ttl('feed:1')).toBe(its.clock.now() + 300_000);
    expect(await storedFor(its, 'feed:2')).toBe(60_000);
    expect(await storedFor(its, 'user:2')).toBe(300_000);
  });

  it('an override replaces the TTL that a caller of getOrSet, wrap or getOrSetMany gives', async () => {
    const its = started();
    await its.cache.tuning.override('feed:*', { ttl: '1m' });
    expect(await storedFor(its, 'feed:1', { ttl: '2h' })).toBe(60_000);
    await its.cache.wrap('feed:2', () => 2, 7_200_000);
    await its.cache.getOrSetMany(['feed:3'], () => [3], { ttl: '2h' });
    expect(await its.cache.ttl('feed:2')).toBe(its.clock.now() + 60_000);
    expect(await its.cache.ttl('feed:3')).toBe(its.clock.now() + 60_000);
  });

  it('an override replaces the TTL of set() unless the caller gives one for the value', async () => {
    const its = started();
    await its.cache.tuning.override('feed:*', { ttl: '1m' });
    await its.cache.set('feed:1', 1);
    await its.cache.set('feed:2', 2, '2h');
    expect(await its.cache.ttl('feed:1')).toBe(its.clock.now() + 60_000);
    expect(await its.cache.ttl('feed:2')).toBe(its.clock.now() + 7_200_000);
  });

  it('an override of refreshAhead refreshes hits ahead', async () => {
    const its = started();
    await its.cache.getOrSet('feed:1', () => 'old');
    await its.cache.tuning.override('feed:*', { refreshAhead: 0.5 });
    await its.clock.advance(200_000);
    await its.cache.getOrSet('feed:1', () => 'new');
    await its.clock.advance(0);
    expect(its.cache.peek('feed:1')).toBe('new');
  });

  it('an override ends when it is reverted', async () => {
    const its = started();
    await its.cache.tuning.override('feed:*', { ttl: '1m' }, { by: 'ada' });
    const report = await its.cache.tuning.revert('feed:*', { by: 'ada' });
    expect(report).toMatchObject({ override: null, effective: { ttlMs: 300_000 } });
    expect(await storedFor(its, 'feed:1')).toBe(300_000);
    expect(its.events.map(({ change, values, setBy }) => [change, values.ttlMs, setBy])).toEqual([
      ['set', 60_000, 'ada'],
      ['reverted', 300_000, 'ada'],
    ]);
  });

  it('an override ends after its given time', async () => {
    const its = started();
    const report = await its.cache.tuning.override('feed:*', { ttl: '1m' }, { for: '10m' });
    expect(report.override?.expiresAt).toBe(new Date(its.clock.now() + 600_000).toISOString());
    await its.clock.advance(599_999);
    expect(await storedFor(its, 'feed:1')).toBe(60_000);
    await its.clock.advance(1);
    expect(await storedFor(its, 'feed:1')).toBe(300_000);
    expect(its.events.at(-1)).toMatchObject({ change: 'expired', values: { ttlMs: 300_000 } });
  });

  it('an override can last longer than the longest timer of Node', async () => {
    const its = started();
    await its.cache.tuning.override('feed:*', { ttl: '1m' }, { for: '40d' });
    await its.clock.advance(39 * 86_400_000);
    expect(its.cache.tuning.policies()).toMatchObject([{ pattern: 'feed:*', effective: { ttlMs: 60_000 } }]);
    await its.clock.advance(86_400_000);
    expect(its.cache.tuning.policies()).toEqual([]);
  });

  it('an override replaces an earlier override as a whole', async () => {
    const its = started();
    await its.cache.tuning.override('feed:*', { ttl: '1m', lock: true });
    const report = await its.cache.tuning.override('feed:*', { jitter: 0.1 });
    expect(report).toMatchObject({
      effective: { ttlMs: 300_000, lock: false, jitter: 0.1 },
      override: { values: { jitter: 0.1 }, reached: 'process' },
    });
  });

  it('an override applies to the keys of its pattern and not to those of a longer pattern', async () => {
    const its = started({ metrics: false });
    await its.cache.tuning.override('user:*', { ttl: '1m' });
    await its.cache.tuning.override('user:*:cart', { ttl: '2m' });
    expect(await storedFor(its, 'user:1')).toBe(60_000);
    expect(await storedFor(its, 'user:1:cart')).toBe(120_000);
  });

  it.each([
    ['a negative TTL', { ttl: -1 }, {}, 'ttl: -1 is not a duration'],
    ['a function', { ttl: () => 1 }, {}, 'ttl: '],
    ['an unknown field', { tll: '1m' }, {}, 'did you mean ttl?'],
    ['a field that cannot be overridden', { tags: ['a'] }, {}, 'tags: is unknown'],
    ['no field', {}, {}, 'at least one field'],
    ['a fraction beyond 1', { jitter: 2 }, {}, 'jitter'],
    ['no duration', { ttl: '1m' }, { for: 0 }, 'for: must be longer than 0'],
    ['a softTimeout beyond the hardTimeout', { softTimeout: '40s' }, {}, 'softTimeout: 40000 ms is not shorter'],
  ])('an override is refused with %s', async (_, change, terms, message) => {
    const { cache } = started();
    await expect(cache.tuning.override('feed:*', change as never, terms)).rejects.toThrow(message);
    expect(cache.tuning.policies()).toEqual([]);
  });

  it('an override is refused outside tuning.bounds; the longest matching glob decides', async () => {
    const { cache } = started({
      tuning: { bounds: { '*': { maxTtl: '1h' }, 'feed:*': { minTtl: '10s', maxTtl: '5m' } } },
    });
    const outside = { code: 'POLICY_OUT_OF_BOUNDS' };
    await expect(cache.tuning.override('feed:*', { ttl: '6m' })).rejects.toMatchObject(outside);
    await expect(cache.tuning.override('feed:*', { ttl: '9s' })).rejects.toMatchObject(outside);
    await expect(cache.tuning.override('feed:*', { ttl: 0 })).rejects.toMatchObject(outside);
    await expect(cache.tuning.override('user:*', { ttl: '2h' })).rejects.toMatchObject(outside);
    await cache.tuning.override('user:*', { ttl: '1h' });
    await cache.tuning.override('feed:*', { ttl: '5m' });
  });

  it('an override is refused beyond 200 overrides', async () => {
    const { cache } = started();
    for (let at = 0; at < 200; at++) await cache.tuning.override(`p${at}:*`, { ttl: 1_000 });
    await expect(cache.tuning.override('more:*', { ttl: 1_000 })).rejects.toMatchObject({ code: 'TOO_MANY_OVERRIDES' });
    await cache.tuning.override('p0:*', { ttl: 2_000 });
  });

  it('revert() refuses a pattern without an override', async () => {
    await expect(started().cache.tuning.revert('feed:*')).rejects.toMatchObject({ code: 'NOT_OVERRIDDEN' });
  });

  it('an override is logged with its values and who set it, without control characters', async () => {
    const lines: string[] = [];
    const { cache } = started({ log: (level, code, message) => lines.push(`${level} ${code} ${message}`) });
    await cache.tuning.override('feed:*', { ttl: '1m' }, { by: 'ada\nERROR forged' });
    await cache.tuning.revert('feed:*');
    expect(lines).toEqual([
      'log POLICY_OVERRIDDEN The policy of feed:* is overridden by ada ERROR forged: TTL 60 s.',
      'log POLICY_RESTORED The override of the policy of feed:* has ended (it was reverted): TTL 5 min.',
    ]);
  });

  it.each([
    [{ ttl: 0 }, 'TTL without end'],
    [{ ttl: '1h', staleWhileRevalidate: 1_500 }, 'TTL 60 min, staleWhileRevalidate 1500 ms'],
    [
      { staleIfError: '24h', hardTimeout: 0, negativeTtl: '10s' },
      'staleIfError 24 h, hardTimeout none, negativeTtl 10 s',
    ],
    [{ refreshAhead: 0.8, jitter: 0.1, lock: true }, 'refreshAhead 0.8, refreshAhead.beta 0, jitter 0.1, lock true'],
  ])('an override %j is logged as the options name it: %s', async (change, text) => {
    const lines: string[] = [];
    const { cache } = started({ log: (_, __, message) => lines.push(message) });
    await cache.tuning.override('feed:*', change);
    expect(lines).toEqual([`The policy of feed:* is overridden by code: ${text}.`]);
  });

  it.each([
    [
      'TTL_ADJUSTED',
      0,
      /^The TTL of feed:\* is \d+ (s|min) now, before \d+ (s|min): hit rate .* from \d+ accesses in \d+ minutes\.$/,
    ],
    ['TTL_NOT_ADJUSTED', 200, /^The automatic TTL of feed:\* cannot be changed and stays as it is\./],
  ])('a change of an automatic TTL is logged: %s', async (code, overrides, message) => {
    const lines: [string, string][] = [];
    const { cache, clock } = started({ log: (_, logged, text) => lines.push([logged, text]) });
    const policy = { ttl: { auto: { min: '30s', max: '1h' } } };
    await cache.getOrSet('feed:0', () => 1, policy);
    for (let at = 0; at < overrides; at++) await cache.tuning.override(`other${at}:*`, { ttl: '1m' });
    for (let at = 0; at < 1_100; at++) {
      await cache.getOrSet(`feed:${at % 10}`, () => 1, policy);
      await clock.advance(3_000);
    }
    await cache.close();
    expect(lines.filter(([logged]) => logged === code)[0]).toEqual([code, expect.stringMatching(message)]);
  });

  it('an override survives a listener that throws', async () => {
    const { cache } = started();
    cache.tuning.watch(() => {
      throw new Error('listener');
    });
    await cache.tuning.override('feed:*', { ttl: '1m' });
    expect(cache.callbacks.counts.get('listener')).toBe(1);
  });
});

describe('bounds of overrides', () => {
  it.each([
    [{ bounds: { 'feed:*': { minTtl: '1h', maxTtl: '1m' } } }, 'tuning.bounds["feed:*"].minTtl'],
    [{ bounds: { 'feed:*': { minTll: '1h' } } }, 'did you mean minTtl?'],
    [{ bound: {} }, 'did you mean bounds?'],
  ])('invalid bounds of overrides stop the start: %j', (tuning, message) => {
    expect(() => createObservedCache({ tuning: tuning as never })).toThrow(message);
  });
});
