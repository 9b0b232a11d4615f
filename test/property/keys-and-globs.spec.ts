import { inspect } from 'node:util';
import { Controller, Get, HttpCode, Injectable, Post, Query } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LayerFactory } from '../../lib/cache/layers/layer.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { CacheInvalidate } from '../../lib/caching/cache-invalidate.decorator.js';
import type { CachedOptions } from '../../lib/caching/options/cached.options.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { cacheGlobOf, cacheKeyOf } from '../../lib/caching/keys/cache-key-of.js';
import { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { boot, type BootedApp, closeApps, platforms } from '../support/apps.js';
import { RedisServer } from '../support/redis.js';

/** Text that looks like something else: separators, wildcards, numbers, escapes, quotes, and text too long for a key. */
const awkward = fc.constantFrom(
  '',
  ' ',
  '7',
  '42',
  '007',
  '0',
  '-0',
  '1e+21',
  'true',
  'null',
  'undefined',
  '2026-01-02T03:04:05.006Z',
  '2026-01-02',
  'Date(5)',
  'Invalid Date',
  "'42'",
  '~',
  '%2A',
  '%u2026;',
  '…',
  '*',
  '?',
  '[a-z]',
  'a*',
  '\\',
  'a b',
  'a/b',
  'a:b',
  'a-b',
  ':',
  '-',
  '2',
  'ž',
  '😀',
  '漢字',
);
const text = fc.oneof(
  { weight: 3, arbitrary: awkward },
  { weight: 2, arbitrary: fc.uuid() },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }) },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom('a', '2', '-', ':', '*', 'ž'), maxLength: 6 }) },
  // Longer than the limit of a value, with or without escaped characters.
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('x', 'ž', '😀', ' ', '-', 'a:'),
        fc.integer({ min: 180, max: 700 }),
        fc.constantFrom('', 'y'),
      )
      .map(([unit, length, end]) => unit.repeat(length) + end),
  },
);
const scalar = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 1, arbitrary: fc.integer({ min: -50, max: 50 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(0, -0, 42, 7, 1.5, NaN, Infinity, 1e21, true, false, 7n, 0n, null, undefined),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(new Date(5), new Date('2026-01-02T03:04:05.006Z'), new Date(NaN)),
  },
);
const value = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('a', 'b:c'), scalar, { maxKeys: 2, noNullPrototype: true }) },
);

/** True if two values have the same text: a number, a boolean, a date, null or undefined equals its text. */
const named = (one: unknown, other: unknown): boolean => namesOf(one).some((name) => namesOf(other).includes(name));
const namesOf = (one: unknown): string[] => {
  if (Object.is(one, -0)) return ['"0"', '"-0"'];
  if (one instanceof Date) return Number.isNaN(one.getTime()) ? ['no date'] : [`"${one.toISOString()}"`];
  if (one === null || typeof one !== 'object') return [`"${String(one)}"`];
  return [inspect(one, { depth: null, sorted: true })];
};

/** Reads a text as a value of another type. */
const READERS: readonly ((text: string) => unknown)[] = [
  Number,
  (text) => (/^-?\d+$/.test(text) ? BigInt(text) : text),
  (text) => text === 'true',
  (text) => new Date(text),
  () => null,
  () => undefined,
];

/** A value with the same text as this one. */
const alike = (one: unknown, choice: number): unknown => {
  const texts = isScalar(one) ? namesOf(one).map((name) => name.slice(1, -1)) : [];
  const others = texts.flatMap((name) => READERS.map((read) => read(name)));
  const same = [...texts, ...others].filter((other) => named(one, other));
  return choice === 0 || same.length === 0 ? one : same[choice % same.length];
};
const isScalar = (one: unknown) =>
  typeof one !== 'object' || one === null || (one instanceof Date && !Number.isNaN(one.getTime()));

/** Literals of templates with two placeholders: the text before, between and after them. */
const SEPARATORS = [
  ['', ':', ''],
  ['', '-', ''],
  ['', '2', ''],
  ['x', 'a', 'b'],
  ['', '.', '.json'],
  ['', '/', '*'],
  ['', ' & ', '?'],
  ['[', '][', ']'],
  ['', 'ž', '😀'],
  ['', '_', '-end'],
] as const;
const usable = ([, between, behind]: readonly [string, string, string]) =>
  !between.includes('*') && !behind.includes('*');
