import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeyIndex } from '../../../lib/metrics/key-index.js';

describe('an index of keys', () => {
  it('an index of keys finds what a map finds, while keys are added and replaced', () => {
    const step = fc.record({ key: fc.integer({ min: 0, max: 200 }), replaced: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { minLength: 400, maxLength: 400 }), (steps) => {
        const index = new KeyIndex();
        const expected = new Map<string, number>();
        for (const { key: id, replaced } of steps) {
          const key = `product:${id}`;
          expect(index.find(key)).toBe(expected.get(key) ?? -1);
          if (expected.has(key)) continue;
          if (index.keys.length < 40) expected.set(key, index.add(key));
          else {
            const number = replaced % 40;
            expected.delete(index.keys[number]!);
            index.replace(number, key);
            expected.set(key, number);
          }
        }
        for (let id = 0; id <= 200; id++) {
          expect(index.find(`product:${id}`)).toBe(expected.get(`product:${id}`) ?? -1);
        }
      }),
    );
  });
});
