import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { brotliCompressSync, crc32 } from 'node:zlib';
import { copyOf } from '../../lib/cache/entries/caller-copy.js';
import { frozen } from '../../lib/cache/entries/frozen.js';
import { type CodecOptions, EntryCodec } from '../../lib/cache/layers/encoding/codec.js';
import { recordOfText, textOfRecord } from '../../lib/cache/layers/encoding/text-record.js';
import { ReadBudget } from '../../lib/cache/base/read-budget.js';
import { entryOf } from '../support/entries.js';
import { type Forgery, forgedRecord, graphBody, graphText } from '../support/forged-records.js';

const own = {
  id: 'own',
  serialize: (value: unknown) => serialize(value),
  deserialize: (bytes: Uint8Array) => deserialize(bytes),
};
const seed = crc32(own.id);
const MEBIBYTE = 1024 * 1024;

/** Uses a decoded value as a cache does: freezes or copies it, and writes it as JSON. */
function use(value: unknown, mutable: boolean): void {
  if (mutable) copyOf(value);
  else frozen(value);
  if (!isCyclic(value)) JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item));
}

function isCyclic(value: unknown): boolean {
  return inspect(value, { depth: Infinity, maxArrayLength: Infinity }).includes('[Circular');
}

/** Nested pairs [[…],[…]] with a reference in place of the second, which double in size with each level. */
function doubling(times: number): string {
  let text = '["x"]';
  for (let at = times; at > 0; at--) text = `[${text},["!r",${at}]]`;
  return text;
}

/** A list of `count` parts. */
const list = (count: number, part: (index: number) => string) =>
  `[${Array.from({ length: count }, (_, at) => part(at)).join()}]`;