const TEMPLATES = SEPARATORS.filter(usable).map(
  ([before, between, behind], index) => `t${index}:${before}{0}${between}{1}${behind}`,
);
/** Escapes wildcards in a template's own text. */
const literally = (template: string) => template.replace(/[?[\]]/g, '\\$&');

const decorate = (
  target: object,
  name: string,
  implementation: (...args: never[]) => unknown,
  decorator: MethodDecorator,
) => {
  const descriptor = { value: implementation, writable: true, configurable: true, enumerable: false };
  Object.defineProperty(target, name, decorator(target, name, descriptor) ?? descriptor);
};

interface Methods {
  find(a: unknown, b: unknown): Promise<number>;
  dropKey(a: unknown, b: unknown): Promise<void>;
  dropFirst(a: unknown): Promise<void>;
  dropSecond(b: unknown): Promise<void>;
  dropBeginning(a: unknown): Promise<void>;
  dropTag(a: unknown, b: unknown): Promise<void>;
}

let calls = 0;

/** A class with one cached method of this template, and methods that invalidate by it. */
function serviceOf(template: string): new () => Methods {
  @Injectable()
  class Service {}
  const glob = literally(template);
  const add = (name: string, implementation: (...args: never[]) => Promise<unknown>, decorator: MethodDecorator) =>
    decorate(Service.prototype, name, implementation, decorator);
  const nothing = () => async () => undefined;
  const options: CachedOptions = { tags: [`tag of ${template}`] };
  add('find', async (_a, _b) => ++calls, Cached(template, options));
  add('dropKey', nothing(), CacheInvalidate({ keys: [template] }));
  add('dropFirst', nothing(), CacheInvalidate({ patterns: [glob.replace('{1}', '*')] }));
  add('dropSecond', nothing(), CacheInvalidate({ patterns: [glob.replace('{0}', '*').replace('{1}', '{0}')] }));
  add('dropBeginning', nothing(), CacheInvalidate({ patterns: [glob.replace(/\{0\}.*/, '{0}*')] }));
  add('dropTag', nothing(), CacheInvalidate({ tags: [`tag of ${template}`] }));
  return Service as unknown as new () => Methods;
}

