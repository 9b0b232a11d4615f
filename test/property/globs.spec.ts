import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { globMatcher, literalGlob } from '../../lib/cache/base/glob.js';

const texts = fc
  .array(fc.constantFrom('a', 'b', ':', '-', '😀', 'é'), { maxLength: 12 })
  .map((parts) => parts.join(''));
const pieces = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', ':', '😀', 'é') },
  { weight: 2, arbitrary: fc.constantFrom('*', '?') },
  fc.constantFrom('[ab]', '[^a]', '[a-c]', '[😀é]', '[^:-b]', '\\*', '\\?', '\\a'),
);

/** The same glob as a regular expression by code point, whose engine backtracks. */
function expressionOf(parts: readonly string[]): RegExp {
  const source = parts.map((part) => {
    if (part === '*') return '[^]*';
    if (part === '?') return '[^]';
    if (part.startsWith('[')) return part;
    return part.replace(/^\\/, '').replace(/[*?]/, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`, 'u');
}

describe('a glob', () => {
  it('a glob matches the same keys as a backtracking matcher', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 10 }), texts, (parts, key) => {
        expect(globMatcher(parts.join(''))(key)).toBe(expressionOf(parts).test(key));
      }),
      { numRuns: 2_000 },
    );
  });

  it('a glob finds long segments with wildcards in any place', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', '?', '[ab]'), { minLength: 28, maxLength: 70 }),
        fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 200 }),
        (parts, key) => {
          const wrapped = ['*', ...parts, '*'];
          expect(globMatcher(wrapped.join(''))(key)).toBe(expressionOf(wrapped).test(key));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('a glob of an escaped text matches only that text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (text, other) => {
        expect(globMatcher(literalGlob(text))(text)).toBe(true);
        expect(globMatcher(literalGlob(text))(other)).toBe(text === other);
      }),
    );
  });
});
