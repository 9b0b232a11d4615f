import { describe, expect, it } from '@jest/globals';
import { encodeValue } from '../../../lib/caching/keys/argument-encoding.js';
import { escapeText } from '../../../lib/caching/keys/escape.js';
import { boundedKey, boundedValue, LONGEST_VALUE } from '../../../lib/caching/keys/key-length.js';
import { argumentNotEncodable, type NotEncodable } from '../../../lib/caching/keys/not-encodable.js';
import { keyPattern, keyTemplate, overlap } from '../../../lib/caching/keys/key-template.js';
import { parameterNames } from '../../../lib/caching/keys/method-recipe.js';

describe('an argument in a key', () => {
  class Money {
    readonly #amount: number;
    constructor(amount: number) {
      this.#amount = amount;
    }
    get amount() {
      return this.#amount;
    }
  }
  class Tagged extends Money {
    toJSON() {
      return this.amount;
    }
  }
  class Filter {
    constructor(readonly page?: number) {}
  }
  class Empty {}

  it.each([
    [1, '1'],
    ['1', '"1"'],
    [-0, '-0'],
    [NaN, 'NaN'],
    [1n, '1n'],
    [undefined, 'undefined'],
    [null, 'null'],
    [[1, [undefined]], '[1,[undefined]]'],
    [new Date(5), 'Date(5)'],
    [{ b: 1, a: 'x' }, '{"a":"x","b":1}'],
    [new Map([['a', 1]]), 'Map[["a",1]]'],
    [new Set([1]), 'Set[1]'],
    [Buffer.from('a'), 'Buffer(YQ==)'],
    [new Uint8Array([97]), 'Uint8Array(YQ==)'],
    [/a/g, 'RegExp("a",g)'],
    [new URL('http://a/b'), 'URL("http://a/b")'],
    [Symbol.for('a'), 'Symbol("a")'],
    [new Filter(2), 'Filter{"page":2}'],
    [new Empty(), 'Empty{}'],
    [new Tagged(3), 'Tagged(3)'],
  ])('the argument %p is written as %s in a key', (value, text) => {
    expect(encodeValue(value)).toBe(text);
  });

  it('an argument may contain the same object twice, and others 64 deep', () => {
    const shared = { a: [1] };
    expect(encodeValue({ one: shared, other: shared })).toBe('{"one":{"a":[1]},"other":{"a":[1]}}');
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
    expect(encodeValue(nested(64))).toBe(`${'['.repeat(64)}1${']'.repeat(64)}`);
    expect(() => encodeValue(nested(65))).toThrow('nested more than 64 deep');
  });

  const cycle: Record<string, unknown> = {};
  cycle.self = { cycle };
  it.each([
    ['a function', { deep: [() => 1] }, '.deep[0]', 'a function'],
    ['a symbol', Symbol('x'), '', 'a symbol'],
    ['a promise', Promise.resolve(), '', 'a promise'],
    ['a stream', { in: process.stdout }, '.in', 'a stream'],
    ['a cycle', cycle, '.self.cycle', 'contains itself'],
    ['private state', new Money(1), '', 'whose state cannot be read'],
  ])('an argument is refused if it contains %s', (_what, value, path, what) => {
    const fault = (() => {
      try {
        return encodeValue(value);
      } catch (error) {
        return error;
      }
    })() as NotEncodable;
    expect([fault.path, fault.what]).toEqual([path, expect.stringContaining(what)]);
    expect(argumentNotEncodable(fault, 'A.b()', "0 ('x')").message).toContain(`A.b(): parameter 0 ('x')${path} is`);
  });

  it('errors name an argument by its parameter', () => {
    const nameOf = parameterNames(function find(id: number, ...rest: unknown[]) {
      return [id, rest];
    });
    expect([nameOf(0), nameOf(1), nameOf(2)]).toEqual(["0 ('id')", "1 ('rest')", '2']);
  });
});

describe('a pattern', () => {
  it('a pattern names its statistics', () => {
    expect(keyPattern('feed:*').statistics).toBe('feed:*');
    expect(keyPattern('product:{params.id}').statistics).toBe('product:*');
    expect(keyPattern('seller:{0.id}:products').statistics).toBe('seller:*:products');
  });

  it.each([
    ['product:{a}', 'product:{b}', true],
    ['product:{a}', 'product:{b}:x', false],
    ['a:{x}', 'a:b{y}', true],
    ['a:{x}:{y}', 'a:{x}', false],
    ['a:{x}', 'b:{x}', false],
    ['home', 'home', true],
    ['home', 'homes', false],
    ['{x}', 'home', true],
  ])('patterns %s and %s can overlap: %s', (one, other, expected) => {
    expect(overlap(keyTemplate(one), keyTemplate(other))).toBe(expected);
    expect(overlap(keyTemplate(other), keyTemplate(one))).toBe(expected);
  });
});

describe('a key', () => {
  it('a key keeps letters of all scripts and escapes the rest', () => {
    expect(escapeText('Käse_7.b@x+y-z')).toBe('Käse_7.b@x+y-z');
    expect(escapeText('a b/c:d*')).toBe('a%20b%2Fc%3Ad%2A');
    expect(escapeText('😀')).toBe('%u1F600;');
    expect(() => escapeText('\ud800')).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }));
  });

  it('a key shortens a long value to a readable prefix and a digest, and keeps the text around it', () => {
    const long = 'x'.repeat(LONGEST_VALUE + 1);
    expect(boundedValue(long)).toMatch(/^x{200}…[\w-]{43}$/);
    expect(boundedValue(long)).not.toBe(boundedValue(`${long}y`));
    expect(boundedValue('x'.repeat(LONGEST_VALUE))).toHaveLength(LONGEST_VALUE);
    // No escape and no surrogate pair is cut.
    expect(boundedValue(`${'x'.repeat(198)}%u1F600;${long}`)).toMatch(/^x{198}…/);
    expect(boundedValue(`${'x'.repeat(199)}😀${long}`)).toMatch(/^x{199}…/);
  });

  it('a key with very many values keeps its prefix', () => {
    const base = `feed:GET /${'long'.repeat(200)}`;
    expect(boundedKey(base, `${base}?a=1`)).toBe(`${base}?a=1`);
    expect(boundedKey(base, `${base}?${'a=1&'.repeat(2_000)}`)).toMatch(/\?a=1&.{195}……[\w-]{43}$/);
  });
});
