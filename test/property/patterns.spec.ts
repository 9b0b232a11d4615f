import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MissReason, Outcome } from '../../lib/cache/base/observer.js';
import { createCacheMetrics } from '../../lib/insight/create-cache-metrics.js';
import { ManualClock } from '../support/manual-clock.js';

const identifiers = fc.oneof(
  fc.nat().map(String),
  fc.uuid(),
  fc.stringMatching(/^[0-9][0-9a-f]{31}$/),
  // A version, such as `v12`, counts as a word.
  fc.stringMatching(/^[a-z]{1,12}[0-9][a-z0-9]{1,12}$/).filter((text) => !/^v\d+$/.test(text)),
  fc.stringMatching(/^[a-z]{33,60}$/),
  fc.emailAddress().filter((address) => !/[:/|?&#,;= ]/.test(address)),
);
const words = fc.constantFrom('user', 'cart', 'feed', 'product', 'orders', 'v1');
/** Names that contain no other word. */
const names = fc.stringMatching(/^zz[a-z]{6,12}$/);
const separators = fc.constantFrom(':', '/', '|');

function counting() {
  const clock = new ManualClock();
  const { metrics, observer } = createCacheMetrics({ clock });
  observer.attach([{ name: 'memory', shared: false }]);
  return {
    clock,
    metrics,
    patternOf: (key: string) => observer.seriesOf(key).pattern,
    ask: (key: string, hit: boolean) => {
      const series = observer.seriesOf(key);
      if (hit) observer.hit(series, 0, clock.now());
      else observer.access(series, Outcome.miss, -1, 1, 1, MissReason.cold);
    },
  };
}

describe('patterns of undeclared keys', () => {
  it('patterns of undeclared keys contain no identifier, and show a word that follows two of them', () => {
    fc.assert(
      fc.property(words, identifiers, identifiers, words, separators, (first, one, other, last, separator) => {
        fc.pre(one !== other);
        const { patternOf } = counting();
        expect(patternOf([first, one, last].join(separator))).toBe([first, '*', '*'].join(separator));
        expect(patternOf([first, other, last].join(separator))).toBe([first, '*', last].join(separator));
      }),
      { numRuns: 500 },
    );
  });

  it('patterns of undeclared keys contain no rare segment', () => {
    const places = fc.constantFrom('leaf', 'inside', 'behind an identifier', 'in front of identifiers');
    fc.assert(
      fc.property(
        fc.uniqueArray(names, { minLength: 1, maxLength: 30 }),
        fc.array(fc.record({ place: places, name: fc.nat(29), id: fc.nat(9) }), { maxLength: 120 }),
        (rare, asked) => {
          const { patternOf, metrics } = counting();
          asked.forEach(({ place, name: at, id }) => {
            const index = at % rare.length;
            const name = rare[index]!;
            if (place === 'leaf') patternOf(`user:${name}`);
            else if (place === 'inside') patternOf(`user:${name}:cart`);
            // Of each name after one identifier; before fewer than 20.
            else if (place === 'behind an identifier') patternOf(`user:${index}:${name}`);
            else patternOf(`token:${name}:${id}`);
          });
          for (const { pattern } of metrics.getAllPatternStats()) expect(pattern).not.toMatch(/zz/);
        },
      ),
    );
  });

  it('patterns of undeclared keys count every access once, under the final pattern of its key', async () => {
    const keys = fc.oneof(
      fc.tuple(fc.nat(3), fc.constantFrom('cart', 'wishes', 'lines')).map(([id, word]) => `user:${id}:${word}`),
      fc.tuple(fc.nat(30), fc.constantFrom('reviews', 'price')).map(([id, word]) => `shop:product:${id}:${word}`),
      fc.tuple(names, fc.constantFrom('cart', 'lines')).map(([name, word]) => `user:${name}:${word}`),
      fc.nat(30).map((id) => `shop:seller:${id}`),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ key: keys, hit: fc.boolean(), pauseMs: fc.constantFrom(0, 0, 0, 11_000, 400_000) }), {
          maxLength: 90,
        }),
        async (accesses) => {
          const { clock, metrics, ask, patternOf } = counting();
          for (const { key, hit, pauseMs } of accesses) {
            await clock.advance(pauseMs);
            ask(key, hit);
          }
          const requests = new Map<string, { hits: number; misses: number }>();
          for (const { key, hit } of accesses) {
            const pattern = patternOf(key);
            const counts = requests.get(pattern) ?? { hits: 0, misses: 0 };
            counts[hit ? 'hits' : 'misses']++;
            requests.set(pattern, counts);
          }
          const counted = metrics
            .getAllPatternStats()
            .filter(({ totalRequests }) => totalRequests > 0)
            .map(({ pattern, cacheHits, cacheMisses }) => [pattern, { hits: cacheHits, misses: cacheMisses }] as const);
          expect(new Map(counted)).toEqual(requests);
          expect(metrics.getStats().totalRequests).toBe(accesses.length);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('patterns of undeclared keys are short and within the limit, for any keys', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 2_000 }), { maxLength: 200 }), (keys) => {
        const { patternOf, metrics } = counting();
        for (const key of keys) expect(patternOf(key).length).toBeLessThanOrEqual(400);
        expect(metrics.getAllPatternStats().length).toBeLessThanOrEqual(101);
      }),
    );
  });
});
