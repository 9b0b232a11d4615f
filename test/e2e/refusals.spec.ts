import { Body, Controller, Get, Injectable, Param, Post, Query, type Type } from '@nestjs/common';
import { IsInt, IsString } from 'class-validator';
import { Observable, of } from 'rxjs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { CacheInvalidate } from '../../lib/caching/cache-invalidate.decorator.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { type BootOptions, boot, closeApps, type Platform, platforms } from '../support/apps.js';

/** The decorator as untyped JavaScript uses it. */
const cached = Cached as (pattern: string, options?: unknown) => MethodDecorator;
const invalidate = CacheInvalidate as (options?: unknown) => MethodDecorator;

const start = (platform: Platform, controllers: Type[], providers: Type[] = [], options: BootOptions = {}) =>
  boot(
    platform,
    { imports: [CacheObservabilityModule.forRoot({ prometheus: false })], controllers, providers },
    options,
  );

const refusal = async (controllers: Type[], providers: Type[] = [], platform: Platform = 'express') => {
  const error: unknown = await start(platform, controllers, providers).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error('The application started.');
  return error as Error & { code: string };
};

afterEach(closeApps);

describe.each(platforms)('errors of decorators on %s', (platform) => {
  it('errors of decorators fail the boot with one error that names each place, the given value and the likely intention', async () => {
    @Controller('products')
    class Products {
      @Get(':id')
      @cached('product:{params.id}', { tll: '5m', tags: ['product:{params.uid}'], methods: ['GTE'] })
      find(@Param('id') id: string) {
        return { id };
      }

      @Post('a/:id')
      @invalidate({ key: 'product:{params.id}' })
      a(@Param('id') id: string) {
        return { id };
      }

      @Post('b/:id')
      @invalidate('product:{params.id}')
      b(@Param('id') id: string) {
        return { id };
      }

      @Post('c/:id')
      @invalidate({ keys: ['product:{params.uid}'], tags: 'products' })
      c(@Param('id') id: string) {
        return { id };
      }

      @Post('d/:id')
      @invalidate()
      d(@Param('id') id: string) {
        return { id };
      }

      @Post('e')
      @invalidate({ keys: ['product:{result.nope.id}', 'product:{'] })
      e(): string {
        return '1';
      }

      @Post('f')
      @invalidate({ keys: [] })
      f() {
        return '1';
      }
    }
    @Injectable()
    class Sellers {
      @cached('seller:{0}', { staleWhileRevalidat: '1m', ttl: 'soon' })
      async find(id: number) {
        return { id };
      }
    }
    const { message, code } = await refusal([Products], [Sellers], platform);
    expect(code).toBe('INVALID_OPTIONS');
    for (const fault of [
      'INVALID_OPTIONS Products.find(): @Cached: tll: is unknown; did you mean ttl?',
      'INVALID_OPTIONS Products.find(): @Cached: methods[0]: must be an HTTP method such as \'GET\', not "GTE".',
      "INVALID_TEMPLATE Products.find(): @Cached: tags[0]: 'product:{params.uid}' names {params.uid}, but the route has no parameter 'uid'. Did you mean {params.id}?",
      'INVALID_OPTIONS Products.a(): @CacheInvalidate: key: is unknown; did you mean keys? Allowed: keys, patterns, tags, cache.',
      'INVALID_OPTIONS Products.b(): @CacheInvalidate: options: must be an object, not "product:{params.id}".',
      "INVALID_TEMPLATE Products.c(): @CacheInvalidate: keys[0]: 'product:{params.uid}' names {params.uid}, but the route has no parameter 'uid'.",
      'INVALID_OPTIONS Products.c(): @CacheInvalidate: tags: must be an array, not "products".',
      'INVALID_OPTIONS Products.d(): @CacheInvalidate: options: must be an object, not undefined.',
      "INVALID_TEMPLATE Products.e(): @CacheInvalidate: keys[0]: 'product:{result.nope.id}' names {result.nope.id}, but what it returns is declared as String, which has no field 'nope'.",
      "INVALID_TEMPLATE Products.e(): @CacheInvalidate: keys[1]: The cache pattern 'product:{' has '{' without '}'.",
      'INVALID_OPTIONS Products.f(): @CacheInvalidate: options: are empty. Name keys, patterns or tags.',
      'INVALID_OPTIONS Sellers.find(): @Cached: staleWhileRevalidat: is unknown; did you mean staleWhileRevalidate?',
      'INVALID_DURATION Sellers.find(): @Cached: ttl: ',
    ]) {
      expect(message).toContain(fault);
    }
    expect(message).toMatch(/^8 handlers or methods /);
  });

  it('decorators allow parameters of any path, prefix or wildcard of a handler, and properties added by middleware', async () => {
    @Controller(['shops/:shop', 'stores/:shop'])
    class Shops {
      @Get(['all', 'page/:page'])
      @Cached('shop:{params.shop}:{params.page?}:{tenant.id?}', { shared: true })
      find(@Param('shop') shop: string, @Param('page') page: string) {
        return { shop, page };
      }

      @Get(platform === 'express' ? 'files/*path' : 'files/*')
      @Cached('file:{params.shop}:{params.path?}:{headers.Accept}', { vary: 'headers.Accept' })
      file(@Param('shop') shop: string) {
        return { shop };
      }

      @Post()
      @CacheInvalidate({ keys: ['shop:{params.shop}:{query.lang}:{params.tenant}'], tags: ['user:{account.id}'] })
      change(@Query('page') page: string): string[] {
        return [page];
      }
    }
    const { ask } = await start(platform, [Shops], [], { configure: (app) => void app.setGlobalPrefix(':tenant') });
    await ask().get('/t/shops/1/all').expect(200);
  });
});

