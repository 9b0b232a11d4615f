import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { serialize, deserialize } from 'node:v8';
import type { Entry } from '../../../../lib/cache/entry.js';
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
  ['a serialiser of one’s own', { serializer: own }],
  ['compression', { compression: { threshold: 1 } }],
];
/** No date is invalid: two of those never count as equal. */
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

describe.each(options)('an entry encoded with %s', (_, option) => {
  const codec = new EntryCodec(option);

  it('comes back as it was, whatever its value', () => {
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

  it('comes back with a date that is none', () => {
    const stored = codec.decode(codec.encode(entryOf({ at: new Date(NaN) })));
    expect((stored!.entry.value as { at: Date }).at.getTime()).toBeNaN();
  });

  it('comes back the same from a store of texts', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const record = codec.encode(entryOf(value), 0, 7);
        expect(recordOfText(textOfRecord(record))?.equals(record)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('is absent when it is cut anywhere', () => {
    const record = codec.encode(entryOf({ n: 12345, text: 'abc', list: [1, new Date(5), 'ünï'] }), 0, 7);
    for (let length = 0; length < record.length; length++) {
      expect(codec.decode(record.subarray(0, length))).toBeUndefined();
    }
  });

  it('is absent when a byte of its format, checksum or body is damaged', () => {
    const record = codec.encode(entryOf({ n: 12345, text: 'abc' }), 0, 7);
    for (let at = 0; at < record.length; at++) {
      if (at >= 5 && at < 21) continue;
      const damaged = Buffer.from(record);
      damaged[at]! ^= 0x15;
      expect(codec.decode(damaged)).toBeUndefined();
    }
  });
});

describe('bytes of somebody else', () => {
  it('are absent, never an error, and told', () => {
    let told = 0;
    const codec = new EntryCodec({ onUndecodable: () => told++ });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codec.decode(Buffer.from(bytes))).toBeUndefined();
      }),
    );
    expect(told).toBe(100);
  });

  it('of another serialiser are absent', () => {
    const record = new EntryCodec({ serializer: own }).encode(entryOf(new Date(5)));
    expect(new EntryCodec().decode(record)).toBeUndefined();
    expect(new EntryCodec({ serializer: { ...own, id: 'another' } }).decode(record)).toBeUndefined();
    expect(new EntryCodec({ serializer: own }).decode(record)?.entry.value).toEqual(new Date(5));
  });

  it('of another choice of this library are read', () => {
    const json = new EntryCodec();
    const clone = new EntryCodec({ serializer: 'structured-clone', compression: { threshold: 1 } });
    expect(json.decode(clone.encode(entryOf({ a: 1 })))?.entry.value).toEqual({ a: 1 });
    expect(clone.decode(json.encode(entryOf({ a: 1 })))?.entry.value).toEqual({ a: 1 });
  });
});

describe('compression', () => {
  it('begins at the threshold and is left out where it gains nothing', () => {
    const codec = new EntryCodec({ compression: { threshold: 1_000 } });
    expect(codec.encode(entryOf('x'.repeat(5_000))).length).toBeLessThan(500);
    expect(codec.encode(entryOf('x'.repeat(500))).length).toBeGreaterThan(500);
    expect(new EntryCodec({ compression: false }).encode(entryOf('x'.repeat(50_000))).length).toBeGreaterThan(50_000);
  });
});

describe('entries in a batch', () => {
  /** What is sent where memory that nobody cleared holds nothing but this byte. */
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

  it.each(options)('carry nothing that lay in memory before, with %s', (_, option) => {
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
  it('is said by VALUE_NOT_SERIALIZABLE with its cause', () => {
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
