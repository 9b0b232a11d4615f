import {
  Body,
  Controller,
  DefaultValuePipe,
  Get,
  HttpCode,
  Injectable,
  Param,
  ParseBoolPipe,
  ParseFloatPipe,
  ParseIntPipe,
  type PipeTransform,
  Post,
  Query,
  Req,
  ValidationPipe,
} from '@nestjs/common';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Args, GraphQLModule, Int, Query as GraphQLQuery, Resolver } from '@nestjs/graphql';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { CacheInvalidate } from '../../lib/caching/cache-invalidate.decorator.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { boot, closeApps, platforms } from '../support/apps.js';

let calls = 0;

@Injectable()
class Names {
  @Cached('name:*')
  async of(input: unknown) {
    return { input: JSON.stringify(input), call: ++calls };
  }

  @Cached('nick:{0}')
  async nick(name: string) {
    return { name, call: ++calls };
  }
}

@Controller('names')
class NamesController {
  @Post('search')
  @HttpCode(200)
  @Cached('names:*', { methods: ['POST'] })
  search(@Body('name') name: string) {
    return { length: name.length, call: ++calls };
  }

  @Post('own')
  @HttpCode(200)
  @Cached('own:*', { methods: ['POST'], key: ({ request }) => String((request!.body as { name: string }).name) })
  own(@Body('name') name: string) {
    return { length: name.length, call: ++calls };
  }

  @Post('tagged/:id')
  @HttpCode(200)
  @Cached('tagged:{params.id}', { methods: ['POST'], tags: ['tagged:{result.name}'], ignore: ['body.name'] })
  tagged(@Param('id') id: string, @Body('name') name: string) {
    return { id, name, call: ++calls };
  }

  @Post('forget')
  @HttpCode(200)
  @CacheInvalidate({ keys: ['a:{body.name}'], patterns: ['a:{body.name}:*'], tags: ['a:{body.name}'] })
  forget(@Body('name') name: string) {
    return { length: name.length };
  }
}

afterEach(closeApps);

describe.each(platforms)('an input that is not well-formed Unicode, on %s', (platform) => {
  const logged: string[] = [];
  const logger = {
    log: () => undefined,
    warn: (message: unknown) => logged.push(JSON.stringify(message)),
    error: (message: unknown) => logged.push(JSON.stringify(message)),
  };
  const start = async () => {
    logged.length = 0;
    return boot(
      platform,
      { imports: [CacheObservabilityModule.forRoot()], controllers: [NamesController], providers: [Names] },
      { logger },
    );
  };
  const post = (app: Awaited<ReturnType<typeof start>>, path: string, name: string) =>
    app.ask().post(path).set('content-type', 'application/json').send(`{"name":"${name}"}`);

  it.each(['/names/search', '/names/own'])(
    'a lone surrogate bypasses the cache at %s, without a warning',
    async (path) => {
      const app = await start();
      for (const name of ['\\ud800', '\\ud801', '\\ud800']) {
        const response = await post(app, path, name);
        expect(response.status).toBe(200);
        expect(response.headers['x-cache']).toMatch(/^BYPASS/);
      }
      expect((await post(app, path, 'fine')).headers['x-cache']).toBe('MISS');
      expect((await post(app, path, 'fine')).headers['x-cache']).toBe('HIT');
      expect(logged).toEqual([]);
    },
  );

  it('an input with a lone surrogate in a tag prevents storing the response', async () => {
    const app = await start();
    for (const id of ['1', '1']) {
      const response = await post(app, `/names/tagged/${id}`, '\\ud800');
      expect([response.status, response.headers['x-cache']]).toEqual([200, 'MISS']);
    }
    expect(logged.filter((message) => message.includes('"code":"TAGS_FAILED"'))).toHaveLength(1);
  });

  it('an input with a lone surrogate invalidates nothing', async () => {
    const app = await start();
    expect((await post(app, '/names/forget', '\\ud800')).status).toBe(200);
    expect(logged).toEqual([]);
  });

  it('a method throws for an argument with a lone surrogate', async () => {
    const { app } = await start();
    const names = app.get(Names);
    for (const argument of ['x\ud800y', { deep: ['x\ud800y'] }, { ['x\ud800y']: 1 }]) {
      await expect(names.of(argument)).rejects.toMatchObject({
        code: 'INVALID_KEY',
        message: expect.stringMatching(/^Names\.of\(\): parameter 0 \('input'\).* not well-formed Unicode/),
      });
    }
    await expect(names.nick('x\ud800y')).rejects.toMatchObject({ code: 'INVALID_KEY' });
    expect(await names.nick('x😀y')).toEqual(await names.nick('x😀y'));
  });
});

