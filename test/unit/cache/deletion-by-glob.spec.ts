import { describe, expect, it, jest } from '@jest/globals';
import { createObservedCache, memoryLayer, type ObservedCache } from '../../../lib/index.js';
import { turnsDuring } from '../../support/loop-turns.js';

const KEYS = 20_000;

async function filled(): Promise<ObservedCache> {
  const cache = createObservedCache({ layers: [memoryLayer({ maxEntries: 2 * KEYS })] });
  await cache.mset(Array.from({ length: KEYS }, (_, at) => ({ key: `user:${at}:cart`, value: at })));
  return cache;
}

describe('a deletion by glob over many entries in memory', () => {
  it('a deletion by glob does not block the event loop, and removes every match', async () => {
    const cache = await filled();
    await cache.set('other', 1);
    const counts: number[] = [];
    const { turns, largest } = await turnsDuring(async () => {
      counts.push(await cache.deleteByPattern('*:c?rt'));
    });
    expect(counts).toEqual([KEYS, 0, 0]);
    expect(turns).toBeGreaterThan(10);
    expect(largest).toBeLessThan(0.5);
    expect(await cache.get('other')).toBe(1);
    expect(await cache.get('user:1:cart')).toBeUndefined();
    expect(cache.metrics.getStats().missReasons).toMatchObject({ invalidated: 1 });
  });

  it('a deletion by glob keeps entries that are written and loaded while it runs', async () => {
    const cache = await filled();
    const written = ['user:3:cart', `user:${KEYS - 1}:cart`, 'user:new:cart'];
    let now = performance.now();
    const machine = jest.spyOn(performance, 'now').mockImplementation(() => ++now);
    const deleting = cache.deleteByPattern('user:*:cart');
    for (const key of written) await cache.set(key, 'new');
    await cache.getOrSet('user:7:cart', () => 'loaded', { ttl: '1m' });
    machine.mockRestore();
    expect(await deleting).toBeLessThanOrEqual(KEYS);
    expect(await cache.mget([...written, 'user:7:cart', 'user:8:cart'])).toEqual([
      'new',
      'new',
      'new',
      'loaded',
      undefined,
    ]);
  });
});
