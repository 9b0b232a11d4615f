import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LayeredCache } from '../../lib/cache/layered-cache.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import type { LayerFactory } from '../../lib/cache/layers/layer.js';
import type { CachePolicy } from '../../lib/cache/policies/policy.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { RecordingObserver } from '../support/recording-observer.js';
import { ScriptedLayer } from '../support/scripted-layer.js';

const KEYS = ['a:1', 'a:2', 'b:1'];
const TTL = 1_000;

const action = fc.record({
  what: fc.constantFrom(
    'getOrSet', 'getOrSet', 'getOrSet', 'getOrSet', 'many', 'get', 'mget', 'has', 'land', 'land', 'land', 'fail',
    'set', 'del', 'mdel', 'expire', 'tag', 'glob', 'clear', 'age', 'age',
  ), // prettier-ignore
  key: fc.constantFrom(...KEYS),
  ms: fc.constantFrom(50, 400, 900, 1_500),
});

const policyOf = fc.record({
  staleWhileRevalidate: fc.constantFrom(0, 500),
  staleIfError: fc.constantFrom(0, 800),
  softTimeout: fc.constantFrom(undefined, 100),
  refreshAhead: fc.constantFrom(undefined, 0.5, 'xfetch' as const),
  jitter: fc.constantFrom(0, 0.3),
  lock: fc.boolean(),
  waitTimeout: fc.constantFrom(undefined, 300),
  negativeTtl: fc.constantFrom(false as const, 100),
});

const wasSet = (answer: unknown): boolean => typeof answer === 'object' && answer !== null && 'set' in answer;

