import { isolate } from '../../../lib/cache/entries/values.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import { createObservedCache } from '../../../lib/wiring/create-observed-cache.js';
import { memoryInUse } from '../heap.js';

/*
 * Compares the size of entries with the growth of the heap, in a process whose heap contains nothing else: a full
 * collection takes milliseconds here, and a second in a worker that has run a hundred suites. Its last line is the
 * result.
 */

/** Text in one piece, as a parser or a database driver creates it. */
const text = (length: number, from = 'lorem ipsum dolor sit amet ', head: unknown = '') =>
  Buffer.from(`${head} `.padEnd(length, from)).toString();
const parsed = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

class Visitor {
  constructor(
    readonly id: number,
    readonly name: string,
    readonly email: string,
  ) {}
}

const item = (of: number, n: number) => ({
  id: of * 20 + n,
  sku: `SKU-${of}-${n}-abcdef`,
  price: n + 0.99,
  size: { width: n, height: of, depth: 1.5 },
  labels: [`label ${of}-${n}`, `made by ${of}`],
});

const kinds: readonly (readonly [kind: string, count: number, make: (n: number) => unknown])[] = [
  ['a small integer', 20_000, (n) => n],
  ['a short text', 20_000, (n) => text(12, 'x', n)],
  ['a text of 1,000 characters', 5_000, (n) => text(1_000, undefined, n)],
  ['a text of 100,000 characters', 100, (n) => text(100_000, undefined, n)],
  ['a short text outside of Latin-1', 20_000, (n) => text(14, 'слово ', n)],
  ['a long text outside of Latin-1', 2_000, (n) => text(1_000, '数据库', n)],
  ['an object of four fields', 20_000, (n) => parsed({ id: n, name: `product ${n}`, price: n + 0.5, inStock: true })],
  ['an object of 40 fields', 1_000, (n) => parsed(Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`f${at}`, `text ${n} ${at}`])))],
  ['an object of 3,000 identifiers', 20, (n) => parsed(Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`id-${n}-${at}`, at])))],
  ['nested objects and arrays', 2_000, (n) => parsed({ id: n, items: Array.from({ length: 20 }, (_, at) => item(n, at)) })],
  ['an array of integers', 1_000, (n) => Array.from({ length: 500 }, (_, at) => at + n)],
  ['an array of fractions', 1_000, (n) => Array.from({ length: 500 }, (_, at) => at + n + 0.25)],
  ['an array with named properties', 10_000, (n) => Object.assign([n, n + 1], { total: n + 0.5, page: text(30, 'y', n) })],
  ['a Buffer of 100 bytes', 20_000, (n) => Buffer.alloc(100, n)],
  ['a Buffer of 10,000 bytes', 2_000, (n) => Buffer.alloc(10_000, n)],
  ['a Uint8Array', 5_000, () => new Uint8Array(1_000)],
  ['dates', 20_000, (n) => ({ from: new Date(n), until: new Date(n + 1) })],
  ['a Map', 1_000, (n) => new Map(Array.from({ length: 100 }, (_, at) => [text(14, 'x', `${n} ${at}`), at]))],
  ['a Set', 1_000, (n) => new Set(Array.from({ length: 100 }, (_, at) => text(14, 'x', `${n} ${at}`)))],
  ['an instance of a class', 10_000, (n) => new Visitor(n, text(20, 'x', n), text(30, 'y', n))],
]; // prettier-ignore

async function sizesOf(kind: string, count: number, make: (n: number) => unknown): Promise<MeasuredSize> {
  const cache = createObservedCache({
    ttl: '1h',
    metrics: false,
    layers: [memoryLayer({ maxEntries: 100_000, maxBytes: '1gb' })],
  });
  // Creates hidden classes, compiled code and other one-time objects first.
  const fill = async () => {
    for (let n = 0; n < count; n++) await cache.set(`product:item:${n}`, make(n));
  };
  await fill();
  let counted = 0;
  const growths: number[] = [];
  for (let round = 0; round < 3; round++) {
    await cache.clear();
    const before = memoryInUse();
    await fill();
    growths.push(memoryInUse() - before);
    counted = cache.layers[0]!.status().bytes!;
  }
  await cache.disconnect();
  return { kind, counted, grown: median(growths) };
}

/** Compiled code and other objects of the engine come and go between two measurements. */
function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
}

function frozenCopyBytes(): number {
  const sources = Array.from({ length: 5_000 }, (_, n) => ({
    id: n,
    name: 'a',
    price: 1,
    stock: 2,
    rank: 3,
    shop: 4,
  }));
  const copies = new Array<unknown>(sources.length).fill(undefined);
  for (const source of sources) isolate(source);
  const growths: number[] = [];
  for (let round = 0; round < 3; round++) {
    copies.fill(undefined);
    const before = memoryInUse();
    sources.forEach((source, at) => (copies[at] = isolate(source).value));
    growths.push(memoryInUse() - before);
  }
  return median(growths) / copies.length;
}

interface MeasuredSize {
  readonly kind: string;
  /** Bytes as the layer counts them. */
  readonly counted: number;
  /** Bytes by which the heap grew. */
  readonly grown: number;
}

export interface MeasuredSizes {
  readonly entries: readonly MeasuredSize[];
  /** Bytes of a frozen copy of an object of six fields. */
  readonly frozenCopy: number;
}

const entries: MeasuredSize[] = [];
for (const [kind, count, make] of kinds) entries.push(await sizesOf(kind, count, make));
console.log(JSON.stringify({ entries, frozenCopy: frozenCopyBytes() } satisfies MeasuredSizes));