describe.each(['memory', 'Redis', 'memory over Redis'] as const)('an invalidation of methods, in %s', (where) => {
  let server: RedisServer | undefined;
  let services: Methods[] = [];
  let close: () => Promise<void>;

  beforeAll(async () => {
    if (where !== 'memory') server = await RedisServer.start();
    const redis = () => redisLayer({ url: server!.url, deadline: '5s' });
    const layers: LayerFactory[] =
      where === 'memory' ? [memoryLayer()] : where === 'Redis' ? [redis()] : [memoryLayer(), redis()];
    const classes = TEMPLATES.map(serviceOf);
    const module = await Test.createTestingModule({
      imports: [CacheObservabilityModule.forRoot({ namespace: 'test', layers, monitoring: false })],
      providers: classes,
    }).compile();
    await module.init();
    services = classes.map((one) => module.get(one));
    close = () => module.close();
  });
  afterAll(async () => {
    await close();
    await server?.dispose();
  });

  const runs = { numRuns: where === 'memory' ? 200 : 30 };
  const one = fc.integer({ min: 0, max: TEMPLATES.length - 1 });
  /** Values that are often similar. */
  const pairs = fc
    .tuple(value, value, value, value, fc.option(fc.nat({ max: 9 })), fc.option(fc.nat({ max: 9 })))
    .map(([a, b, c, d, sameA, sameB]) => ({
      kept: [a, b] as const,
      dropped: [sameA === null ? c : alike(a, sameA), sameB === null ? d : alike(b, sameB)] as const,
    }));

  const check = async (
    service: Methods,
    [a, b]: readonly [unknown, unknown],
    drop: () => Promise<void>,
    expected: boolean,
  ) => {
    const before = await service.find(a, b);
    expect(await service.find(a, b)).toBe(before);
    await drop();
    expect((await service.find(a, b)) !== before).toBe(expected);
  };

  it('an invalidation of methods by key removes exactly the entry of the same values', () =>
    fc.assert(
      fc.asyncProperty(one, pairs, async (index, { kept, dropped }) => {
        const service = services[index]!;
        const gone = named(kept[0], dropped[0]) && named(kept[1], dropped[1]);
        await check(service, kept, () => service.dropKey(...dropped), gone);
      }),
      runs,
    ));

  it('an invalidation of methods by tag template removes exactly the entries whose values have the same text', () =>
    fc.assert(
      fc.asyncProperty(one, pairs, async (index, { kept, dropped }) => {
        const service = services[index]!;
        const [, between] = SEPARATORS.filter(usable)[index]!;
        const textOf = ([a, b]: readonly [unknown, unknown]) => `${tagTextOf(a)}${between}${tagTextOf(b)}`;
        await check(service, kept, () => service.dropTag(...dropped), textOf(kept) === textOf(dropped));
      }),
      runs,
    ));

  it('an invalidation of methods by glob removes exactly the entries with the same first or second value', () =>
    fc.assert(
      fc.asyncProperty(one, pairs, async (index, { kept, dropped }) => {
        const service = services[index]!;
        await check(service, kept, () => service.dropFirst(dropped[0]), named(kept[0], dropped[0]));
        const second = named(kept[1], dropped[1]);
        // The wildcard may match the separator and the beginning of a second value that holds the separator, written as it is or
        // escaped, as a space is (%20).
        const [, between] = SEPARATORS.filter(usable)[index]!;
        const written = inspect(kept[1]);
        if (second || ![written, encodeURIComponent(written)].some((each) => each.includes(between)))
          await check(service, kept, () => service.dropSecond(dropped[1]), second);
      }),
      runs,
    ));

  it('an invalidation of methods by a whole value and `*` removes exactly the entries with that value', () =>
    fc.assert(
      fc.asyncProperty(one, value, value, fc.nat({ max: 9 }), async (index, a, b, choice) => {
        const service = services[index]!;
        await check(service, [a, b], () => service.dropBeginning(alike(a, choice)), true);
      }),
      runs,
    ));

  it('an invalidation of methods by a prefix of a value removes the entries that begin with it', () =>
    fc.assert(
      fc.asyncProperty(one, text, fc.nat({ max: 400 }), value, async (index, a, length, b) => {
        const service = services[index]!;
        const beginning = Array.from(a).slice(0, length).join('');
        await check(service, [a, b], () => service.dropBeginning(beginning), true);
      }),
      runs,
    ));
});

/** Writes a value as a JavaScript template literal does, dates as JSON does, and objects as keys do. */
function tagTextOf(one: unknown): string {
  return typeof one === 'object' && one !== null ? namesOf(one)[0]!.replaceAll('"', '') : String(one);
}

const PAGE_KEY = 'page-{query.a}-{query.b}';

@Injectable()
class Lists {
  @Cached('list:{0}:{1}')
  async find(_a: unknown, _b: unknown) {
    return ++calls;
  }

  /** Callers may pass other values than the declared ones. */
  @Cached('list:texts:{0}:{1}')
  async texts(_a: string, _b: number) {
    return ++calls;
  }
}

@Controller()
class PagesController {
  @Get('pages')
  @Cached(PAGE_KEY)
  page(@Query('a') a: string, @Query('b') b: string) {
    return { a, b, call: ++calls };
  }

  @Get('tagged')
  @Cached('tagged:{query.a}', { tags: ({ a }: { a: string }) => [`item:${a}`] })
  tagged(@Query('a') a: string) {
    return { a, call: ++calls };
  }

  @Post('drop/page')
  @HttpCode(200)
  @CacheInvalidate({ keys: [PAGE_KEY] })
  dropPage(@Query('a') a: string, @Query('b') b: string) {
    return { a, b };
  }

