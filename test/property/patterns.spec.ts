import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PatternDetector } from '../../lib/metrics/recording/pattern-detector.js';

const detector = new PatternDetector();

const identifiers = fc.oneof(
  fc.nat().map(String),
  fc.uuid(),
  fc.stringMatching(/^[0-9][0-9a-f]{31}$/),
  fc.stringMatching(/^[A-Za-z0-9]{40}$/),
  fc.emailAddress(),
  fc.stringMatching(/^20[0-9]{2}-(0[1-9]|1[0-2])-[0-2][0-9]$/),
);
const words = fc.constantFrom('user', 'cart', 'feed', 'product', 'seller', 'search', 'orders', 'v1');

describe('the pattern of a key', () => {
  it('is the same whichever identifier stands in it', () => {
    fc.assert(
      fc.property(
        words,
        identifiers,
        identifiers,
        words,
        fc.constantFrom(':', '/', '|'),
        (a, one, other, b, separator) => {
          const pattern = [a, '*', b].join(separator);
          fc.pre(!/[:/|?&#,;= ]/.test(one + other));
          expect(detector.patternOf([a, one, b].join(separator))).toBe(pattern);
          expect(detector.patternOf([a, other, b].join(separator))).toBe(pattern);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('keeps words as they are and is its own pattern', () => {
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 7 }), (parts) => {
        expect(detector.patternOf(parts.join(':'))).toBe(parts.join(':'));
      }),
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (key) => {
        const pattern = detector.patternOf(key);
        expect(detector.patternOf(pattern)).toBe(pattern);
      }),
    );
  });

  it('is short, whatever the key', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 5000 }), (key) => {
        expect(detector.patternOf(key).length).toBeLessThanOrEqual(400);
      }),
    );
  });
});