class Lenient extends ParseIntPipe {}

@Injectable()
class Exclaims implements PipeTransform<unknown, unknown> {
  transform = (value: unknown) => (typeof value === 'string' ? `${value}!` : value);
}

const PRODUCT_KEY = 'product:{params.id}';

@Controller()
class PipedController {
  @Get('products/:id')
  @Cached(PRODUCT_KEY, { tags: ['product:{params.id}'] })
  product(@Param('id', ParseIntPipe) id: number) {
    return { id, call: ++calls };
  }

  @Get('codes/:id')
  @Cached('code:{params.id}')
  code(@Param('id') id: string) {
    return { id, call: ++calls };
  }

  @Post('products/:id')
  @CacheInvalidate({ keys: [PRODUCT_KEY], patterns: ['code:{params.id}*'] })
  change(@Param('id', ParseIntPipe) id: number) {
    return { id };
  }

  @Post('products/:id/tag')
  @CacheInvalidate({ tags: ['product:{params.id}'] })
  changeTag(@Param('id') id: string) {
    return { id };
  }

  @Get('int')
  @Cached('int:*')
  int(@Query('v', ParseIntPipe) v: number) {
    return { v, call: ++calls };
  }

  @Get('page')
  @Cached('page:*')
  page(@Query('v', new DefaultValuePipe(1), ParseIntPipe) v: number) {
    return { v, call: ++calls };
  }

  @Get('float')
  @Cached('float:{query.v}')
  float(@Query('v', new ParseFloatPipe()) v: number) {
    return { v, call: ++calls };
  }

  @Get('bool')
  @Cached('bool:*')
  bool(@Query('v', new ParseBoolPipe({ optional: true })) v?: boolean) {
    return { v: v ?? null, call: ++calls };
  }

  @Get('language')
  @Cached('language:*')
  language(@Query('v', new DefaultValuePipe('1')) v: string) {
    return { v, call: ++calls };
  }

  @Get('typed-default')
  @Cached('typed-default:*')
  typedDefault(@Query('v', new DefaultValuePipe(1)) v: unknown) {
    return { v, call: ++calls };
  }

  @Get('subclass')
  @Cached('subclass:*')
  subclass(@Query('v', Lenient) v: number) {
    return { v, call: ++calls };
  }

  @Get('mixed')
  @Cached('mixed:*')
  mixed(@Query('v', Exclaims, new DefaultValuePipe('x')) v: string) {
    return { v, call: ++calls };
  }

  @Get('twice')
  @Cached('twice:*')
  twice(@Query('v', ParseIntPipe) v: number, @Query('v', new ParseIntPipe()) again: number) {
    return { v, again, call: ++calls };
  }

  @Get('also-raw')
  @Cached('also-raw:*')
  alsoRaw(@Query('v', ParseIntPipe) v: number, @Query('v') raw: string) {
    return { v, raw, call: ++calls };
  }

  @Get('also-whole')
  @Cached('also-whole:*')
  alsoWhole(@Query('v', ParseIntPipe) v: number, @Query() query: { v: string }) {
    return { v, raw: query.v, call: ++calls };
  }

  @Get('also-request')
  @Cached('also-request:*', { shared: true })
  alsoRequest(@Query('v', ParseIntPipe) v: number, @Req() request: { query: { v: string } }) {
    return { v, raw: request.query.v, call: ++calls };
  }
}

type Configure = NonNullable<NonNullable<Parameters<typeof boot>[2]>['configure']>;

@Injectable()
class Days {
  @Cached('day:{0}:{1}', { tags: ['day:{0}'] })
  async of(_day: unknown, _page: number) {
    return ++calls;
  }

  @Cached('named:{0}:{1}')
  async named(_name: string, _page: number) {
    return ++calls;
  }
}