describe('inputs in templates', () => {
  class Filter {
    @IsInt()
    page!: number;

    @IsString()
    seller!: string;
  }

  it('inputs in templates are refused if they resemble a declared input or a property of the request', async () => {
    @Controller()
    class Lists {
      @Post('a')
      @CacheInvalidate({ keys: ['page:{query.pag}'], tags: ['seller:{body.sellr}', 'by:{usr.id}'] })
      a(@Query('page') page: string, @Body() filter: Filter) {
        return { page, filter };
      }

      @Post('b/:id')
      @CacheInvalidate({ keys: ['page:{params.id.text}', 'page:{this.tenant}'] })
      b(): string[] {
        return [];
      }

      @Get('c')
      @Cached('page:{result.id}')
      c() {
        return {};
      }
    }
    const { message, code } = await refusal([Lists]);
    expect(code).toBe('INVALID_TEMPLATE');
    for (const fault of [
      "Lists.a(): @CacheInvalidate: keys[0]: 'page:{query.pag}' names {query.pag}, but the handler declares no 'query.pag'. Did you mean {query.page}?",
      "Lists.a(): @CacheInvalidate: tags[0]: 'seller:{body.sellr}' names {body.sellr}, but the handler declares no 'body.sellr'. Did you mean {body.seller}?",
      "Lists.a(): @CacheInvalidate: tags[1]: 'by:{usr.id}' names {usr.id}, but a request has no 'usr'. Did you mean {user…}?",
      "Lists.b(): @CacheInvalidate: keys[0]: 'page:{params.id.text}' names {params.id.text}, but a parameter is text and has no fields. Name {params.id}.",
      "Lists.b(): @CacheInvalidate: keys[1]: 'page:{this.tenant}' names {this.tenant}, which only methods of providers can read.",
      "Lists.c(): @Cached: the key 'page:{result.id}' names {result.id}, but the result is not known when a key is made.",
    ]) {
      expect(message).toContain(fault);
    }
  });

  it('inputs in templates are refused if a method has no such argument', async () => {
    @Injectable()
    class Sellers {
      @CacheInvalidate({ keys: ['seller:{1}', 'seller:{0.id}', 'seller:{params.id}', 'seller:{body.id}'] })
      async change(id: number) {
        return id;
      }

      @CacheInvalidate({ keys: ['seller:{3}'] })
      async many(...ids: number[]) {
        return ids;
      }
    }
    const { message } = await refusal([], [Sellers]);
    for (const fault of [
      "@CacheInvalidate: keys[0]: 'seller:{1}' names {1}, but the method has only {0}.",
      "@CacheInvalidate: keys[1]: 'seller:{0.id}' names {0.id}, but parameter 0 is declared as Number, which has no field 'id'.",
      "'params.id' cannot be read in a method",
      "'body.id' cannot be read in a method",
    ]) {
      expect(message).toContain(`Sellers.change(): ${fault}`);
    }
    expect(message).not.toContain('Sellers.many()');
  });

  it('inputs in templates log one warning if a result does not have them', async () => {
    const warnings: { code: string; message: string }[] = [];
    @Injectable()
    class Sellers {
      @CacheInvalidate({ keys: ['seller:{result.seller.id}', 'shop:{result.shop?}'] })
      async change(id: number): Promise<unknown> {
        return { id };
      }
    }
    const { app } = await start('express', [], [Sellers], { logger: collecting(warnings) });
    await app.get(Sellers).change(1);
    await app.get(Sellers).change(2);
    expect(warnings.filter(({ code }) => code === 'INVALIDATION_INCOMPLETE')).toEqual([
      expect.objectContaining({
        message: expect.stringContaining(
          "Sellers.change(): 'seller:{result.seller.id}' names {result.seller.id}, which the result does not have",
        ),
      }),
    ]);
  });
});

