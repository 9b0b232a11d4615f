import { describe, expect, it } from '@jest/globals';
import { globMatcher, literalGlob } from '../../../lib/cache/glob.js';

describe('a glob', () => {
  it.each([
    ['*', '', true],
    ['*', 'anything', true],
    ['feed:*', 'feed:1', true],
    ['feed:*', 'feeds:1', false],
    ['feed:1', 'feed:1', true],
    ['feed:1', 'feed:12', false],
    ['*:1', 'feed:1', true],
    ['*:1', 'feed:12', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[ab]:1', 'b:1', true],
    ['[ab]:1', 'c:1', false],
    ['[^ab]:1', 'c:1', true],
    ['[^ab]:1', 'a:1', false],
    ['[a-c]1', 'b1', true],
    ['[c-a]1', 'b1', true],
    ['[a-c]1', 'd1', false],
    ['[\\]]', ']', true],
    ['[ab', 'a', true],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
  ])('%s over %s: %s, as in Redis', (glob, key, expected) => {
    expect(globMatcher(glob)(key)).toBe(expected);
  });

  it('of a text matches that text alone', () => {
    const text = 'a*?[b-c]^\\';
    expect(globMatcher(literalGlob(text))(text)).toBe(true);
    expect(globMatcher(literalGlob('a*'))('ab')).toBe(false);
  });

  it('takes no longer than key times glob', () => {
    const startedAt = process.hrtime.bigint();
    expect(globMatcher(`${'a*'.repeat(50)}b`)('a'.repeat(10_000))).toBe(false);
    expect(Number(process.hrtime.bigint() - startedAt) / 1e6).toBeLessThan(1_000);
  });
});