async function run(
  policy: CachePolicy,
  layersOf: () => LayerFactory[],
  actions: readonly { what: string; key: string; ms: number }[],
) {
  const clock = new ManualClock();
  const observer = new RecordingObserver();
  let seed = 1;
  const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const cache = new LayeredCache({ layers: layersOf(), namespace: 'cache', ttl: TTL, observer, clock, random });
  const grace = Number(policy.staleWhileRevalidate) + Number(policy.staleIfError);
  let version = 0;
  const origin = new Map(KEYS.map((key) => [key, 0]));
  /** For each key the oldest allowed version: after the last write or invalidation, for loaded values also of its tag. */
  const known = new Map(KEYS.map((key) => [key, { atLeast: 0, loaded: 0 }]));
  const waiting: { land(): void; fail(): void }[] = [];
  const failure = { thrown: 'no Error' };
  const reads: Promise<unknown>[] = [];
  let accesses = 0;
  const load = (key: string) => {
    const value = origin.get(key)!;
    const loadedAt = clock.now();
    return new Promise<unknown>((resolve, reject) => {
      waiting.push({ land: () => resolve(value % 5 === 4 ? null : { value, loadedAt }), fail: () => reject(failure) });
    });
  };
  const seen = (answer: unknown, { atLeast, loaded }: { atLeast: number; loaded: number }, servableSince: number) => {
    // Every fifth version of a key is null, stored for `negativeTtl`.
    if (answer === undefined || answer === null) return;
    const { value, loadedAt } = answer as { value: number; loadedAt: number };
    expect(value).toBeGreaterThanOrEqual(wasSet(answer) ? atLeast : Math.max(atLeast, loaded));
    // A load lasts five seconds at most here; then the entry lives for its TTL and its grace.
    expect(loadedAt + 5_000 + TTL + grace).toBeGreaterThanOrEqual(servableSince);
  };
  const invalidated = (keys: readonly string[]) => {
    for (const key of keys) {
      origin.set(key, ++version);
      known.get(key)!.atLeast = version;
    }
  };
  const full = { ...policy, tags: (answer: unknown) => (answer === null ? [] : ['tag']), hardTimeout: 5_000 };
  for (const { what, key, ms } of actions) {
    const least = { ...known.get(key)! };
    const now = clock.now();
    if (what === 'getOrSet') {
      accesses++;
      reads.push(
        cache
          .getOrSet(key, () => load(key), full as CachePolicy<unknown>)
          .then(
            (answer) => seen(answer, least, now),
            (error: unknown) => {
              if (error !== failure) expect(error).toMatchObject({ code: 'LOAD_TIMEOUT' });
            },
          ),
      );
    } else if (what === 'many') {
      accesses += KEYS.length;
      const each = KEYS.map((one) => ({ ...known.get(one)! }));
      reads.push(
        cache
          .getOrSetMany(KEYS, (keys) => Promise.all(keys.map(load)), full as CachePolicy<unknown>)
          .then(
            (answers) => answers.forEach((answer, index) => seen(answer, each[index]!, now)),
            (error: unknown) => {
              if (error !== failure) expect(error).toMatchObject({ code: 'LOAD_TIMEOUT' });
            },
          ),
      );
    } else if (what === 'get') {
      accesses++;
      const answer = await cache.get(key);
      seen(answer, least, now);
      // A plain read returns nothing stale.
      if (answer !== undefined && answer !== null)
        expect((answer as { loadedAt: number }).loadedAt + 5_000 + TTL).toBeGreaterThan(now);
    } else if (what === 'mget') {
      accesses += KEYS.length;
      const each = KEYS.map((one) => ({ ...known.get(one)! }));
      (await cache.mget(KEYS)).forEach((answer, index) => seen(answer, each[index]!, now));
    } else if (what === 'has') expect(await cache.has(key)).toBe((await cache.ttl(key)) !== undefined);
    else if (what === 'land') waiting.shift()?.land();
    else if (what === 'fail') waiting.shift()?.fail();
    else if (what === 'age') await clock.advance(ms);
    else if (what === 'set') {
      origin.set(key, ++version);
      known.get(key)!.atLeast = version;
      const value = { value: version, loadedAt: now, set: true };
      await cache.set(key, value);
      accesses++;
      expect(await cache.get(key)).toEqual(value);
    } else if (what === 'expire') {
      await cache.expire(key);
      accesses++;
      expect(await cache.get(key)).toBeUndefined();
    } else if (what === 'tag') {
      for (const one of KEYS) {
        origin.set(one, ++version);
        known.get(one)!.loaded = version;
      }
      accesses += 2 * KEYS.length;
      const before = await cache.mget(KEYS);
      await cache.invalidateTags('tag');
      // A value that was set has no tag and stays, and so does a stored undefined.
      expect(await cache.mget(KEYS)).toEqual(before.map((kept) => (kept === null || wasSet(kept) ? kept : undefined)));
    } else {
      const keys = what === 'clear' || what === 'mdel' ? KEYS : what === 'glob' ? ['a:1', 'a:2'] : [key];
      invalidated(keys);
      if (what === 'del') await cache.del(key);
      else if (what === 'mdel') await cache.mdel(KEYS);
      else if (what === 'glob') await cache.deleteByPattern('a:*');
      else await cache.clear();
      for (const one of keys) expect(cache.peek(one)).toBeUndefined();
    }
    await settle();
  }
  for (let round = 0; round < 40; round++) {
    while (waiting.length > 0) waiting.shift()!.land();
    await clock.advance(500);
  }
  await Promise.all(reads);
  const accessed = observer.take().filter((line) => /^[ab]:\d (hit|stale|miss|coalesced|error)\b/.test(line));
  expect(accessed).toHaveLength(accesses);
  expect(observer.running).toBe(0);
  await cache.disconnect();
}

describe('read-through in any order of events', () => {
  const property = (layersOf: () => LayerFactory[]) =>
    fc.assert(
      fc.asyncProperty(policyOf, fc.array(action, { maxLength: 60, size: 'max' }), (policy, actions) =>
        run(policy as CachePolicy, layersOf, actions),
      ),
      { numRuns: 60 },
    );

  it('read-through returns nothing older than allowed and reports every access once, over memory', async () => {
    await property(() => [memoryLayer()]);
  }, 120_000);

  it('read-through is correct over memory and a remote layer', async () => {
    await property(() => [memoryLayer(), new ScriptedLayer().factory()]);
  }, 120_000);

  it('read-through is correct over a remote layer alone', async () => {
    await property(() => [new ScriptedLayer().factory()]);
  }, 120_000);

  it('read-through is correct over a remote layer that always fails', async () => {
    await property(() => {
      const remote = new ScriptedLayer();
      remote.failing = new Error('broken');
      return [memoryLayer(), remote.factory()];
    });
  }, 120_000);
});
