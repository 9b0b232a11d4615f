import { expect, it } from '@jest/globals';
import { createObservedCache } from '../../../lib/index.js';
import { StaleShares } from '../../../lib/insight/stale-shares.js';

it('maxStaleShare is one outdated hit in a hundred by default', () => {
  expect(new StaleShares().of('feed:*')).toBe(0.01);
});

it('maxStaleShare may be one share for all patterns', () => {
  expect(new StaleShares(0.2).of('feed:*')).toBe(0.2);
});

it('maxStaleShare is the share of the pattern, or of the longest matching glob', () => {
  const shares = new StaleShares({ '*': 0.05, 'feed:*': 0.1, 'feed:top:*': 0 });
  expect(['feed:*', 'feed:top:*', 'feed:x:*', 'seller:*'].map((pattern) => shares.of(pattern))).toEqual([
    0.1, 0, 0.1, 0.05,
  ]);
});

it('maxStaleShare refuses a number above 1', () => {
  expect(() => createObservedCache({ namespace: 'shop', insight: { maxStaleShare: { 'feed:*': 2 } } })).toThrow(
    /insight\.maxStaleShare/,
  );
});
