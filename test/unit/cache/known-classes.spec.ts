import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  CacheObservabilityModule,
  createObservedCache,
  memoryLayer,
  type ObservedCache,
  type ObservedCacheOptions,
  redisLayer,
} from '../../../lib/index.js';
import { boot, closeApps } from '../../support/apps.js';
import { RedisServer } from '../../support/redis.js';

class User {
  name = 'ann';
}
class Order {
  id = 1;
  user = new User();
}

/** Like decimal.js: an instance that cannot be copied by its properties. */
class Decimal {
  readonly digits: string;
  /** A function as a property of each instance. */
  override = () => this.digits;
  constructor(text: string) {
    if (!/^\d+(\.\d+)?$/.test(text)) throw new Error('not a decimal');
    this.digits = text;
  }
  plus(other: number): number {
    return Number(this.digits) + other;
  }
}
const decimals = {
  Decimal: {
    class: Decimal,
    encode: (value: Decimal) => ({ text: value.digits }),
    decode: ({ text }: { text: string }) => new Decimal(text),
  },
};

let server: RedisServer;
const open: ObservedCache[] = [];
let warnings: string[];

beforeAll(async () => {
  server = await RedisServer.start();
});
beforeEach(() => {
  warnings = [];
});
afterEach(async () => {
  await open[0]?.clear();
  await Promise.all(open.splice(0).map((cache) => cache.disconnect()));
});
afterAll(() => server.dispose());

/** One process of several over the same Redis. */
async function process(options: Partial<ObservedCacheOptions> = {}): Promise<ObservedCache> {
  const cache = createObservedCache({
    namespace: 'known',
    layers: [memoryLayer(), redisLayer({ url: server.url, required: true })],
    log: (level, code, message) => void (level === 'warn' && warnings.push(`${code} ${message}`)),
    ...options,
  });
  await cache.connect();
  open.push(cache);
  return cache;
}

/** Copies a record to another key, as an attacker with write access to Redis may. */
async function copyRecord(from: string, to: string): Promise<void> {
  const client = await server.client();
  for (const key of await client.keys(`*${from}`)) await client.copy(key, key.slice(0, -from.length) + to);
}

describe('restoring an instance', () => {
  it('an instance is restored if its class is listed for all patterns, for one read, or by a name', async () => {
    const one = await process({ classes: { 'shop.User': User, 'shop.Order': Order } });
    await one.set('order:1', new Order());
    const expected = new Order();
    expect(await (await process({ classes: { 'shop.User': User, 'shop.Order': Order } })).get('order:1')).toStrictEqual(expected); // prettier-ignore
    expect(await (await process({ classes: [User, Order] })).get('order:1')).toStrictEqual(expected);
    const other = await process({ policy: { classes: [User] } });
    const load = () => Promise.reject(new Error('it loads'));
    expect(await other.getOrSet('order:1', load, { classes: [Order] })).toStrictEqual(expected);
    expect(warnings).toEqual([]);
  });

  it('an instance is restored if the process has returned its class for the pattern; other instances are loaded once', async () => {
    await (await process()).mset([1, 2, 3].map((id) => ({ key: `order:${id}`, value: new Order() })));
    const other = await process();
    expect(await other.get('order:1')).toBeUndefined();
    let loads = 0;
    const load = () => {
      loads += 1;
      return new Order();
    };
    expect(await other.getOrSet('order:1', load)).toStrictEqual(new Order());
    expect(await other.getOrSet('order:2', load)).toStrictEqual(new Order());
    expect(await other.mget(['order:2', 'order:3'])).toStrictEqual([new Order(), new Order()]);
    expect(loads).toBe(1);
    expect(warnings).toEqual([expect.stringMatching(/^UNKNOWN_CLASS .*order:\*.*'Order'.*`classes`/)]);
  });

  it('an instance is restored only with classes of its own pattern', async () => {
    const cache = await process({ layers: [redisLayer({ url: server.url })] });
    await cache.set('order:1', new Order());
    await cache.set('user:1', new User());
    await copyRecord('order:1', 'user:2');
    expect(await cache.get('user:1')).toStrictEqual(new User());
    expect(await cache.get('user:2')).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(/^UNKNOWN_CLASS .*user:\*/)]);
  });

  it('an instance of a changed class is restored only if the class is listed', async () => {
    const before = { User: class User { name = 'ann' } }; // prettier-ignore
    const after = { User: class User { name = 'ann'; greet() { return 'hello' } } }; // prettier-ignore
    await (
      await process({ classes: [before.User] })
    ).mset([1, 2].map((id) => ({ key: `user:${id}`, value: new before.User() })));
    const learned = await process();
    await learned.set('user:3', new after.User());
    expect(await learned.get('user:1')).toBeUndefined();
    const read = await (await process({ classes: [after.User] })).get<{ greet(): string }>('user:1');
    expect(read?.greet()).toBe('hello');
  });
});

