import { describe, expect, it } from '@jest/globals';
import { keyHash } from '../../../../lib/insight/stream/key-hash.js';
import { DistinctCount, RepeatTable } from '../../../../lib/insight/evidence/repeat-table.js';
import { randomOf, zipf } from '../../../support/workloads.js';

const hash = (n: number) => keyHash(`key:${n}`, 77) >>> 0;

/** The hit rate of a cache that stores every key for its TTL. */
function exact(keys: readonly number[], everyMs: number, ttlMs: number): number {
  const filled = new Map<number, number>();
  let hits = 0;
  for (const [index, key] of keys.entries()) {
    const at = filled.get(key);
    if (at !== undefined && index * everyMs - at < ttlMs) hits += 1;
    else filled.set(key, index * everyMs);
  }
  return hits / keys.length;
}

describe('a repeat table', () => {
  it.each([
    [100, 0.9],
    [3_000, 1],
    [20_000, 0.7],
  ])('a repeat table estimates how often %i keys repeat within their TTL (exponent %f)', (count, exponent) => {
    for (const seed of [1, 2, 3]) {
      const draw = zipf(count, exponent, randomOf(seed));
      const keys = Array.from({ length: 20_000 }, draw);
      const table = new RepeatTable(0);
      for (const [index, key] of keys.entries()) table.add(hash(key), index * 10, 60_000);
      const { share, error } = table.read();
      expect(Math.abs(share - exact(keys, 10, 60_000))).toBeLessThan(Math.max(0.05, error));
    }
  });

  it('a repeat table counts how many values equal the last value of their key', () => {
    const table = new RepeatTable(0);
    for (let n = 0; n < 100; n++) table.add(hash(n % 10), n, 1_000, () => (n % 10 === 0 ? n + 1 : -7));
    expect(table.read().sameValue).toBeCloseTo(0.9);
  });

  it('a repeat table compares no value with that of an earlier key in the same slot', () => {
    const table = new RepeatTable(0);
    table.add(0x105, 0, 1_000, () => 1);
    table.fade();
    table.add(0x205, 1, 1_000);
    table.add(0x205, 2, 1_000, () => 2);
    expect(table.read().sameValue).toBeNull();
  });

  it('a repeat table that grows keeps the times, values and counts of its keys', () => {
    const table = new RepeatTable(0);
    for (let n = 0; n < 190; n++) table.add(hash(n), 0, 1_000, () => n + 1);
    for (let n = 0; n < 95; n++) table.add(hash(n), 500, 1_000, () => n + 1);

    expect(table.read()).toMatchObject({ adds: 285, share: 95 / 285, distinct: 190, once: 0.5, sameValue: 1 });
  });

  it('a repeat table forgets half of its counts', () => {
    const table = new RepeatTable(0);
    for (let n = 0; n < 1_000; n++) table.add(hash(n % 10), n, 10_000);
    const before = table.read();
    table.fade();
    expect(table.read().adds).toBe(500);
    expect(table.read().share).toBeCloseTo(before.share, 2);
  });
});

describe('a distinct count', () => {
  it('a distinct count is exact up to 64, and close beyond', () => {
    for (const count of [1, 40, 64, 1_000, 50_000]) {
      const distinct = new DistinctCount();
      for (let n = 0; n < count; n++) for (const _ of [0, 1]) distinct.add(hash(n));
      expect(Math.abs(distinct.estimate - count) / count).toBeLessThanOrEqual(count <= 64 ? 0 : 0.4);
    }
  });
});
