import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { isNativeError } from 'node:util/types';
import { serialize, deserialize } from 'node:v8';
import { copyOf } from '../../../../lib/cache/entries/caller-copy.js';
import { frozen } from '../../../../lib/cache/entries/frozen.js';
import type { Entry } from '../../../../lib/cache/entries/entry.js';
import { EntryCodec, type CodecOptions } from '../../../../lib/cache/layers/encoding/codec.js';
import { recordOfText, textOfRecord } from '../../../../lib/cache/layers/encoding/text-record.js';
import { type RecordBatch, RecordBatches } from '../../../../lib/cache/layers/encoding/record-batches.js';
import { entryOf } from '../../../support/entries.js';

const own = {
  id: 'own',
  serialize: (value: unknown) => serialize(value),
  deserialize: (bytes: Uint8Array) => deserialize(bytes),
};
const options: [string, CodecOptions][] = [
  ['JSON', {}],
  ['structured clone', { serializer: 'structured-clone' }],
  ['a custom serialiser', { serializer: own }],
  ['compression', { compression: { threshold: 1 } }],
];
/** Dates are valid, because two invalid dates never count as equal. */
const anything = fc.anything({
  values: [
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.string(),
    fc.constantFrom(null, undefined),
    fc.date({ noInvalidDate: true }),
  ],
  withBigInt: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
});

describe('standard errors', () => {
  const errors = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError] as const;
  const made = [
    ...errors.map((Type) => new Type('why', { cause: 1 })),
    new AggregateError([new Error('inner'), 7], 'all'),
  ];

  it.each(made.map((error) => [error.name, error] as const))(
    'an error keeps its class and properties: %s',
    (_, error) => {
      const codec = new EntryCodec();
      const decoded = codec.decode(codec.encode(entryOf({ error }), 0, 7), 0, Date.now())!.entry.value as {
        error: Error;
      };
      const { error: copy } = decoded;
      expect(Object.getPrototypeOf(copy)).toBe(Object.getPrototypeOf(error));
      expect(Object.getOwnPropertyDescriptors(copy)).toEqual(Object.getOwnPropertyDescriptors(error));
      expect(isNativeError(copy)).toBe(true);
    },
  );
});

describe.each(options)('an entry encoded with %s', (_, option) => {
  const codec = new EntryCodec(option);

  it('an encoded entry is decoded to the same entry, for any value', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const entry = entryOf(value, { tags: ['a', 'b'] });
        const stored = codec.decode(codec.encode(entry, 1_000, 42), 1_000);
        expect(stored?.epoch).toBe(42);
        expect(stored?.entry.value).toEqual(entry.value);
        expect(stored?.entry).toMatchObject({
          tags: ['a', 'b'],
          mutable: entry.mutable,
          json: entry.json,
          size: entry.size,
        });
        expect(stored!.entry.freshUntil).toBeCloseTo(entry.freshUntil, 1);
      }),
      { numRuns: 200 },
    );
  });

  it('an encoded entry keeps an invalid date', () => {
    const stored = codec.decode(codec.encode(entryOf({ at: new Date(NaN) })));
    expect((stored!.entry.value as { at: Date }).at.getTime()).toBeNaN();
  });

  it('an encoded entry keeps the named properties of its arrays in the decoded value and its copies', () => {
    const list = Object.assign(['!a', undefined, 3], { total: 5, at: new Date(7), ['__proto']: undefined });
    delete list[1];
    const twice = Object.assign([list, [1]], { again: list, itself: [] as unknown[] });
    twice.itself.push(twice);
    for (const value of [list, { rows: list }, twice]) {
      const { value: decoded } = codec.decode(codec.encode(entryOf(value, { tags: ['a'] })))!.entry;
      for (const given of [decoded, copyOf(decoded)]) expect(given).toEqual(structuredClone(value));
    }
    const rows = Object.assign([{ id: 1 }], { page: { of: 9 } });
    const shared = frozen(codec.decode(codec.encode(entryOf(rows)))!.entry.value) as typeof rows;
    expect(Object.keys(shared)).toEqual(['0', 'page']);
    expect(Object.isFrozen(shared.page)).toBe(true);
  });

  it('an encoded entry is the same after a store of texts', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const record = codec.encode(entryOf(value), 0, 7);
        expect(recordOfText(textOfRecord(record))?.equals(record)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('an encoded entry is a miss when it is cut at any byte', () => {
    const record = codec.encode(entryOf({ n: 12345, text: 'abc', list: [1, new Date(5), 'ünï'] }), 0, 7);
    for (let length = 0; length < record.length; length++) {
      expect(codec.decode(record.subarray(0, length))).toBeUndefined();
    }
  });

  it('an encoded entry is a miss when a byte of its format, checksum or body is damaged', () => {
    const record = codec.encode(entryOf({ n: 12345, text: 'abc' }), 0, 7);
    for (let at = 0; at < record.length; at++) {
      if (at >= 5 && at < 21) continue;
      const damaged = Buffer.from(record);
      damaged[at]! ^= 0x15;
      expect(codec.decode(damaged)).toBeUndefined();
    }
  });
});