/** Each record breaks one rule and no other. */
const refused: Record<string, Forgery> = {
  'tags that are not a list': { flags: 6, body: '[7,0,{"a":1}]' },
  'tags that are not texts': { flags: 6, body: '[[7],0,{"a":1}]' },
  'missing labels': { flags: 6, body: '{"a":1}' },
  'metadata that is not an object': { flags: 6, body: '[[],"x",1]' },
  'a status that is not a number': { flags: 6, body: '[[],{"status":"200 OK"},1]' },
  'a header with a line break': { flags: 6, body: '[[],{"headers":{"x":"a\\r\\nset-cookie: b"}},1]' },
  'a header without a name': { flags: 6, body: '[[],{"headers":{"":"a"}},1]' },
  'text that is not JSON': { body: '{"a":' },
  'lists nested 100,000 deep': { body: '['.repeat(100_000) + ']'.repeat(100_000) },
  'objects nested 1,100 deep': { body: '{"a":'.repeat(1_100) + '1' + '}'.repeat(1_100) },
  'two million empty objects': { body: `[${'{},'.repeat(2_000_000)}{}]` },
  '300,000 objects of one name each': { body: list(300_000, (at) => `{"n${at}":1}`) },
  '300,000 names followed by white space': { body: list(300_000, (at) => `{"n${at}" \n:1}`) },
  '300,000 shapes': { format: 0xb4, body: graphBody(`[${list(300_000, (at) => `["=n${at}"]`)},1]`) },
  '200,000 errors': { format: 0xb4, body: graphText(list(200_000, () => '["!e","Error"]')) },
  '1,100,000 dates of two bytes': {
    format: 0xb4,
    body: graphBody(`[[${list(1_000, (at) => `"da${at}"`)}],${list(1_100, () => `["!p",0${',5'.repeat(1_000)}]`)}]`),
  },
  'an array with a named item': { format: 0xb4, body: graphText('["!l",[1],"4294967294",1]') },
  'an array with a named length': { format: 0xb4, body: graphText('["!l",[1],"length",4294967295]') },
  'an array with half a name': { format: 0xb4, body: graphText('["!l",[1],"total"]') },
  'named properties of a value that is not an array': { format: 0xb4, body: graphText('["!l",["!m"],"total",1]') },
  '300,000 names of an array': {
    format: 0xb4,
    body: graphText(`["!l",[]${Array.from({ length: 300_000 }, (_, at) => `,"n${at}",1`).join('')}]`),
  },
  '2,000 registered symbols': {
    format: 0xb4,
    body: graphText(`["!e","Error"${Array.from({ length: 2_000 }, (_, at) => `,["hostile ${at}"],7,1`).join('')}]`),
  },
  'a bomb of Brotli': { format: 0xb9, body: brotliCompressSync(Buffer.alloc(200 * MEBIBYTE, '0')) },
  'invalid Brotli': { format: 0xb9, body: Buffer.from('not compressed') },
  'a body above the limit': { body: `"${'x'.repeat(33 * MEBIBYTE)}"` },
  'a time that is not a number': { fresh: NaN },
  'a creation that is not a number': { createdAt: NaN },
  'a creation at the end of time': { createdAt: Infinity },
  'a creation in a year': { createdAt: Date.now() + 365 * 86_400_000 },
  'an end before its beginning': { fresh: 1_000, stale: 10 },
  'a time beyond all dates': { fresh: 1e300 },
  'a cost below zero': { cost: -1 },
  'an epoch that is not a number': { epoch: 'x'.repeat(16) },
  'a format of V8': { format: 0xb2, body: serialize(new Array(2 ** 32 - 1)) },
  'an unknown format': { format: 0xbf },
  'a graph that ends within its text': { format: 0xb4, body: graphText('[1]').subarray(0, 8) },
  'a graph with bytes after its end': { format: 0xb4, body: Buffer.concat([graphText('[1]'), Buffer.alloc(9)]) },
  'a graph without a value': { format: 0xb4, body: graphBody('[[]]') },
  'a shape that is not a list': { format: 0xb4, body: graphBody('[[7],1]') },
  'a field without its kind': { format: 0xb4, body: graphBody('[["a"],["!p",0,1]]') },
  'an object without its shape': { format: 0xb4, body: graphBody('[[["=a"]],["!p",1,1]]') },
  'an object with too few values': { format: 0xb4, body: graphBody('[[["=a","=b"]],["!p",0,1]]') },
  'a date of text': { format: 0xb4, body: graphBody('[[["da"]],["!p",0,"now"]]') },
  'a graph with an unknown mark': { format: 0xb4, body: graphText('["!z",1]') },
  'a graph nested too deeply': { format: 0xb4, body: graphText('["!m",1,'.repeat(1_100) + '1' + ']'.repeat(1_100)) },
  'missing bytes': { format: 0xb4, body: graphText('["!v","Buffer",4294967295]') },
  'a negative number of bytes': { format: 0xb4, body: graphText('["!v","Buffer",-1]') },
  'a view of half a number': { format: 0xb4, body: graphText('["!v","Float64Array",3]', { raw: Buffer.alloc(3) }) },
  'a view named as a method of objects': { format: 0xb4, body: graphText('["!v","toString",0]') },
  'a reference to nothing': { format: 0xb4, body: graphText('["!r",1]', { references: true }) },
  'half an entry of a Map': { format: 0xb4, body: graphText('["!m",1]') },
  'a BigInt of other letters': { format: 0xb4, body: graphText('["!b","zz"]') },
  'a BigInt of two million digits': { format: 0xb4, body: graphText(`["!b","${'f'.repeat(2_000_000)}"]`) },
  'an expression that does not compile': { format: 0xb4, body: graphText('["!x","(",""]') },
  'a list that doubles forty times': { format: 0xb4, body: graphText(doubling(40), { references: true }) },
  'a chain of 5,000 references': {
    format: 0xb4,
    body: graphText(`[[]${Array.from({ length: 5_000 }, (_, at) => `,[["!r",${at + 1}]]`).join('')}]`, {
      references: true,
    }),
  },
  'an endless array of a serializer': { format: 0xb3, seed, body: serialize(new Array(2 ** 32 - 1)) },
};

