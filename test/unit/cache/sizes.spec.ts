import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { isolate } from '../../../lib/cache/entries/values.js';
import { createObservedCache } from '../../../lib/index.js';
import type { MeasuredSizes } from '../../support/process/entry-sizes.js';

const script = (name: string) => fileURLToPath(new URL(`../../support/process/${name}`, import.meta.url));

let measured: MeasuredSizes;
beforeAll(async () => {
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--import',
    script('typescript.mjs'),
    script('entry-sizes.ts'),
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  measured = JSON.parse(stdout.trim().split('\n').at(-1)!) as MeasuredSizes;
}, 120_000);

describe('the size of an entry', () => {
  it.each([
    'a small integer',
    'a short text',
    'a text of 1,000 characters',
    'a text of 100,000 characters',
    'a short text outside of Latin-1',
    'a long text outside of Latin-1',
    'an object of four fields',
    'an object of 40 fields',
    'an object of 3,000 identifiers',
    'nested objects and arrays',
    'an array of integers',
    'an array of fractions',
    'an array with named properties',
    'a Buffer of 100 bytes',
    'a Buffer of 10,000 bytes',
    'a Uint8Array',
    'dates',
    'a Map',
    'a Set',
    'an instance of a class',
  ])('the size of an entry is within 15 % of the growth of the heap for %s', (kind) => {
    const { counted, grown } = measured.entries.find((entry) => entry.kind === kind)!;
    expect(counted / grown).toBeGreaterThan(0.85);
    expect(counted / grown).toBeLessThan(1.15);
  });

  it('the size of an entry includes tags', async () => {
    const cache = createObservedCache();
    await cache.set('plain', 1);
    const plain = cache.layers[0]!.status().bytes!;
    await cache.getOrSet('taged', () => 1, { tags: ['t'.repeat(1_000)] });
    expect(cache.layers[0]!.status().bytes! - 2 * plain).toBeGreaterThan(1_000);
    await cache.disconnect();
  });
});

describe('a frozen copy', () => {
  it('a frozen copy shares the hidden class of its source', () => {
    // 110 to 165 bytes, as fields outside of the object are allocated in threes; 350 with a class per object.
    expect(measured.frozenCopy).toBeLessThan(200);
  });

  it('a frozen copy keeps a field named __proto__ as a field', () => {
    const source = JSON.parse('{ "__proto__": { "admin": true }, "a": 1 }') as Record<string, unknown>;
    const { value } = isolate(source) as { value: Record<string, unknown> };
    expect(Object.keys(value)).toEqual(['__proto__', 'a']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value['admin']).toBeUndefined();
  });
});

describe('the size of unusual parts', () => {
  const large = 'x'.repeat(100_000);

  it.each<[string, unknown]>([
    ['a BigInt', 1n << 800_000n],
    ['a BigInt in an object', { amount: 1n << 800_000n }],
    ['a boxed text', Object(large)],
    ['a boxed BigInt', Object(1n << 800_000n)],
    ['the name of a property', { [large]: 1 }],
    ['the name of a property in an array', [{ [large]: 1 }]],
  ])('the size of an entry counts %s', (_, value) => {
    expect(isolate(value).size).toBeGreaterThan(95_000);
  });
});
