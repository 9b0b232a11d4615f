import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { copyOf } from '../../../lib/cache/entries/caller-copy.js';
import { isolate } from '../../../lib/cache/entries/values.js';

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
  it('isolated values equal the stored values', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const { value: kept } = isolate(value);
        expect(kept).toEqual(value);
        expect(copyOf(kept)).toEqual(value);
      }),
    );
  });

  it('a getter may isolate another value meanwhile, and neither has a part of the other', () => {
    const other = { tags: ['b'], at: new Date(5) };
    let inner: unknown;
    const value = {
      list: [1],
      get other() {
        inner = isolate(other).value;
        return 'read';
      },
      again: { list: [2] },
    };
    const outer = isolate(value);
    expect(outer.value).toEqual({ list: [1], other: 'read', again: { list: [2] } });
    expect(outer).toMatchObject({ mutable: false, json: true });
    expect(inner).toEqual(other);
  });

  it('a value that is refused leaves nothing behind for the next one', () => {
    const shared = { id: 1 };
    expect(() => isolate({ shared, stream: () => undefined })).toThrow(/a function/);
    const { value, size } = isolate({ shared });
    expect(value).toEqual({ shared: { id: 1 } });
    expect((value as { shared: object }).shared).not.toBe(shared);
    expect(size).toBe(isolate({ shared: { id: 1 } }).size);
  });

  it("isolated values are frozen if possible, and the owner's original is not", () => {
    fc.assert(
      fc.property(fc.array(anything, { minLength: 1 }), (value) => {
        expect(frozenThroughout(isolate(value).value)).toBe(true);
        expect(Object.isFrozen(value)).toBe(false);
      }),
    );
  });

  it('isolated values are classified as JSON only if JSON restores the same value', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const { value: kept, json } = isolate(value);
        if (json) expect(JSON.parse(JSON.stringify(kept))).toEqual(kept);
      }),
    );
  });

  it('isolated values keep cycles and shared references', () => {
    const shared = { n: 1 };
    const source: Record<string, unknown> = { a: shared, b: shared };
    source.self = source;
    const kept = isolate(source).value as typeof source;
    expect(kept.self).toBe(kept);
    expect(kept.a).toBe(kept.b);
    expect(isolate(source).json).toBe(false);
  });

  it('isolated arrays keep their named properties, which JSON cannot contain', () => {
    const rows = Object.assign([{ id: 1 }, undefined, 3], { total: { of: 5 }, ['4294967295']: 'beyond every index' });
    delete rows[1];
    Object.defineProperty(rows, 'hidden', { value: 1 });
    Object.defineProperty(rows, '__proto__', { value: 'a name', enumerable: true });
    const { value, json } = isolate({ rows });
    const kept = (value as { rows: typeof rows }).rows;
    const cloned = structuredClone(rows);
    expect(Object.getOwnPropertyNames(kept)).toEqual(Object.getOwnPropertyNames(cloned));
    expect(Object.entries(kept)).toEqual(Object.entries(cloned));
    expect(Object.getPrototypeOf(kept)).toBe(Array.prototype);
    expect(frozenThroughout(value)).toBe(true);
    expect(kept.total).not.toBe(rows.total);
    expect(json).toBe(false);
    expect(Object.entries(copyOf(kept) as object)).toEqual(Object.entries(cloned));
  });

  it.each([0, 1, 127, 128, 5_000])('isolated arrays of %d items keep their one named property', (length) => {
    const rows = Object.assign(new Array<number>(length).fill(7), { total: length });
    expect((isolate(rows).value as typeof rows).total).toBe(length);
    expect(isolate(Array.from(rows)).json).toBe(true);
  });

  it('isolated matches of a regular expression keep their named groups', () => {
    const match = /b(?<rest>.)/.exec('abc')!;
    expect(copyOf(isolate(match).value)).toEqual(match);
    expect(Object.keys(copyOf(isolate(match).value) as object)).toEqual(Object.keys(match));
  });

  it('an array with an uncopyable named property is refused', () => {
    expect(() => isolate(Object.assign([1], { load: () => 1 }))).toThrow(
      expect.objectContaining({ code: 'VALUE_NOT_SERIALIZABLE' }),
    );
  });

  it('an array loses its uncopyable named properties if only JSON is written', () => {
    const rows = Object.assign([{ id: 1 }], { load: () => 1 });
    const { value, json } = isolate(rows, { jsonOnly: true });
    expect(value).toEqual([{ id: 1 }]);
    expect(json).toBe(true);
  });

  it('the size of an array includes its named properties', () => {
    const plain = isolate([1, 2]).size;
    expect(isolate(Object.assign([1, 2], { total: 'x'.repeat(1_000) })).size).toBeGreaterThan(plain + 1_000);
  });

  it('isolated values never change a prototype', () => {
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
  ])('an uncopyable value is refused: %s', (_, value) => {
    expect(() => isolate({ value })).toThrow(expect.objectContaining({ code: 'VALUE_NOT_SERIALIZABLE' }));
  });
});
