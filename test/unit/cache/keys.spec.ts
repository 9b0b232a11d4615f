import { afterEach, describe, expect, it } from '@jest/globals';
import { LayeredCache } from '../../../lib/cache/layered-cache.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import { ManualClock } from '../../support/manual-clock.js';
import { RecordingObserver } from '../../support/recording-observer.js';

describe('text with a lone surrogate', () => {
  const cache = new LayeredCache({
    layers: [memoryLayer()],
    namespace: 'cache',
    ttl: '1m',
    observer: new RecordingObserver(),
    clock: new ManualClock(),
  });
  const bad = 'x\ud800y';
  const plan = cache.plan('p:*');
  afterEach(() => cache.clear());

  it.each<[string, () => unknown]>([
    ['get', () => cache.get(bad)],
    ['mget', () => cache.mget(['k', bad])],
    ['ttl', () => cache.ttl(bad)],
    ['has', () => cache.has(bad)],
    ['set', () => cache.set(bad, 1)],
    ['mset', () => cache.mset([{ key: 'k', value: 1 }, { key: bad, value: 1 }])], // prettier-ignore
    ['del', () => cache.del(bad)],
    ['mdel', () => cache.mdel(['k', bad])],
    ['expire', () => cache.expire(bad)],
    ['wrap', () => cache.wrap(bad, () => 1)],
    ['getOrSet', () => cache.getOrSet(bad, () => 1)],
    ['getOrSetMany', () => cache.getOrSetMany([bad], () => [1])],
    ['through', () => cache.through(bad, () => 1, plan)],
    ['renew', () => cache.renew(bad, () => 1, plan)],
    ['freshKeys', () => cache.freshKeys([bad])],
    ['freshEntry', () => cache.freshEntry(bad)],
    ['deleteByPattern', () => cache.deleteByPattern(`${bad}*`)],
    ['invalidateTags', () => cache.invalidateTags('t', bad)],
    ['the tags of a policy', () => cache.getOrSet('k', () => 1, { tags: [bad] })],
    ['setTags', () => cache.getOrSet('k', ({ setTags }) => setTags(bad))],
  ])('%s refuses a lone surrogate', async (_, operation) => {
    await expect(async () => await operation()).rejects.toMatchObject({ code: 'INVALID_KEY' });
    expect(await cache.get('k')).toBeUndefined();
  });

  it('setMany() rejects the entries with a lone surrogate and writes the others', async () => {
    const { written, rejected } = await cache.setMany([
      { key: 'fine', value: 1 },
      { key: bad, value: 1 },
      { key: 'tagged', value: 1, tags: [bad] },
    ]);
    expect(written).toBe(1);
    expect(rejected).toEqual([bad, 'tagged'].map((key) => ({ key, code: 'INVALID_KEY' })));
  });

  it('a value whose tag has a lone surrogate is returned and not stored', async () => {
    expect(await cache.getOrSet('k', () => 1, { tags: () => [bad] })).toBe(1);
    expect(await cache.has('k')).toBe(false);
  });
});