describe('an instance that its application encodes', () => {
  it.each([
    ['memory', () => process({ layers: [memoryLayer()], classes: decimals })],
    ['Redis', () => process({ layers: [redisLayer({ url: server.url })], classes: decimals })],
  ])('an encoded instance is decoded for each caller from %s', async (_, make) => {
    const cache = await make();
    const price = new Decimal('1.5');
    const load = () => ({ list: [price, price], at: new Map([['a', price]]) });
    const reads = [await cache.getOrSet('price:1', load), await cache.getOrSet('price:1', load)];
    for (const { list, at } of reads) {
      expect(list[0]).toBeInstanceOf(Decimal);
      expect(list[0]!.plus(1)).toBe(2.5);
      expect(list[1]).toBe(list[0]);
      expect(at.get('a')).toBe(list[0]);
      expect(list[0]).not.toBe(price);
    }
    expect(reads[0]!.list[0]).not.toBe(reads[1]!.list[0]);
  });

  it('an encoded instance is decoded for a function that decides when it is refreshed', async () => {
    const cache = await process({ layers: [memoryLayer()], classes: decimals });
    const seen: unknown[] = [];
    const read = () =>
      cache.wrap(
        'price:1',
        () => new Decimal('1.5'),
        60_000,
        (price) => (seen.push(price.plus(1)), 0),
      );
    await read();
    await read();
    expect(seen).toEqual([2.5]);
  });

  it('an encoded instance is decoded in another process, and is a miss if that is not possible', async () => {
    await (await process({ classes: decimals })).set('price:1', { price: new Decimal('2') });
    const other = await process({ classes: decimals });
    expect((await other.get<{ price: Decimal }>('price:1'))?.price.plus(1)).toBe(3);
    const broken = await process({
      classes: { Decimal: { ...decimals.Decimal, decode: () => JSON.parse('{') as object } },
    });
    expect(await broken.get('price:1')).toBeUndefined();
    expect(await (await process()).get('price:1')).toBeUndefined();
    expect(warnings).toHaveLength(2);
  });

  it('an instance is returned and not stored if its encoding cannot be decoded', async () => {
    const cache = await process({ classes: { Decimal: { ...decimals.Decimal, encode: () => ({ text: 'x' }) } } });
    const price = new Decimal('2');
    expect(await cache.getOrSet('price:1', () => price)).toBe(price);
    expect(await cache.get('price:1')).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('VALUE_NOT_SERIALIZABLE')]);
  });
});

it.each<[string, unknown, RegExp]>([
  ['a text', 'User', /classes: must be a list of classes or an object of classes by name/],
  ['a list of names', ['User'], /classes\[0\]: must be a class/],
  ['an arrow function', { User: () => 1 }, /classes\.User: must be a class or \{ class, encode, decode \}/],
  ['an encoder alone', { User: { class: User, encode: () => 1 } }, /classes\.User: must be a class/],
  ['a class without a name', [class {}], /classes\[0\]: the class has no name/],
])('`classes` is refused at boot: %s', async (_, classes, message) => {
  expect(() => createObservedCache({ classes } as object)).toThrow(message);
  const imports = [CacheObservabilityModule.forRoot({ classes, policy: { classes } } as object)];
  const booted = await boot('express', { imports }).catch((error: unknown) => String(error));
  await closeApps();
  expect(booted).toMatch(message);
  expect(booted).toContain('policy.classes');
});