@Controller()
class DaysController {
  @Post('days/:id')
  @CacheInvalidate({ patterns: ['day:{params.id}:*', 'named:{params.id}:*'] })
  drop(@Param('id') id: string) {
    return { id };
  }

  @Post('days/:id/tag')
  @CacheInvalidate({ tags: ['day:{params.id}'] })
  dropTag(@Param('id') id: string) {
    return { id };
  }
}

describe.each(platforms)('invalidation by text, on %s', (platform) => {
  const day = new Date('2026-01-02T03:04:05.006Z');
  it.each([
    ['null', null],
    ['undefined', undefined],
    ['0', -0],
    ['-0', -0],
    [day.toISOString(), day],
    ['true', true],
    ['7', 7n],
    ['7', 7],
    ['a b', 'a b'],
    ['a*b', 'a*b'],
  ])('the text %s removes the entries of a method called with %p, and no other', async (text, given) => {
    const { app, ask } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot()],
      controllers: [DaysController],
      providers: [Days],
    });
    const days = app.get(Days);
    const named = days.named.bind(days) as (name: unknown, page: number) => Promise<number>;
    const all = () => Promise.all([days.of(given, 1), named(given, 1), days.of('other', 1), named('other', 1)]);
    const before = await all();
    expect(await all()).toEqual(before);
    await ask()
      .post(`/days/${encodeURIComponent(text)}`)
      .expect(201);
    const after = await all();
    expect(after.map((call, at) => call === before[at])).toEqual([false, false, true, true]);
    if (text === '-0') return;
    await ask()
      .post(`/days/${encodeURIComponent(text)}/tag`)
      .expect(201);
    expect((await days.of(given, 1)) === after[0]).toBe(false);
    expect(await days.of('other', 1)).toBe(after[2]);
  });
});

