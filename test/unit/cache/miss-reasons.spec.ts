import { describe, expect, it } from '@jest/globals';
import { MissReason } from '../../../lib/cache/observer.js';
import { MissReasons } from '../../../lib/cache/reading/miss-reasons.js';

describe('why a key is not there', () => {
  it('is told by what became of it', () => {
    const reasons = new MissReasons();
    for (const key of ['expired', 'evicted', 'invalidated', 'lost']) reasons.kept(key, 100);
    reasons.evicted('evicted');
    reasons.invalidated('invalidated');
    expect(reasons.of('never', 50)).toBe(MissReason.cold);
    expect(reasons.of('evicted', 50)).toBe(MissReason.evicted);
    expect(reasons.of('evicted', 150)).toBe(MissReason.expired);
    expect(reasons.of('invalidated', 150)).toBe(MissReason.invalidated);
    expect(reasons.of('expired', 100)).toBe(MissReason.expired);
    expect(reasons.of('lost', 50)).toBe(MissReason.unknown);
  });

  it('changes when the key is kept again', () => {
    const reasons = new MissReasons();
    reasons.kept('a', 100);
    reasons.invalidated('a');
    reasons.kept('a', 200);
    expect(reasons.of('a', 250)).toBe(MissReason.expired);
  });

  it('is an invalidation for all that was kept before everything was', () => {
    const reasons = new MissReasons();
    reasons.kept('a', 100);
    reasons.allInvalidated();
    expect(reasons.of('a', 50)).toBe(MissReason.invalidated);
    expect(reasons.of('b', 50)).toBe(MissReason.cold);
  });

  it('is unknown rather than guessed where others may have displaced it', () => {
    const reasons = new MissReasons(64);
    for (let index = 0; index < 10_000; index++) reasons.kept(`key:${index}`, 1e9);
    const told = new Set(Array.from({ length: 100 }, (_, index) => reasons.of(`key:${index}`, 50)));
    expect(told.has(MissReason.cold)).toBe(false);
    expect(told.has(MissReason.unknown)).toBe(true);
  });
});
