import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Exclude, Expose, instanceToPlain, Transform, Type } from 'class-transformer';
import fc from 'fast-check';
import {
  type CachedClasses,
  createObservedCache,
  memoryLayer,
  type ObservedCache,
  redisLayer,
} from '../../lib/index.js';
import { RedisServer } from '../support/redis.js';
import { views } from '../support/views.js';

class Address {
  constructor(
    public city: string,
    public geo: unknown,
  ) {}
}
Exclude()(Address.prototype, 'geo');

class User {
  id: unknown;
  password: unknown;
  address: unknown;
  friend: unknown;
  @Expose() get label(): string {
    return `#${String(this.id)}`;
  }
  /** An assignment would run this setter. */
  set nickname(_value: string) {
    throw new Error('a setter ran');
  }
}
Exclude()(User.prototype, 'password');
Type(() => Address)(User.prototype, 'address');
class Admin extends User {
  rights: unknown;
}
Expose({ groups: ['admin'] })(Admin.prototype, 'rights');

class Money {
  constructor(readonly cents: unknown) {
    // A copy must not run this.
    if (new.target === undefined) throw new Error('a constructor ran');
  }
  toJSON() {
    return { amount: this.cents };
  }
}
class PriceDto {
  cents: unknown;
}
Transform(({ value }: { value: unknown }) => [value, 'once'], { toPlainOnly: true })(PriceDto.prototype, 'cents');

abstract class Pet {
  name: unknown;
}
class Cat extends Pet {}
class Dog extends Pet {}
class Owner {
  pet: unknown;
}
Type(() => Pet as never, {
  discriminator: {
    property: 'kind',
    subTypes: [
      { value: Cat, name: 'cat' },
      { value: Dog, name: 'dog' },
    ],
  },
})(Owner.prototype, 'pet');

/** An instance that does not change, with hidden and constant properties and one named by a registered symbol. */
class Sealed {
  constructor(value: unknown) {
    Object.defineProperty(this, 'hidden', { value, enumerable: false, writable: true, configurable: true });
    Object.defineProperty(this, 'constant', { value: 1, enumerable: true });
    Object.defineProperty(this, Symbol.for('test.note'), { value, enumerable: true, configurable: true });
    Object.freeze(this);
  }
}
/** Its own property hides a setter of its prototype. */
class Shadowing {
  constructor(value: unknown) {
    Object.defineProperty(this, 'level', { value, enumerable: true, writable: true, configurable: true });
  }
  set level(_value: unknown) {
    throw new Error('a setter ran');
  }
}
class Vector extends Float32Array {}
class Page extends Array<unknown> {
  total: unknown;
}
class Registry extends Map<unknown, unknown> {
  owner: unknown;
}
class Labels extends Set<unknown> {}
class Moment extends Date {
  zone: unknown;
}
class Failure extends Error {
  constructor(readonly code: unknown) {
    super('it failed');
  }
}
const classes = [
  Address, User, Admin, Money, PriceDto, Cat, Dog, Owner, Sealed, Shadowing, Vector, Page, Registry, Labels, Moment, Failure,
]; // prettier-ignore

/** A recipe of a value: each call makes a new one, as a handler does. */
type Recipe = {
  readonly kind: string;
  readonly parts: readonly Recipe[];
  readonly leaf?: unknown;
  readonly back?: number;
};

const leaf = fc.oneof(
  fc.string(),
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.constantFrom(null, undefined, NaN, -0, 10n),
);
const kinds = [
  'object', 'array', 'map', 'set', 'date', 'bytes', 'regexp', 'error', 'user', 'admin', 'address', 'money', 'price', 'owner',
  'sealed', 'shadowing', 'vector', 'page', 'registry', 'labels', 'moment', 'failure', 'back',
]; // prettier-ignore
const { recipe } = fc.letrec<{ recipe: Recipe }>((tie) => ({
  recipe: fc.oneof(
    { maxDepth: 4, depthSize: 'medium' },
    leaf.map((value): Recipe => ({ kind: 'leaf', parts: [], leaf: value })),
    fc.record({
      kind: fc.constantFrom(...kinds),
      parts: fc.array(tie('recipe'), { maxLength: 4 }),
      back: fc.nat(8),
    }),
  ),
}));

/** Removes the stack of an error, which does not matter here. */
function withStack(error: Error): Error {
  error.stack = 'a stack';
  return error;
}

class Maker {
  readonly #made: object[] = [];