describe('a tag that is invalidated and never set', () => {
  const change = (...tags: string[]) => {
    @Injectable()
    class Sellers {
      @Cached('seller:{0}', { tags: ['seller:{0}', 'sellers'] })
      async find(id: number): Promise<unknown> {
        return { id };
      }

      @CacheInvalidate({ tags })
      async change(id: number): Promise<unknown> {
        return { id };
      }
    }
    return Sellers;
  };

  it('a tag that is invalidated and never set is logged at boot with a similar tag', async () => {
    const logged: { code: string; message: string; level: string }[] = [];
    await start('express', [], [change('seler:{result.id}', 'prices', 'sellers', 'seller:{0}', 'seller:7')], {
      logger: collecting(logged),
    });
    expect(logged.filter(({ code }) => code === 'UNKNOWN_TAG')).toEqual([
      expect.objectContaining({ level: 'warn', message: expect.stringContaining("Did you mean 'seller:{0}'?") }),
      expect.objectContaining({ level: 'log', message: expect.stringContaining("sets the tag 'prices'") }),
    ]);
  });
});

describe('a key that is invalidated and never made', () => {
  it('a key that is invalidated and never made is logged at boot if a similar one is made', async () => {
    @Injectable()
    class Sellers {
      @Cached('seller:{0}')
      async find(id: number): Promise<unknown> {
        return { id };
      }

      @Cached('feed:*')
      async feed(): Promise<unknown> {
        return [];
      }

      @CacheInvalidate({
        keys: ['seler:{0}', 'seller:{0}', 'seller:7', 'price:{0}'],
        patterns: ['fed:*', 'feed:*', 'f*', '*:{0}', 'fee?:a', '[fs]eed:*', 'offers:*'],
      })
      async change(id: number): Promise<unknown> {
        return { id };
      }
    }
    const logged: { code: string; message: string; level: string }[] = [];
    await start('express', [], [Sellers], { logger: collecting(logged) });
    expect(logged.filter(({ code }) => code === 'UNKNOWN_KEYS')).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: expect.stringContaining("'seler:{0}' invalidates. Did you mean 'seller:*'?"),
      }),
      expect.objectContaining({
        level: 'warn',
        message: expect.stringContaining("'fed:*' invalidates. Did you mean 'feed:*'?"),
      }),
    ]);
  });
});

describe('a provider method that is declared synchronous', () => {
  it('a synchronous provider method fails the boot, because callers would get a promise', async () => {
    @Injectable()
    class Prices {
      @Cached('price:{0}')
      of(id: number): number {
        return id;
      }

      @Cached('prices:*')
      all(): Filter[] {
        return [];
      }

      @Cached('later:*')
      later(): Promise<number> {
        return Promise.resolve(1);
      }

      @Cached('stream:*')
      stream(): Observable<number> {
        return of(1);
      }

      @Cached('open:*')
      open() {
        return Promise.resolve(1);
      }
    }
    class Filter {}
    @Controller()
    class Handlers {
      @Get()
      @Cached('handler:*')
      find(): string {
        return '1';
      }
    }
    const { message, code } = await refusal([Handlers], [Prices]);
    expect(code).toBe('SYNC_METHOD');
    expect(message).toContain('Prices.of(): @Cached is on a method that is declared to return Number');
    expect(message).toContain('Prices.all(): @Cached is on a method that is declared to return Array');
    expect(message).toMatch(/^2 handlers or methods/);
  });
});

function collecting(into: object[]): BootOptions['logger'] {
  const level = (name: string) => (entry: unknown) =>
    void (typeof entry === 'object' && entry !== null && into.push({ level: name, ...entry }));
  return { log: level('log'), warn: level('warn'), error: level('error') };
}