describe.each(platforms)('an input that a stock pipe parses, on %s', (platform) => {
  const start = (configure?: Configure) =>
    boot(
      platform,
      { imports: [CacheObservabilityModule.forRoot()], controllers: [PipedController] },
      configure === undefined ? {} : { configure },
    );
  type Started = Awaited<ReturnType<typeof start>>;
  /** For each query in turn: the response without its number of calls, and the earlier query whose entry it used. */
  const entries = async (app: Started, path: string, values: readonly (string | undefined)[]) => {
    const known = new Map<number, string>();
    const seen: string[] = [];
    for (const v of values) {
      const response = await app
        .ask()
        .get(path)
        .query(v === undefined ? {} : { v });
      const { call, ...answer } = response.body as { call: number };
      const first = known.get(call);
      if (response.status === 200 && first === undefined) known.set(call, String(v));
      seen.push(response.status !== 200 ? `${v}: ${response.status}` : `${v}: ${Object.values(answer).join()} of ${first ?? 'its own'}`); // prettier-ignore
    }
    return seen;
  };

  it.each([
    ['/int', ['1', '01', '-0', '0', '1.0', ' 1', '1e0', ''], ['1: 1 of its own', '01: 1 of 1', '-0: 0 of its own', '0: 0 of -0', '1.0: 400', ' 1: 400', '1e0: 400', ': 400']],
    ['/int', ['1000000000000000000000', '1e+21'], ['1000000000000000000000: 1e+21 of its own', '1e+21: 400']],
    ['/page', [undefined, '1', '01', '2', '', 'x'], ['undefined: 1 of its own', '1: 1 of undefined', '01: 1 of undefined', '2: 2 of its own', ': 400', 'x: 400']],
    ['/float', ['1.5', '1.50', '1.500', '15e-1', 'x'], ['1.5: 1.5 of its own', '1.50: 1.5 of 1.5', '1.500: 1.5 of 1.5', '15e-1: 1.5 of 1.5', 'x: 400']],
    ['/float', ['0', '-0.0', '-0', '0.00'], ['0: 0 of its own', '-0.0: 0 of 0', '-0: 0 of 0', '0.00: 0 of 0']],
    ['/bool', ['true', 'false', undefined, '1', 'TRUE'], ['true: true of its own', 'false: false of its own', 'undefined:  of its own', '1: 400', 'TRUE: 400']],
    ['/language', [undefined, '1', '01'], ['undefined: 1 of its own', '1: 1 of undefined', '01: 01 of its own']],
    ['/typed-default', [undefined, '1'], ['undefined: 1 of its own', '1: 1 of its own']],
    ['/twice', ['1', '01'], ['1: 1,1 of its own', '01: 1,1 of 1']],
  ] as const)('an input that a stock pipe parses has one entry at %s for every text of one value: %j', async (path, values, expected) => {
    expect(await entries(await start(), path, values)).toEqual(expected);
  }); // prettier-ignore

  it.each([
    ['/subclass', 'with a subclass of the pipe', ['1: 1 of its own', '01: 1 of its own']],
    ['/mixed', 'behind another pipe', ['1: 1! of its own', '01: 01! of its own']],
    ['/also-raw', 'that is declared without it as well', ['1: 1,1 of its own', '01: 1,01 of its own']],
    ['/also-whole', 'in a query that is declared whole as well', ['1: 1,1 of its own', '01: 1,01 of its own']],
    ['/also-request', 'of a request that is declared as well', ['1: 1,1 of its own', '01: 1,01 of its own']],
  ] as const)('an input keeps the sent text at %s: an input %s', async (path, _why, expected) => {
    expect(await entries(await start(), path, ['1', '01'])).toEqual(expected);
  });

  it('an input is parsed behind a ValidationPipe, and keeps the sent text behind an unknown pipe', async () => {
    const validated = await start((app) => app.useGlobalPipes(new ValidationPipe({ transform: true })));
    expect(await entries(validated, '/int', ['1', '01', '0x1'])).toEqual([
      '1: 1 of its own',
      '01: 1 of 1',
      '0x1: 1 of 1',
    ]);
    const unknown = await start((app) => app.useGlobalPipes({ transform: (value: unknown) => value }));
    expect(await entries(unknown, '/int', ['1', '01'])).toEqual(['1: 1 of its own', '01: 1 of its own']);
  });

  it('an input that a stock pipe parses is invalidated by every text of its value; a text input only by the same text', async () => {
    const app = await start();
    const get = async (path: string) => ((await app.ask().get(path).expect(200)).body as { call: number }).call;
    const before = await get('/products/7');
    expect(await get('/products/007')).toBe(before);
    const [code, padded] = [await get('/codes/7'), await get('/codes/007')];
    await app.ask().post('/products/07').expect(201);
    expect(await get('/products/7')).not.toBe(before);
    // The text of a code is not parsed: `07` matches neither.
    expect([await get('/codes/7'), await get('/codes/007')]).toEqual([code, padded]);
    await app.ask().post('/products/007').expect(201);
    expect(await get('/codes/7')).toBe(code);
    expect(await get('/codes/007')).not.toBe(padded);
  });

  it('an input that a stock pipe parses has the tags of its value in loads and invalidations', async () => {
    const app = await start();
    const get = async (path: string) => ((await app.ask().get(path).expect(200)).body as { call: number }).call;
    const loaded = await get('/products/007');
    await app.ask().post('/products/7/tag').expect(201);
    const again = await get('/products/7');
    expect(again).not.toBe(loaded);
    await app.ask().post('/products/07/tag').expect(201);
    expect(await get('/products/7')).not.toBe(again);
  });
});

it('GraphQL arguments that a stock pipe parses have one entry for every text of a value', async () => {
  @Resolver()
  class Doubles {
    @GraphQLQuery(() => Int)
    @Cached('double:*')
    double(@Args('of', { type: () => String, nullable: true }, new DefaultValuePipe(2), ParseIntPipe) of: number) {
      calls++;
      return 2 * of;
    }
  }
  const app = await boot('express', {
    imports: [
      CacheObservabilityModule.forRoot({ prometheus: false }),
      GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true, path: '/graphql' }),
    ],
    providers: [Doubles],
  });
  const double = async (of: string) => {
    const { body } = await app
      .ask()
      .post('/graphql')
      .send({ query: `{ double${of} }` });
    return (body as { data: { double: number } }).data.double;
  };
  const before = calls;
  expect([await double('(of: "2")'), await double('(of: "02")'), await double('')]).toEqual([4, 4, 4]);
  expect(calls - before).toBe(1);
  expect([await double('(of: "3")'), calls - before]).toEqual([6, 2]);
});
