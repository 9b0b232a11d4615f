import { describe, expect, it } from '@jest/globals';
import { MissReason } from '../../../lib/cache/base/observer.js';
import { MissReasons } from '../../../lib/cache/freshness/miss-reasons.js';

describe('the reason of a miss', () => {
  it('the reason of a miss depends on how the entry was removed', () => {
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

  it('the reason of a miss changes when the key is stored again', () => {
    const reasons = new MissReasons();
    reasons.kept('a', 100);
    reasons.invalidated('a');
    reasons.kept('a', 200);
    expect(reasons.of('a', 250)).toBe(MissReason.expired);
  });

  it('the reason of a miss is an invalidation for entries from before everything was invalidated', () => {
    const reasons = new MissReasons();
    reasons.kept('a', 100);
    reasons.allInvalidated();
    expect(reasons.of('a', 50)).toBe(MissReason.invalidated);
    expect(reasons.of('b', 50)).toBe(MissReason.cold);
  });

  it('the reason of a miss is unknown if other keys may have displaced the record', () => {
    const reasons = new MissReasons(64);
    for (let index = 0; index < 10_000; index++) reasons.kept(`key:${index}`, 1e9);
    const found = new Set(Array.from({ length: 100 }, (_, index) => reasons.of(`key:${index}`, 50)));
    expect(found.has(MissReason.cold)).toBe(false);
    expect(found.has(MissReason.unknown)).toBe(true);
  });
});
