import { describe, expect, it } from '@jest/globals';
import { globMatcher, literalGlob, wildcardsIn } from '../../../lib/cache/base/glob.js';

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
  ])('the glob %s over %s: %s, as in Redis', (glob, key, expected) => {
    expect(globMatcher(glob)(key)).toBe(expected);
  });

  it('an escaped text as a glob matches only that text', () => {
    const text = 'a*?[b-c]^\\';
    expect(globMatcher(literalGlob(text))(text)).toBe(true);
    expect(globMatcher(literalGlob('a*'))('ab')).toBe(false);
  });

  it.each([
    ['?', '😀', true],
    ['a?c', 'a😀c', true],
    ['[😀-😂]', '😁', true],
    ['[^😀]', '😀', false],
    ['*?b', '😀b', true],
    ['*[xy]?', 'x😀', true],
    ['a*?', 'a', false],
  ])('a glob matches by code point: %s over %s: %s', (glob, key, expected) => {
    expect(globMatcher(glob)(key)).toBe(expected);
  });

  it.each([
    ['user:*', 1],
    ['a**b', 1],
    ['a?b[cd]*', 3],
    ['a\\*b\\?', 0],
  ])('a glob counts its wildcards: %s has %d', (glob, count) => {
    expect(wildcardsIn(glob)).toBe(count);
  });

  it.each([
    ['text that nearly matches everywhere', (length: number) => `*${'a'.repeat(length)}b*`],
    ['single characters', (length: number) => `*${'a'.repeat(length)}?b*`],
    ['sets', (length: number) => `*${'[ab]'.repeat(length)}c*`],
    ['stars', (length: number) => `${'a*'.repeat(length)}b`],
  ])('a glob matches in time proportional to its length: %s', (_of, globOf) => {
    const key = 'a'.repeat(60_000);
    const quickest = (glob: string): number => {
      const matches = globMatcher(glob);
      const runs = Array.from({ length: 5 }, () => {
        const startedAt = process.hrtime.bigint();
        expect(matches(key)).toBe(false);
        return Number(process.hrtime.bigint() - startedAt);
      });
      return Math.min(...runs);
    };
    // Backtracking takes 100 times as long for a glob 100 times as long.
    expect(quickest(globOf(400)) / (quickest(globOf(4)) + 50_000)).toBeLessThan(30);
  });
});
