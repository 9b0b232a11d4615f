import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { copyOf, isolate } from '../../lib/cache/entries/values.js';

const leaf = fc.oneof(
  fc.string(),
  fc.double(),
  fc.boolean(),
  fc.bigInt(),
  fc.constant(null),
  fc.constant(undefined),
  fc.date(),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
);
const { value: anything } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 5 }),
    fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(leaf, { maxLength: 4 }).map((items) => new Set(items)),
  ),
}));

const frozenThroughout = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  Buffer.isBuffer(value) ||
  value instanceof Date ||
  value instanceof Map ||
  value instanceof Set ||
  (Object.isFrozen(value) && Object.values(value).every(frozenThroughout));

describe('values', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const { value: kept } = isolate(value);
        expect(kept).toEqual(value);
        expect(copyOf(kept)).toEqual(value);
      }),
    );
  });

  it('are frozen wherever that is possible, and their owner is not', () => {
    fc.assert(
      fc.property(fc.array(anything, { minLength: 1 }), (value) => {
        expect(frozenThroughout(isolate(value).value)).toBe(true);
        expect(Object.isFrozen(value)).toBe(false);
      }),
    );
  });

  it('are called json only where JSON gives back the same', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const { value: kept, json } = isolate(value);
        if (json) expect(JSON.parse(JSON.stringify(kept))).toEqual(kept);
      }),
    );
  });

  it('keep cycles and shared references', () => {
    const shared = { n: 1 };
    const source: Record<string, unknown> = { a: shared, b: shared };
    source.self = source;
    const kept = isolate(source).value as typeof source;
    expect(kept.self).toBe(kept);
    expect(kept.a).toBe(kept.b);
    expect(isolate(source).json).toBe(false);
  });

  it('turn instances into plain objects, by toJSON where they have one', () => {
    class Money {
      constructor(readonly cents: number) {}
    }
    class Decimal {
      toJSON() {
        return '1.50';
      }
    }
    expect(Object.getPrototypeOf(isolate(new Money(5)).value)).toBe(Object.prototype);
    expect(isolate({ price: new Decimal() }).value).toEqual({ price: '1.50' });
  });

  it('never change a prototype', () => {
    const { value } = isolate(JSON.parse('{"__proto__": {"admin": true}}'));
    expect((value as { admin?: boolean }).admin).toBeUndefined();
    expect(Object.keys(value as object)).toEqual(['__proto__']);
  });

  it.each([
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a promise', Promise.resolve(1)],
    ['a WeakMap', new WeakMap()],
    ['a getter that throws', Object.defineProperty({}, 'x', { enumerable: true, get: () => JSON.parse('{') })],
  ])('refuse %s', (_, value) => {
    expect(() => isolate({ value })).toThrow(expect.objectContaining({ code: 'VALUE_NOT_SERIALIZABLE' }));
  });
});