describe('records that this library did not write', () => {
  it.each(Object.entries(refused))('%s: the record is absent and reported', (_, forgery) => {
    const causes: unknown[] = [];
    const codec = new EntryCodec({ serializer: own, onUndecodable: (cause) => causes.push(cause) });
    expect(codec.decode(forgedRecord(forgery), 0, Date.now())).toBeUndefined();
    expect(causes).toHaveLength(1);
  });

  it.each([
    ['JSON', { body: '[1,{"a":"b"}]' }],
    ['JSON with labels', { flags: 6, body: '[["t"],{"status":201,"headers":{"x-a":["1","2"]}},{"a":1}]' }],
    ['compressed JSON', { format: 0xb9, body: '{"a":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}' }],
    ['a graph', { format: 0xb4, body: graphText('{"at":["!d",5]}') }],
    ['a serializer', { format: 0xb3, seed, body: serialize({ a: 1 }) }],
  ] satisfies [string, Forgery][])('a valid record of %s is read', (_, forgery) => {
    const codec = new EntryCodec({ serializer: own });
    expect(codec.decode(forgedRecord(forgery), 0, Date.now())).toBeDefined();
  });

  it('a serializer that returns a promise: the record is absent and the rejection is handled', async () => {
    const serializer = { ...own, deserialize: () => Promise.reject(new Error('later')) };
    expect(new EntryCodec({ serializer }).decode(forgedRecord({ format: 0xb3, seed, body: 'x' }))).toBeUndefined();
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('an impossible size is corrected', () => {
    const sizeOf = (size: number, body: string) => new EntryCodec().decode(forgedRecord({ size, body }))!.entry.size;
    expect(sizeOf(0, `"${'x'.repeat(80_000)}"`)).toBeGreaterThanOrEqual(10_000);
    expect(sizeOf(0xffff_ffff, '"x"')).toBeLessThan(100_000);
  });

  it('flags that contradict the value are ignored', () => {
    const date = new EntryCodec().decode(forgedRecord({ format: 0xb4, flags: 2, body: graphText('[["!d",5]]') }));
    expect(date!.entry).toMatchObject({ mutable: true, json: false });
    const plain = new EntryCodec().decode(forgedRecord({ flags: 1, body: '{"a":1}' }));
    expect(plain!.entry).toMatchObject({ mutable: false, json: true });
  });

  class Person {
    constructor(readonly name: unknown) {}
  }
  class Secret extends Map<unknown, unknown> {}
  const plain = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
  });
  const shared = plain.map((value) => {
    const list: unknown[] = [value, { value }];
    list.push(list, list[1]);
    return list;
  });
  const values = fc.oneof(
    plain,
    shared,
    plain.map((value) => [new Person(value), new Secret([[value, 1]]), Object.freeze(new Person(1))]),
    fc.array(fc.record({ id: fc.nat(), at: fc.date({ noInvalidDate: false }), name: fc.string() }), { maxLength: 5 }),
    plain.map((value) => [/a+/gi, new RangeError('x', { cause: value }), Buffer.from('bytes'), Object('boxed')]),
  );
  const codecs: [string, CodecOptions][] = [
    ['JSON and graphs', {}],
    ['graphs', { serializer: 'structured-clone' }],
    ['a serializer of the application', { serializer: own }],
    ['compression', { compression: { threshold: 1 } }],
  ];

  it.each(codecs)('a mutated record of %s is absent or holds a usable value', (_, option) => {
    const codec = new EntryCodec(option);
    const mutation = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.nat(40), twice: fc.boolean() });
    fc.assert(
      fc.property(values, fc.array(mutation, { minLength: 1, maxLength: 4 }), (value, mutations) => {
        let record = Buffer.from(codec.encode(entryOf(value, { tags: ['a'] }), 0, 7));
        for (const { at, byte, cut, twice } of mutations) {
          record[21 + (at % (record.length - 21))] = byte;
          if (cut < 4 && record.length > 80) record = record.subarray(0, record.length - cut);
          if (twice) record = Buffer.concat([record, record.subarray(66, 90)]);
        }
        // As an attacker would write it: with a valid checksum.
        record.writeUInt32LE(
          crc32(record.subarray(21), option.serializer === own && (record[0]! & 7) === 3 ? seed : 0),
          1,
        );
        const stored = codec.decode(record, 0, Date.now());
        if (stored === undefined) return;
        const { entry } = stored;
        for (const time of [
          entry.createdAt,
          entry.freshUntil,
          entry.staleUntil,
          entry.removeAt,
          entry.cost,
          entry.size,
        ]) {
          expect(time).not.toBeNaN();
        }
        expect(entry.tags.every((tag) => typeof tag === 'string')).toBe(true);
        if (option.serializer !== own) use(entry.value, entry.mutable);
      }),
      { numRuns: 250 },
    );
  });

  it('a foreign text in a store of texts never throws', () => {
    const codec = new EntryCodec();
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.anything()), values, fc.nat(), (foreign, value, at) => {
        const text = textOfRecord(codec.encode(entryOf(value), 0, 7));
        const cut = text.slice(0, at % text.length);
        // Not String(): an object may have a toString that cannot be called.
        const shown = typeof foreign === 'string' ? foreign : inspect(foreign);
        for (const one of [foreign, cut, `j${shown}`, `b${shown}`]) {
          const record = recordOfText(one);
          if (record !== undefined) codec.decode(record, 0, Date.now());
        }
      }),
    );
  });
});

