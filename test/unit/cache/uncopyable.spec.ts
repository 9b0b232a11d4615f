import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createObservedCache, memoryLayer, type ObservedCache, redisLayer } from '../../../lib/index.js';
import { RedisServer } from '../../support/redis.js';

let cache: ObservedCache;
const warnings: string[] = [];
const log = (level: string, code: string, message: string) => {
  if (level === 'warn') warnings.push(`${code}: ${message}`);
};
beforeEach(() => {
  warnings.length = 0;
  cache = createObservedCache({ layers: [memoryLayer()], log });
});
afterEach(() => cache.disconnect());

/** Returns whether the second read finds the value of the first load. */
async function isKept(make: () => unknown, of = cache): Promise<boolean> {
  let loads = 0;
  const load = () => {
    loads += 1;
    return make();
  };
  await of.getOrSet('value:1', load);
  await of.getOrSet('value:1', load);
  return loads === 1;
}

/** A sparse array with one element at its end. */
function sparse(array: unknown[], length = 32_000_000): unknown[] {
  array[length - 1] = 1;
  return array;
}

const instanceOf = (source: string): object => {
  const type = new Function(`return (${source})`)() as new () => object;
  return new type();
};

describe('classes with private members', () => {
  it.each([
    'class A { #x }',
    'class A { #x = 1; y = 2 }',
    'class A { y = 2\n #x = 1 }',
    'class A { get #x() { return 1 } }',
    'class A { #m() {} }',
    'class A { async *#m() {} }',
    'class A { static y = 1; #x }',
    'class A { static { this.y = 1 } #x }',
    'class A{constructor(){this.y=1}#x=2}',
    'class A{static half=n=>n/2;#x;}',
    "class A { 'y'; /* ; */ #x }",
    'class A { y = `${`}`}`; #x }',
    'class A { y = /[/"]/; #x }',
    'class A { m() { if (1) /"/.test("") } #x }',
    'class A { m() { return this.y / 2 } ; n = "/"; #x }',
    'class A { static s() {} ; x = 1 ; #y = this.x }',
    'class A extends class { #x } {}',
    'class A extends (class B { #x = 1 }) { y = 1 }',
    'class A { static #s = 1; #x = A.#s }',
    'class A { #x = 1; has(o) { return #x in o } }',
  ])('a class with private members is not copied: %s', async (source) => {
    expect(await isKept(() => instanceOf(source))).toBe(false);
    expect(warnings).toEqual([expect.stringMatching(/^VALUE_NOT_SERIALIZABLE: .*#private/)]);
  });

  it.each([
    'class A { x = 1 }',
    'class A { x = "#x" }',
    "class A { x = '#x' // #y\n }",
    'class A { x = `#x ${"#y"} #z` }',
    'class A { /* #x */ y = 1 }',
    'class A { m() { return /#x/ } }',
    'class A { static #count = 0; x = 1 }',
    'class A { static async *#all() {} x = 1 }',
    'class A { static get #all() { return 1 } x = A.#all }',
    'class A { static #a = 1; static b = A.#a; x = 2 }',
    'class A { static #a = 1; has(o) { return #a in o } }',
    'class A { m() { return class { #x = 1 } } }',
    'class A { m(a) { return a / 2 + "#x" / 3 } }',
    "class A { m(a) { if (a) /'/.test(a); return '#x' } }",
    'function A() { this.colour = "#fff" }',
  ])('a class without private fields of instances is copied: %s', async (source) => {
    expect(await isKept(() => instanceOf(source))).toBe(true);
    expect(warnings).toEqual([]);
  });
});

describe('a value that cannot be copied exactly', () => {
  class Linked {
    next: unknown;
  }
  it.each<[string, () => unknown]>([
    ['a function', () => () => 1],
    ['an object of functions', () => ({ inner: { call() {} } })],
    ['a symbol', () => Symbol('s')],
    ['a WeakMap', () => new WeakMap()],
    ['a WeakRef', () => new WeakRef({})],
    ['a promise deep inside', () => Object.assign(new Linked(), { next: [Promise.resolve(1)] })],
    ['a generator', () => (function* () {})()],
    ['an asynchronous generator', () => (async function* () {})()],
    ['an iterator of an array', () => [1].values()],
    ['an Intl formatter', () => new Intl.NumberFormat('en')],
    ['a URL', () => new URL('http://example.org')],
    ['a hash', () => createHash('sha256')],
    ['an abort controller', () => new AbortController()],
    ['an emitter with listeners', () => new EventEmitter().on('x', () => undefined)],
    ['a subclass of a platform class', () => new (class MyUrl extends URL {})('http://example.org')],
    ['a subclass of Promise', () => new (class Later extends Promise<number> {})((resolve) => resolve(1))],
    ['shared memory', () => new SharedArrayBuffer(8)],
    ['a view of shared memory', () => new Uint8Array(new SharedArrayBuffer(8))],
    ['a Buffer in shared memory', () => Buffer.from(new SharedArrayBuffer(8))],
    ['an array of 32 million holes', () => sparse([])],
    ['an array of a class and 32 million holes', () => sparse(new (class List extends Array {})())],
    ['an array that is as long as can be', () => sparse([], 2 ** 32 - 1)],
    ['a Proxy of an instance', () => new Proxy(new Linked(), {})],
    ['an object that inherits from another', () => Object.create({ inherited: 1 })],
    ['an object with a built-in prototype alone', () => Object.create(Date.prototype)],
    ['a getter that throws', () => Object.defineProperty({}, 'x', { enumerable: true, get: () => JSON.parse('{') })],
  ])('a value that cannot be copied exactly is returned and not stored: %s', async (_, make) => {
    const value = make();
    // A promise would be awaited.
    const boxed = value instanceof Promise ? { value } : value;
    expect(await cache.getOrSet('value:1', () => boxed)).toBe(boxed);
    expect(await isKept(() => ({ value: make() }))).toBe(false);
    expect(warnings.filter((warning) => warning.startsWith('VALUE_NOT_SERIALIZABLE'))).toHaveLength(1);
    await expect(cache.set('value:1', { value: make() })).rejects.toMatchObject({ code: 'VALUE_NOT_SERIALIZABLE' });
  });

  it('a value that cannot be copied exactly is loaded by each of many concurrent callers, also in batches', async () => {
    let made = 0;
    const make = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return { number: ++made, call: () => 1 };
    };
    const single = await Promise.all([1, 2, 3].map(() => cache.getOrSet('one:1', make)));
    expect(new Set(single.map(({ number }) => number)).size).toBe(3);
    const batch = (keys: string[]) => cache.getOrSetMany(keys, (missing) => Promise.all(missing.map(make)));
    const [first, second] = await Promise.all([batch(['a:1', 'a:2']), batch(['a:2', 'a:3'])]);
    expect(new Set([...first, ...second].map((value) => value?.number)).size).toBe(4);
  });

  it('symbol properties stay in memory, and are not written to remote layers', async () => {
    const note = Symbol('note');
    class Marked {
      [note] = 'kept';
    }
    const marked = await cache.getOrSet('marked:1', () => new Marked());
    expect(marked[note]).toBe('kept');
    expect(await isKept(() => new Marked())).toBe(true);
    const server = await RedisServer.start();
    const shared = createObservedCache({ layers: [memoryLayer(), redisLayer({ url: server.url })], log });
    try {
      expect(await isKept(() => new Marked(), shared)).toBe(false);
      expect(warnings).toEqual([expect.stringContaining('symbols')]);
    } finally {
      await shared.disconnect();
      await server.dispose();
    }
  });
});
