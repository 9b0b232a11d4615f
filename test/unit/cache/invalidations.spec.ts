import { describe, expect, it } from '@jest/globals';
import { Invalidations } from '../../../lib/cache/invalidation/invalidations.js';
import { entryOf } from '../../support/entries.js';

const at = (epoch: number, tags: string[] = []) => ({ ...entryOf(1, { tags }), epoch });

describe('the log of invalidations', () => {
  it('the log of invalidations finds invalidations of a key or a tag since an epoch, and no others', () => {
    const order = new Invalidations();
    const before = order.begin();
    order.key('a');
    order.glob('b:*');
    order.tags(['t']);
    expect(order.concernedSince(before, 'a', [])).toBe(true);
    expect(order.concernedSince(before, 'b:1', [])).toBe(true);
    expect(order.concernedSince(before, 'c', ['t'])).toBe(true);
    expect(order.concernedSince(before, 'c', [])).toBe(false);
    expect(order.concernedSince(order.epoch, 'a', ['t'])).toBe(false);
    order.all();
    expect(order.concernedSince(before, 'c', [])).toBe(true);
  });

  it('the log of invalidations remembers keys and globs only while a load runs', () => {
    const order = new Invalidations();
    order.key('a');
    expect(order.concernedSince(0, 'a', [])).toBe(false);
    order.begin();
    order.key('a');
    expect(order.concernedSince(1, 'a', [])).toBe(true);
    order.end();
    expect(order.concernedSince(1, 'a', [])).toBe(false);
  });

  it('the log of invalidations refuses an entry once one of its tags is newer', () => {
    const order = new Invalidations();
    order.tags(['t']);
    expect(order.current(at(0, ['t']))).toBe(false);
    expect(order.current(at(0, ['u']))).toBe(true);
    expect(order.current(at(1, ['t']))).toBe(true);
  });

  it('the log of invalidations counts the oldest forgotten tags as invalidated', () => {
    const order = new Invalidations(2);
    order.tags(['a']);
    order.tags(['b']);
    order.tags(['c']);
    expect(order.current(at(0, ['a']))).toBe(false);
    // A tag that was never invalidated looks the same as one that was forgotten.
    expect(order.current(at(0, ['never']))).toBe(false);
    expect(order.current(at(1, ['never']))).toBe(true);
  });

  it('the log of invalidations counts the oldest forgotten keys and globs as invalidated', () => {
    const order = new Invalidations(2);
    const before = order.begin();
    order.keys(['a', 'b', 'c']);
    expect(order.concernedSince(before, 'a', [])).toBe(true);
    expect(order.concernedSince(before, 'never', [])).toBe(true);
    const globs = new Invalidations();
    const start = globs.begin();
    for (let index = 0; index <= 1_000; index++) globs.glob(`g${index}:*`);
    expect(globs.concernedSince(start, 'g0:1', [])).toBe(true);
  });
});