  make({ kind, parts, leaf: value, back = 0 }: Recipe): unknown {
    if (kind === 'leaf') return value;
    // A cycle, or a reference to another part.
    if (kind === 'back') return this.#made.length === 0 ? null : this.#made[back % this.#made.length];
    const object = this.#empty(kind, parts);
    if (!this.#made.includes(object)) this.#made.push(object);
    this.#fill(object, kind, parts);
    return object;
  }

  #empty(kind: string, parts: readonly Recipe[]): object {
    const first = () => this.make(parts[0] ?? { kind: 'leaf', parts: [], leaf: 'first' });
    switch (kind) {
      case 'array':
        return [];
      case 'map':
        return new Map();
      case 'set':
        return new Set();
      case 'date':
        return new Date(parts.length * 1e9);
      case 'bytes':
        return Buffer.from('bytes');
      case 'regexp':
        return /a+/gi;
      case 'error':
        return withStack(Object.assign(new RangeError('out of range', { cause: parts.length }), { code: 'E_RANGE' }));
      case 'user':
        return new User();
      case 'admin':
        return new Admin();
      case 'address':
        return new Address('Ulm', [48, 10]);
      case 'money':
        return new Money(first());
      case 'price':
        return new PriceDto();
      case 'owner':
        return new Owner();
      case 'sealed':
        return new Sealed(first());
      case 'shadowing':
        return new Shadowing(first());
      case 'vector':
        return new Vector([1, 2.5, parts.length]);
      case 'page':
        return new Page();
      case 'registry':
        return new Registry();
      case 'labels':
        return new Labels();
      case 'moment':
        return new Moment(parts.length * 1e9);
      case 'failure':
        return withStack(new Failure(first()));
      default:
        return {};
    }
  }

  #fill(object: object, kind: string, parts: readonly Recipe[]): void {
    const values = parts.map((part) => this.make(part));
    if (object instanceof User)
      Object.assign(object, { id: 1, password: 's3cret', address: new Address('Bonn', values), friend: values[0] });
    if (object instanceof Admin) object.rights = values;
    if (object instanceof PriceDto) object.cents = values[0];
    if (object instanceof Owner) object.pet = Object.assign(values.length > 1 ? new Cat() : new Dog(), { name: 'x' });
    if (object instanceof Map) values.forEach((value, index) => object.set(index === 0 ? value : `k${index}`, value));
    if (object instanceof Set) for (const value of values) object.add(value);
    if (Array.isArray(object)) for (const value of values) object.push(value);
    if (object instanceof Page) object.total = values.length;
    if (object instanceof Registry) object.owner = values[0];
    if (object instanceof Moment) object.zone = 'UTC';
    if (kind === 'object') values.forEach((value, index) => ((object as Record<string, unknown>)[`p${index}`] = value));
  }
}

/** `undefined` is a value, too. */
const policy = { negativeTtl: '1m' };
const made = (one: Recipe): unknown => new Maker().make(one);
const seen = (value: unknown) => views(value, [instanceToPlain, (one) => instanceToPlain(one, { groups: ['admin'] })]);

let server: RedisServer;
const caches: ObservedCache[] = [];
let namespaces = 0;

beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(async () => {
  await Promise.all(caches.map((cache) => cache.disconnect()));
  await server.dispose();
});

async function cacheOf(...options: Parameters<typeof createObservedCache>): Promise<ObservedCache> {
  const cache = createObservedCache(...options);
  await cache.connect();
  caches.push(cache);
  return cache;
}

const redis = () => redisLayer({ url: server.url, required: true });
const inRedis = (namespace: string, listed?: CachedClasses): Promise<ObservedCache> =>
  cacheOf({ namespace, layers: [redis()], ...(listed !== undefined && { classes: listed }) });

