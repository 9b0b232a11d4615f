import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SpaceSaving } from '../../../lib/metrics/space-saving.js';

describe('the most frequent keys', () => {
  it('the most frequent keys are exact while all keys fit', () => {
    const seen = new SpaceSaving(10);
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) seen.add(key);
    expect(seen.top(2)).toEqual(['a', 'b']);
    expect(seen.top(9, 2)).toEqual(['a', 'b']);
  });

  it('the most frequent keys contain every key with a frequency above one in the number of counters', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 600 }), (stream) => {
        const seen = new SpaceSaving(8);
        const exact = new Map<string, number>();
        for (const number of stream) {
          // Small numbers are much more frequent.
          const key = String(Math.floor((number * number) / 60));
          exact.set(key, (exact.get(key) ?? 0) + 1);
          seen.add(key);
        }
        expect(seen.size).toBeLessThanOrEqual(8);
        for (const [key, count] of exact) if (count > stream.length / 8) expect(seen.has(key)).toBe(true);
      }),
    );
  });

  it('a new key returns the key that it replaces', () => {
    const seen = new SpaceSaving(2);
    for (const key of ['a', 'a', 'b']) expect(seen.add(key)).toBeUndefined();
    expect(seen.add('c')).toBe('b');
    expect(seen.has('b')).toBe(false);
  });

  it('halved counts let new keys become the most frequent', () => {
    const seen = new SpaceSaving(4);
    for (let time = 0; time < 8; time++) seen.add('old');
    seen.halve();
    seen.halve();
    for (let time = 0; time < 3; time++) seen.add('new');
    expect(seen.top(1)).toEqual(['new']);
    expect(seen.top(2, 3)).toEqual(['new']);
  });
});