describe('bytes of other programs', () => {
  it('random bytes are absent, never an error, and reported', () => {
    let reported = 0;
    const codec = new EntryCodec({ onUndecodable: () => reported++ });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codec.decode(Buffer.from(bytes))).toBeUndefined();
      }),
    );
    expect(reported).toBe(100);
  });

  it('an entry of another serialiser is a miss', () => {
    const record = new EntryCodec({ serializer: own }).encode(entryOf(new Date(5)));
    expect(new EntryCodec().decode(record)).toBeUndefined();
    expect(new EntryCodec({ serializer: { ...own, id: 'another' } }).decode(record)).toBeUndefined();
    expect(new EntryCodec({ serializer: own }).decode(record)?.entry.value).toEqual(new Date(5));
  });

  it('an entry written with other options of this library is read', () => {
    const json = new EntryCodec();
    const clone = new EntryCodec({ serializer: 'structured-clone', compression: { threshold: 1 } });
    expect(json.decode(clone.encode(entryOf({ a: 1 })))?.entry.value).toEqual({ a: 1 });
    expect(clone.decode(json.encode(entryOf({ a: 1 })))?.entry.value).toEqual({ a: 1 });
  });
});

describe('compression', () => {
  it('compression starts at the threshold and is skipped if it saves nothing', () => {
    const codec = new EntryCodec({ compression: { threshold: 1_000 } });
    expect(codec.encode(entryOf('x'.repeat(5_000))).length).toBeLessThan(500);
    expect(codec.encode(entryOf('x'.repeat(500))).length).toBeGreaterThan(500);
    expect(new EntryCodec({ compression: false }).encode(entryOf('x'.repeat(50_000))).length).toBeGreaterThan(50_000);
  });
});

describe('records in a batch', () => {
  /** The sent bytes if uncleared memory contains only this byte. */
  function sentOver(left: number, option: CodecOptions, entries: readonly Entry[]): RecordBatch {
    const unclean = (['allocUnsafe', 'allocUnsafeSlow'] as const).map((allocate) =>
      jest.spyOn(Buffer, allocate).mockImplementation((size) => Buffer.alloc(size, left)),
    );
    const batches = new RecordBatches();
    const codec = new EntryCodec(option);
    for (const entry of entries) batches.add('key', codec.encodeInto(batches, entry, 0), '');
    for (const spy of unclean) spy.mockRestore();
    return batches.takeLast()!;
  }

  it.each(options)('records in a batch contain no earlier memory contents, with %s', (_, option) => {
    const entries = [{ n: 1 }, 'ünï'.repeat(2_000), new Date(5), [new Map([[1, 2n]])]].flatMap((value) => [
      entryOf(value),
      entryOf(value, { tags: ['a', 'b'] }),
    ]);
    const sent = sentOver(0xa5, option, entries);
    expect(sent.names).toHaveLength(entries.length);
    expect(sent).toEqual(sentOver(0, option, entries));
  });
});

describe('a value that the serialiser refuses', () => {
  it('a serialiser that throws fails with VALUE_NOT_SERIALIZABLE', () => {
    const codec = new EntryCodec({
      serializer: {
        ...own,
        serialize: () => {
          throw new Error('no');
        },
      },
    });
    expect(() => codec.encode(entryOf(1))).toThrow(expect.objectContaining({ code: 'VALUE_NOT_SERIALIZABLE' }));
  });
});