describe('values of any kind', () => {
  interface Place {
    readonly one: ObservedCache;
    readonly other: ObservedCache;
    /** True if a part that a custom serializer loses is stored next to an instance. */
    readonly besideInstance?: boolean;
  }
  const places: [string, () => Promise<Place>][] = [
    [
      'in memory',
      async () => {
        const one = await cacheOf({ layers: [memoryLayer()] });
        return { one, other: one };
      },
    ],
    [
      'in Redis',
      async () => {
        const one = await inRedis(`values-${++namespaces}`);
        return { one, other: one };
      },
    ],
    [
      'in another process that lists the classes',
      async () => {
        const namespace = `values-${++namespaces}`;
        return { one: await inRedis(namespace), other: await inRedis(namespace, classes) };
      },
    ],
    [
      'in another process that names the classes, with a custom serializer',
      async () => {
        const namespace = `values-${++namespaces}`;
        const listed = Object.fromEntries(classes.map((type) => [`shop.${type.name}`, type]));
        const json = {
          id: 'json',
          serialize: (value: unknown) => Buffer.from(JSON.stringify(value)),
          deserialize: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as unknown,
        };
        const layers = () => [redisLayer({ url: server.url, serializer: json })];
        const make = () => cacheOf({ namespace, layers: layers(), classes: listed });
        return { one: await make(), other: await make(), besideInstance: true };
      },
    ],
  ];

  it.each(places)('a value equals the value without a cache: %s', async (_place, open) => {
    const { one, other, besideInstance = false } = await open();
    let key = 0;
    await fc.assert(
      fc.asyncProperty(recipe, async (parts) => {
        const name = `value:${++key}`;
        let loads = 0;
        const make = () => (besideInstance ? { user: new User(), value: made(parts) } : made(parts));
        const load = () => {
          loads += 1;
          return make();
        };
        const expected = seen(make());
        expect(seen(await one.getOrSet(name, load, policy))).toEqual(expected);
        const hit = await other.getOrSet(name, load, policy);
        expect(seen(hit)).toEqual(expected);
        scribble(hit);
        expect(seen(await other.getOrSet(name, load, policy))).toEqual(expected);
        expect(loads).toBe(1);
      }),
      { numRuns: 150 },
    );
  });

  it('a value equals the value without a cache in a process that has returned the classes itself', async () => {
    const namespace = `values-${++namespaces}`;
    const [one, other] = [await inRedis(namespace), await inRedis(namespace)];
    let key = 0;
    await fc.assert(
      fc.asyncProperty(recipe, async (parts) => {
        const name = `value:${++key}`;
        await one.getOrSet(name, () => made(parts), policy);
        let loads = 0;
        const read = () =>
          other.getOrSet(
            name,
            () => {
              loads += 1;
              return made(parts);
            },
            policy,
          );
        // The process loads a class that it cannot restore yet, and restores it from then on.
        expect(seen(await read())).toEqual(seen(made(parts)));
        expect(seen(await read())).toEqual(seen(made(parts)));
        expect(loads).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });
});

/** Changes a value, as a caller may do with its own copy. */
function scribble(value: unknown): void {
  if (typeof value !== 'object' || value === null || !Object.isExtensible(value)) return;
  for (const part of Object.values(value))
    if (part !== value && Object.isExtensible(part)) (part as { mine?: unknown }).mine = 1;
  (value as { mine?: unknown }).mine = 1;
}

describe('a build with swapped class names', () => {
  interface Build {
    readonly User: new (fields: object) => object;
    readonly Price: new (fields: object) => object;
  }
  const bodies = {
    'that declare their fields': ['id; password; note; constructor(o){Object.assign(this,o)}', 'id; cents; note; constructor(o){Object.assign(this,o)}'],
    'with the same source': ['constructor(o){Object.assign(this,o)}', 'constructor(o){Object.assign(this,o)}'],
  }; // prettier-ignore

  function build([user, price]: readonly string[], [userName, priceName]: readonly string[]): Build {
    const made = new Function(
      `return { User: class ${userName} { ${user} }, Price: class ${priceName} { ${price} } }`,
    )() as Build;
    Exclude()(made.User.prototype, 'password');
    Transform(({ value }: { value: number }) => value / 100, { toPlainOnly: true })(made.Price.prototype, 'cents');
    return made;
  }

  const item = fc.record({
    key: fc.nat(9),
    kind: fc.constantFrom('User' as const, 'Price' as const),
    inList: fc.boolean(),
  });
  const valueIn = (classesOf: Build, kind: 'User' | 'Price', inList: boolean): unknown => {
    const one =
      kind === 'User' ? new classesOf.User({ id: 1, password: 's3cret' }) : new classesOf.Price({ id: 2, cents: 500 });
    return inList ? { list: [one] } : one;
  };

  it.each(Object.entries(bodies))('two swapped classes are never confused: classes %s', async (_, sources) => {
    const [before, after] = [build(sources, ['a', 'b']), build(sources, ['b', 'a'])];
    await fc.assert(
      fc.asyncProperty(
        fc.array(item, { minLength: 1, maxLength: 20 }),
        fc.array(item, { maxLength: 20 }),
        async (stored, read) => {
          const namespace = `values-${++namespaces}`;
          const old = await inRedis(namespace);
          const next = await inRedis(namespace);
          const kept = new Map<number, (typeof stored)[number]>();
          for (const one of stored) {
            if (!kept.has(one.key)) kept.set(one.key, one);
            await old.getOrSet(`item:${one.key}`, () => valueIn(before, one.kind, one.inList));
          }
          for (const { key, kind, inList } of read) {
            const { kind: isA = kind, inList: isInList = inList } = kept.get(key) ?? {};
            if (!kept.has(key)) kept.set(key, { key, kind: isA, inList: isInList });
            const value = await next.getOrSet(`item:${key}`, () => valueIn(after, isA, isInList));
            expect(seen(value)).toEqual(seen(valueIn(after, isA, isInList)));
          }
          await Promise.all([old.disconnect(), next.disconnect()]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('classes that are listed by custom names are restored', async () => {
    const sources = bodies['with the same source'];
    const namespace = `values-${++namespaces}`;
    const listed = ({ User: user, Price: price }: Build) => ({ 'shop.User': user, 'shop.Price': price });
    const [before, after] = [build(sources, ['a', 'b']), build(sources, ['b', 'a'])];
    const old = await inRedis(namespace, listed(before));
    const next = await inRedis(namespace, listed(after));
    for (const kind of ['User', 'Price'] as const) {
      await old.set(`item:${kind}`, valueIn(before, kind, true));
      expect(seen(await next.get(`item:${kind}`))).toEqual(seen(valueIn(after, kind, true)));
    }
  });
});
