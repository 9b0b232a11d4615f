import { describe, expect, it } from '@jest/globals';
import { Invalidations } from '../../../lib/cache/invalidations.js';
import { entryOf } from '../../support/entries.js';

const at = (epoch: number, tags: string[] = []) => ({ ...entryOf(1, { tags }), epoch });

describe('the order of invalidations', () => {
  it('tells what concerns a key or a tag since an epoch, and nothing else', () => {
    const order = new Invalidations();
    const before = order.begin();
    order.key('a');
    order.glob('b:*');
    order.tags(['t']);
    expect(order.lastSince(before, 'a', [])).toBe(1);
    expect(order.lastSince(before, 'b:1', [])).toBe(2);
    expect(order.lastSince(before, 'c', ['t'])).toBe(3);
    expect(order.lastSince(before, 'c', [])).toBe(0);
    expect(order.lastSince(order.epoch, 'a', ['t'])).toBe(0);
    order.all();
    expect(order.lastSince(before, 'c', [])).toBe(4);
  });

  it('remembers keys and globs while something is under way only', () => {
    const order = new Invalidations();
    order.key('a');
    expect(order.lastSince(0, 'a', [])).toBe(0);
    order.begin();
    order.key('a');
    expect(order.lastSince(1, 'a', [])).toBe(2);
    order.end();
    expect(order.lastSince(1, 'a', [])).toBe(0);
  });

  it('refuses an entry once one of its tags is newer', () => {
    const order = new Invalidations();
    order.tags(['t']);
    expect(order.current(at(0, ['t']))).toBe(false);
    expect(order.current(at(0, ['u']))).toBe(true);
    expect(order.current(at(1, ['t']))).toBe(true);
  });

  it('forgets the oldest tags on the safe side', () => {
    const order = new Invalidations(2);
    order.tags(['a']);
    order.tags(['b']);
    order.tags(['c']);
    expect(order.current(at(0, ['a']))).toBe(false);
    // No tag that is not remembered can be told from one that was forgotten.
    expect(order.current(at(0, ['never']))).toBe(false);
    expect(order.current(at(1, ['never']))).toBe(true);
  });

  it('forgets the oldest keys and globs on the safe side', () => {
    const order = new Invalidations(2);
    const before = order.begin();
    order.keys(['a', 'b', 'c']);
    expect(order.lastSince(before, 'a', [])).toBe(1);
    expect(order.lastSince(before, 'never', [])).toBe(1);
    const globs = new Invalidations();
    const start = globs.begin();
    for (let index = 0; index <= 1_000; index++) globs.glob(`g${index}:*`);
    expect(globs.lastSince(start, 'g0:1', [])).toBe(1);
  });
});