describe('records that are read together', () => {
  /** How many of the records are found in one read, and whether the last one is found in a separate read. */
  function found(records: readonly Buffer[]): [together: number, lastAlone: boolean] {
    const causes: unknown[] = [];
    const codec = new EntryCodec({ onUndecodable: (cause) => causes.push(cause) });
    const budget = new ReadBudget();
    const together = records.filter((record) => codec.decode(record, 0, Date.now(), budget) !== undefined).length;
    expect(causes).toHaveLength(records.length - together);
    return [together, codec.decode(records.at(-1)!, 0, Date.now()) !== undefined];
  }

  it('records that are read together have a bounded number of names', () => {
    const names = (from: number) => list(10_000, (at) => `{"n${from + at}":1}`);
    const [together, lastAlone] = found(
      Array.from({ length: 45 }, (_, at) => forgedRecord({ body: names(at * 10_000) })),
    );
    expect(lastAlone).toBe(true);
    expect(together).toBeGreaterThan(20);
    expect(together).toBeLessThan(40);
  });

  it('records that are read together have any number of shared names', () => {
    const body = list(10_000, (at) => `{"n${at}":1}`);
    const [together] = found(Array.from({ length: 40 }, () => forgedRecord({ body })));
    expect(together).toBe(40);
  });

  it('records that are read together decompress to a bounded number of bytes', () => {
    const noise = randomBytes(8_000).toString('base64');
    const body = brotliCompressSync(Buffer.from(JSON.stringify(noise + 'x'.repeat(1_500_000))));
    const [together, lastAlone] = found(Array.from({ length: 70 }, () => forgedRecord({ body, format: 0xb9 })));
    expect(lastAlone).toBe(true);
    expect(together).toBeGreaterThan(40);
    expect(together).toBeLessThan(70);
  });

  it('records that are read together have separate limits once a record was refused', () => {
    const many = forgedRecord({ body: list(300_000, (at) => `{"n${at}":1}`) });
    const few = forgedRecord({ body: list(100_000, (at) => `{"m${at}":1}`) });
    expect(found([many, few, many, few])[0]).toBe(2);
  });
});

describe('a value that could not be read back', () => {
  it.each([
    ['of 300,000 names', true, () => Array.from({ length: 300_000 }, (_, at) => ({ [`n${at}`]: 1 }))],
    ['of 130,000 expressions', false, () => Array.from({ length: 130_000 }, () => /a/)],
  ])('a value that could not be read back is refused on write: %s', (_, json, make) => {
    const entry = { ...entryOf(1), json, value: make() };
    expect(() => new EntryCodec().encode(entry)).toThrow(expect.objectContaining({ code: 'VALUE_NOT_SERIALIZABLE' }));
  });
});

describe('a decompression bomb', () => {
  const codec = new EntryCodec();
  const compressed = (value: unknown) => codec.encode(entryOf(value), 0, 7);

  it('a record that decompresses to far more bytes is not written, so that every written record can be read', () => {
    for (const value of ['x'.repeat(5_000_000), Array.from({ length: 100_000 }, () => 0), { a: 'y'.repeat(70_000) }]) {
      expect(codec.decode(compressed(value), 0, Date.now())?.entry.value).toEqual(value);
    }
  });

  it('a record that decompresses to far more bytes counts as absent', () => {
    const body = brotliCompressSync(Buffer.from(JSON.stringify('x'.repeat(8_000_000))));
    expect(codec.decode(forgedRecord({ body, format: 0xb9 }), 0, Date.now())).toBeUndefined();
  });

  it('a record counts as absent if one object has more than a million names', () => {
    const names = Array.from({ length: 1_100_000 }, (_, index) => `"${index}":1`);
    expect(codec.decode(forgedRecord({ body: `{${names.join()}}` }), 0, Date.now())).toBeUndefined();
  });
});