  @Post('drop/pages')
  @HttpCode(200)
  @CacheInvalidate({ patterns: ['page-{query.a}-*'] })
  dropPages(@Query('a') a: string) {
    return { a };
  }

  @Post('drop/lists')
  @HttpCode(200)
  @CacheInvalidate({ patterns: ['list:{query.a}:*', 'list:texts:{query.a}:*'] })
  dropLists(@Query('a') a: string) {
    return { a };
  }

  @Post('drop/tag')
  @HttpCode(200)
  @CacheInvalidate({ tags: ['item:{query.a}'] })
  dropTag(@Query('a') a: string) {
    return { a };
  }
}

describe.each(platforms)('an invalidation of requests, on %s', (platform) => {
  let app: BootedApp;
  let cache: ObservedCache;
  beforeAll(async () => {
    app = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot({ monitoring: false })],
      controllers: [PagesController],
      providers: [Lists],
    });
    cache = app.app.get(ObservedCache);
  });
  afterAll(closeApps);

  const runs = { numRuns: 20 };
  const short = text.filter((one) => one.length < 200);
  const pairs = fc
    .tuple(text, short, text, short, fc.boolean(), fc.boolean())
    .map(([a, b, c, d, sameA, sameB]) => ({ kept: { a, b }, dropped: { a: sameA ? a : c, b: sameB ? b : d } }));
  const get = async (path: string, query: object): Promise<number> => {
    const { body } = await app.ask().get(path).query(query).expect(200);
    return (body as { call: number }).call;
  };
  const drop = async (path: string, query: object) => void (await app.ask().post(path).query(query).expect(200));
  const check = async (path: string, query: object, invalidate: () => Promise<unknown>, expected: boolean) => {
    const before = await get(path, query);
    expect(await get(path, query)).toBe(before);
    await invalidate();
    expect((await get(path, query)) !== before).toBe(expected);
  };

  it('an invalidation of requests removes by key, in a decorator and in code, the entry of the same inputs', () =>
    fc.assert(
      fc.asyncProperty(pairs, async ({ kept, dropped }) => {
        const gone = kept.a === dropped.a && kept.b === dropped.b;
        await check('/pages', kept, () => drop('/drop/page', dropped), gone);
        await check('/pages', kept, () => cache.del(cacheKeyOf(PAGE_KEY, { query: dropped })), gone);
      }),
      runs,
    ));

  it('an invalidation of requests removes by glob, in a decorator and in code, the entries of the same input', () =>
    fc.assert(
      fc.asyncProperty(pairs, async ({ kept, dropped: { a } }) => {
        await check('/pages', kept, () => drop('/drop/pages', { a }), kept.a === a);
        const glob = cacheGlobOf(PAGE_KEY, { query: { a } });
        await check('/pages', kept, () => cache.deleteByPattern(glob), kept.a === a);
      }),
      runs,
    ));

  it('an invalidation of requests removes by a tag from a function the entries of the same input', () =>
    fc.assert(
      fc.asyncProperty(pairs, async ({ kept: { a }, dropped }) => {
        await check('/tagged', { a }, () => drop('/drop/tag', { a: dropped.a }), a === dropped.a);
        await check('/tagged', { a }, () => cache.invalidateTags(`item:${dropped.a}`), a === dropped.a);
      }),
      runs,
    ));

  it("an invalidation by text removes a method's entries of that text, or of the value it represents", () =>
    fc.assert(
      fc.asyncProperty(scalar, text, fc.boolean(), value, async (a, other, same, b) => {
        const own = a instanceof Date && !Number.isNaN(a.getTime()) ? a.toISOString() : String(a);
        const sent = same && named(a, own) ? own : other;
        const lists = app.app.get(Lists);
        const texts = lists.texts.bind(lists) as (a: unknown, b: unknown) => Promise<number>;
        const before = [await lists.find(a, b), await texts(a, b)];
        await drop('/drop/lists', { a: sent });
        const after = [await lists.find(a, b), await texts(a, b)];
        expect(after.map((call, at) => call !== before[at])).toEqual([named(a, sent), named(a, sent)]);
      }),
      runs,
    ));
});
