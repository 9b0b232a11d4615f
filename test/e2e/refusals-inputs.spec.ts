import {
  Body,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Get,
  Headers,
  Injectable,
  Param,
  Post,
  Query,
  type Type,
} from '@nestjs/common';
import { Args, Mutation, Query as GraphQuery, Resolver } from '@nestjs/graphql';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { FastifyInstance } from 'fastify';
import { IsString } from 'class-validator';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { CacheInvalidate } from '../../lib/caching/cache-invalidate.decorator.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { type BootOptions, boot, closeApps, type Platform, platforms } from '../support/apps.js';

/** The decorator as untyped JavaScript uses it. */
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

const Tenant = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<{ tenant?: object }>().tenant,
);

class Seller {
  id!: string;
  shop: { name: string } = { name: '' };
}

class Product {
  id!: string;
  @IsString()
  name!: string;
  tags: string[] = [];
  constructor(readonly seller: Seller) {}
  get label(): string {
    return this.name;
  }
}

class Untyped {
  [name: string]: unknown;
}

afterEach(closeApps);

describe.each(platforms)('a template with an unknown input, on %s', (platform) => {
  it('a template with an unknown input fails the boot in one error with the class, the method, the placeholder and the known inputs', async () => {
    @Controller('products')
    class Products {
      @Post('a/:id')
      @CacheInvalidate({ keys: ['product:{foo.id}'], patterns: ['{x}:*'], tags: ['all', 'tag:{nope}'] })
      a(@Param('id') id: string) {
        return { id };
      }

      @Get('b/:id')
      @Cached('b:{params.id}', { tags: ['b:{foo.id}', 'b:{id}'] })
      b(@Param('id') id: string) {
        return { id };
      }

      @Get('c/:id')
      @Cached('c:{params.id}:{tenant.id}')
      c(@Param('id') id: string) {
        return { id };
      }

      @Post('d')
      @CacheInvalidate({ keys: ['d:{hosts.shop}', 'd:{result}'] })
      d() {
        return '1';
      }
    }
    const { message, code } = await refusal([Products], [], platform);
    expect(code).toBe('INVALID_TEMPLATE');
    const known =
      'Known are {params…}, {query…}, {body…}, {headers…}, {cookies…}, {session…}, {user…}, {hosts…}, {result…}.';
    for (const fault of [
      `Products.a(): @CacheInvalidate: keys[0]: 'product:{foo.id}' names {foo.id}, but a request has no 'foo'. ${known}`,
      `Products.a(): @CacheInvalidate: patterns[0]: '{x}:*' names {x}, but a request has no 'x'. ${known}`,
      `Products.a(): @CacheInvalidate: tags[1]: 'tag:{nope}' names {nope}, but a request has no 'nope'. ${known}`,
      `Products.b(): @Cached: tags[0]: 'b:{foo.id}' names {foo.id}, but a request has no 'foo'. ${known}`,
      "Products.b(): @Cached: tags[1]: 'b:{id}' names {id}, but a request has no 'id'. Did you mean {params.id}?",
      "Products.c(): @Cached: the key 'c:{params.id}:{tenant.id}' names {tenant.id}, but a request has no 'tenant'.",
      "Products.d(): @CacheInvalidate: keys[0]: 'd:{hosts.shop}' names {hosts.shop}, but the host of the controller has no parameters. The handler declares no input. Name a part of the result, or remove the placeholder.",
    ]) {
      expect(message).toContain(fault);
    }
    expect(message).not.toContain('{result}');
    expect(message).toMatch(/^4 handlers or methods /);
  });

  it('a misspelt placeholder of a key is one fault, and inputs that the key lacks are others', async () => {
    @Controller()
    class Products {
      @Get('one/:id')
      @Cached('one:{params.uid}')
      one(@Param('id') id: string) {
        return { id };
      }

      @Get('two/:id')
      @Cached('two:{parms.id}')
      two(@Param('id') id: string, @Query('page') page: string) {
        return { id, page };
      }

      @Get('three')
      @Cached('three:{params.id}')
      three(@Query('page') page: string, @Headers('accept') accept: string) {
        return { page, accept };
      }
    }
    @Injectable()
    class Sellers {
      @Cached('seller:{1}')
      async find(id: number) {
        return { id };
      }
    }
    const { message } = await refusal([Products], [Sellers], platform);
    const faults = message.split('\n').slice(1);
    const of = (method: string) => faults.filter((fault) => fault.includes(method));
    expect(of('Products.one()')).toHaveLength(1);
    expect(of('Products.two()')).toEqual([
      expect.stringContaining("@Cached: the key 'two:{parms.id}' names {parms.id}"),
      expect.stringContaining("does not name @Query('page') as {query.page}. Name it"),
    ]);
    expect(of('Products.three()')[0]).toContain(
      'but the route has no parameters. Name an input that the handler declares: {query.page}, {headers.accept}.',
    );
    expect(of('Sellers.find()')).toHaveLength(1);
  });

  it('a template boots if the framework, a guard, a plugin or `vary` provides the input, or if the input is optional', async () => {
    @Controller({ path: 'shops/:shop', host: ':region.example.com' })
    class Shops {
      @Get(':id')
      @Cached('shop:{params.shop}:{params.id}:{tenant.id}:{hosts.region}', {
        vary: 'tenant.id',
        tags: ['of:{user.id}', 'at:{ip}', 'by:{url}', 'in:{session.shop}', 'lang:{cookies.lang?}', 'x:{2.id}'],
        ignore: ['2'],
      })
      find(@Param('shop') shop: string, @Param('id') id: string, @Tenant() tenant: object) {
        return { shop, id, tenant };
      }

      @Post(':id')
      @CacheInvalidate({
        keys: ['shop:{params.shop}:{params.id}:{tenant.id}:{hosts.region}'],
        patterns: ['{method}:{query.lang}:{headers.x-shop}:*', 'shop:{account.id}:{trace.id?}:*'],
        tags: ['x:{body.any.thing}', 'x:{result.nested.id}', 'x:{0}', 'x:{1.id}', 'x:{locale}'],
      })
      change(@Body() body: object, @Tenant() tenant: object): object {
        return { body, tenant };
      }
    }
    const configure: BootOptions['configure'] = (app) => {
      const instance: unknown = app.getHttpAdapter().getInstance();
      if (platform === 'fastify') (instance as FastifyInstance).decorateRequest('locale', '');
      else Object.defineProperty((instance as { request: object }).request, 'locale', { get: () => 'en' });
    };
    const { app } = await start(platform, [Shops], [], { configure });
    expect(app).toBeDefined();
  });
});

describe('templates of other transports', () => {
  it('a template boots with the inputs of its transport', async () => {
    abstract class Base {
      @Get(':id')
      @Cached('base:*', { tags: ['base:{params.id}:{query.lang}'], ignore: ['query.lang'] })
      find(@Param('id') id: string, @Query('lang') lang: string) {
        return { id, lang };
      }

      @Post(':id')
      @CacheInvalidate({ tags: ['base:{params.id}:{params.shop}'] })
      change(@Param('id') id: string) {
        return { id };
      }
    }
    @Controller('shops/:shop')
    class Shops extends Base {}
    @Controller()
    class Messages {
      @MessagePattern('find')
      @Cached('m:{data.id}', { tags: ['m:{0.any}:{context.args}'], ignore: ['data'] })
      find(@Payload() data: { id: string }) {
        return data;
      }
    }
    @WebSocketGateway()
    class Sockets {
      @SubscribeMessage('find')
      @CacheInvalidate({ keys: ['s:{data.id}:{client.id}:{0}'], tags: ['s:{result}'] })
      find(@MessageBody('id') id: string) {
        return id;
      }
    }
    @Resolver()
    class Products {
      @GraphQuery(() => String)
      @Cached('g:{args.id}:{user.id?}', { tags: ['g:{args.id}', 'g:{headers.x-shop}', 'g:{0}', 'g:{root.id?}'] })
      find(@Args('id') id: string) {
        return id;
      }

      @Mutation(() => String)
      @CacheInvalidate({ keys: ['g:{args.input.id}:{context.req.user.id}'], tags: ['g:{args.old?}', 'g:{user.id}'] })
      change(@Args('input', { type: () => String }) input: string) {
        return input;
      }
    }
    @Injectable()
    class Sellers {
      readonly shop = 1;
      @Cached('seller:{0}', { tags: ['seller:{0}:{this.shop}:{result.id}'], ignore: ['1'] })
      async find(id: number, trace = '') {
        return { id, trace };
      }
    }
    const { app } = await start('express', [Shops, Messages], [Sockets, Products, Sellers], {
      configure: (booting) => void booting.useWebSocketAdapter(new WsAdapter(booting)),
    });
    expect(app).toBeDefined();
  });

  it('a template is refused if it names a property that the class of a method does not have', async () => {
    @Injectable()
    class Sellers {
      readonly shop = 1;

      @Cached('seller:{0}:{this.shop}', { tags: ['seller:{this.nope}', 'seller:{this.shop}', 'seller:{this.later?}'] })
      async find(id: number) {
        return { id };
      }

      @CacheInvalidate({ keys: ['seller:{0}:{this.shp}'] })
      async change(id: number) {
        return { id };
      }
    }
    const { message } = await refusal([], [Sellers]);
    expect(message).toContain(
      "Sellers.find(): @Cached: tags[0]: 'seller:{this.nope}' names {this.nope}, but the class (Sellers) has no field 'nope'.",
    );
    expect(message).toContain("but the class (Sellers) has no field 'shp'. Did you mean 'shop'?");
    expect(message).not.toContain('later');
  });

  it('a template is refused if it names an input of another transport', async () => {
    @Resolver()
    class Products {
      @Mutation(() => String)
      @CacheInvalidate({ keys: ['g:{args.sku}', 'g:{params.id}', 'g:{nope}'] })
      change(@Args('id') id: string) {
        return id;
      }

      @Mutation(() => String)
      @CacheInvalidate({ keys: ['g:{args.sku}'] })
      reset() {
        return '';
      }
    }
    @Controller()
    class Messages {
      @MessagePattern('find')
      @Cached('m:{data.id}', { tags: ['m:{nope}', 'm:{1}'], ignore: ['data.other'] })
      find(@Payload('id') id: string) {
        return id;
      }
    }
    const { message } = await refusal([Messages], [Products]);
    const known = 'Known are {args…}, {context…}, {headers…}, {cookies…}, {session…}, {user…}, {result…}.';
    for (const fault of [
      "Products.change(): @CacheInvalidate: keys[0]: 'g:{args.sku}' names {args.sku}, but the resolver declares no argument 'sku'. Known are {args.id}.",
      `Products.change(): @CacheInvalidate: keys[1]: 'g:{params.id}' names {params.id}, but a request has no 'params'. ${known}`,
      `Products.change(): @CacheInvalidate: keys[2]: 'g:{nope}' names {nope}, but a request has no 'nope'. ${known}`,
      "Products.reset(): @CacheInvalidate: keys[0]: 'g:{args.sku}' names {args.sku}, but the resolver declares no argument 'sku'. It has none.",
      "Messages.find(): 'nope' cannot be read in an RPC handler; start with 'data', 'context' or an argument.",
      "Messages.find(): '1' names argument 1, which is not decorated.",
      "Messages.find(): ignore names 'data.other', which is not an input of the handler. Known are 'data.id'.",
    ]) {
      expect(message).toContain(fault);
    }
  });
});

describe('a template that names a part of the result', () => {
  it('a template is refused if the declared class of the result has no such property', async () => {
    @Controller()
    class Products {
      @Post('a')
      @CacheInvalidate({ keys: ['a:{result.nope.id}', 'a:{result.seller.nam}', 'a:{result.seller.shop.name}'] })
      a(): Product {
        return new Product(new Seller());
      }

      @Get('b')
      @Cached('b:*', { tags: ['b:{result.sku}', 'b:{result.id}', 'b:{result.label.length}', 'b:{result.name.x}'] })
      b(): Product {
        return new Product(new Seller());
      }

      @Post('c')
      @CacheInvalidate({ keys: ['c:{result.any}', 'c:{result.sku?}'] })
      c(): Untyped {
        return new Untyped();
      }

      @Post('d')
      @CacheInvalidate({ keys: ['d:{result.any.thing}'] })
      async d(): Promise<Product> {
        return new Product(new Seller());
      }

      @Post('e')
      @CacheInvalidate({ keys: ['e:{result.sku?}'] })
      e(): Product {
        return new Product(new Seller());
      }
    }
    const { message, code } = await refusal([Products]);
    expect(code).toBe('INVALID_TEMPLATE');
    for (const fault of [
      "Products.a(): @CacheInvalidate: keys[0]: 'a:{result.nope.id}' names {result.nope.id}, but what it returns (Product) has no field 'nope'.",
      "Products.b(): @Cached: tags[0]: 'b:{result.sku}' names {result.sku}, but what it returns (Product) has no field 'sku'.",
      "Products.b(): @Cached: tags[3]: 'b:{result.name.x}' names {result.name.x}, but what it returns (name) is declared as String, which has no field 'x'.",
    ]) {
      expect(message).toContain(fault);
    }
    for (const fine of ['result.id', 'result.label', 'result.seller.shop', 'result.any', 'result.sku?']) {
      expect(message).not.toContain(`{${fine}`);
    }
  });

  it('a template of tags logs one warning if a value has no such part', async () => {
    const warnings: { code: string; message: string }[] = [];
    @Injectable()
    class Sellers {
      @Cached('seller:{0}', { tags: ['shop:{result.shop.id}', 'region:{result.region?}'] })
      async find(id: number): Promise<unknown> {
        return { id };
      }
    }
    const { app } = await start('express', [], [Sellers], { logger: collecting(warnings) });
    await app.get(Sellers).find(1);
    await app.get(Sellers).find(2);
    expect(warnings.filter(({ code }) => code === 'INVALIDATION_INCOMPLETE')).toEqual([
      expect.objectContaining({
        message: expect.stringContaining("Sellers.find(): 'shop:{result.shop.id}' names {result.shop.id}"),
      }),
    ]);
  });
});

describe('a template that names a part of the request', () => {
  it('a template logs one warning if requests do not have a part, unless the part is optional', async () => {
    const warnings: { code: string; message: string }[] = [];
    @Controller()
    class Sellers {
      @Get(':id')
      @Cached('seller:*', {
        tags: ['by:{user.id}', 'of:{user.id?}', 'in:{query.lang}', 'at:{headers.accept-language}'],
      })
      find(@Param('id') id: string, @Query('lang') lang: string) {
        return { id, lang };
      }

      @Post(':id')
      @CacheInvalidate({
        keys: ['seller:{body.shop.id}', 'seller:{body.shop?}'],
        patterns: ['seller:{query.lang}:*', 'seller:{user.id?}:*'],
        tags: ['by:{session.shop}', 'by:{params.id}'],
      })
      change(@Body() body: object) {
        return body;
      }
    }
    const { ask } = await start('express', [Sellers], [], { logger: collecting(warnings) });
    await ask().get('/1').expect(200);
    await ask().get('/2').expect(200);
    for (let time = 0; time < 2; time++) await ask().post('/1').send({ a: 1 }).expect(201);
    const messages = warnings.filter(({ code }) => code === 'INVALIDATION_INCOMPLETE').map(({ message }) => message);
    expect(messages.map((message) => message.slice(0, message.indexOf(', so')))).toEqual([
      "Sellers.find(): 'by:{user.id}' names {user.id}, which the call does not have",
      "Sellers.change(): 'seller:{body.shop.id}' names {body.shop.id}, which the call does not have",
      "Sellers.change(): 'by:{session.shop}' names {session.shop}, which the call does not have",
    ]);
  });
});

describe('`ignore`', () => {
  it('`ignore` is refused if it names no input of the handler or method', async () => {
    @Controller()
    class Lists {
      @Get('a/:id')
      @Cached('a:{params.id}', { ignore: ['query.nope', 'query.trace', '3', 'headers.X-Trace', 'header.x', '0.id'] })
      a(@Param('id') id: string, @Query('trace') trace: string, @Headers('x-trace') header: string) {
        return { id, trace, header };
      }

      @Get('b')
      @Cached('b:*', { ignore: ['query.any', 'body'] })
      b(@Query() query: object) {
        return query;
      }
    }
    @Injectable()
    class Sellers {
      @Cached('seller:{0}', { ignore: ['1', '2', 'query.nope'] })
      async find(id: number, trace: string) {
        return { id, trace };
      }

      @Cached('sellers:*', { ignore: ['7'] })
      async many(...ids: number[]) {
        return ids;
      }
    }
    const { message, code } = await refusal([Lists], [Sellers]);
    expect(code).toBe('INVALID_OPTIONS');
    for (const fault of [
      "Lists.a(): ignore names 'query.nope', '3', 'header.x', '0.id', which are not inputs of the handler. Known are 'params.id', 'query.trace', 'headers.x-trace'.",
      "Lists.b(): ignore names 'body', which is not an input of the handler. Known are 'query'.",
      "Sellers.find(): ignore names '2', 'query.nope', which are not inputs of the method. Known are '0', '1'.",
    ]) {
      expect(message).toContain(fault);
    }
    expect(message).not.toContain('Sellers.many()');
  });

  it('`ignore` leaves out the named inputs: a header in any case, a parameter by its number', async () => {
    @Controller()
    class Lists {
      @Get('list')
      @Cached('list:*', { ignore: ['headers.X-Trace', '1'] })
      list(@Headers('X-Trace') header: string, @Query('trace') trace: string, @Query('page') page: string) {
        return { header, trace, page };
      }
    }
    const { ask } = await start('express', [Lists]);
    await ask().get('/list?page=1&trace=a').set('x-trace', 'a').expect('x-cache', 'MISS');
    await ask().get('/list?page=1&trace=b').set('x-trace', 'b').expect('x-cache', 'HIT');
    await ask().get('/list?page=2&trace=b').set('x-trace', 'b').expect('x-cache', 'MISS');
  });
});

describe('`warm`', () => {
  it('`warm` is refused if a request has unknown parameters, lacks some, or cannot reach a cached handler', async () => {
    @Controller('products')
    class Products {
      @Get(':id')
      @Cached('product:{params.id}', { warm: [{ params: { uid: '1' } }, { params: { id: '1' } }, {}] })
      find(@Param('id') id: string) {
        return { id };
      }

      @Get('list/:page/:kind?')
      @Cached('list:*', { warm: [{ params: { page: '1' } }] })
      list(@Param('page') page: string, @Param('kind') kind: string) {
        return { page, kind };
      }
    }
    @Injectable()
    class Sellers {
      @Cached('seller:{0}', { warm: [{ params: { id: '1' } }] })
      async find(id: number) {
        return { id };
      }
    }
    const { message, code } = await refusal([Products], [Sellers], 'fastify');
    expect(code).toBe('INVALID_OPTIONS');
    for (const fault of [
      "Products.find(): warm[0].params names 'uid', but the route has no parameter 'uid'. Did you mean 'id'?",
      "Products.find(): warm[2].params has no value for 'id'.",
      'Sellers.find(): warm is only for HTTP handlers. Write a @WarmingStrategy instead.',
    ]) {
      expect(message).toContain(fault);
    }
    expect(message).not.toContain('warm[1]');
    expect(message).not.toContain('Products.list()');
  });
});

describe('text with a lone surrogate', () => {
  it('decorators refuse a lone surrogate in tags, keys and globs', async () => {
    @Injectable()
    class Sellers {
      @Cached('seller:{0}', { tags: ['tag\ud800', 'other\udc00:{0}'] })
      async find(id: number) {
        return { id };
      }

      @CacheInvalidate({ keys: ['k\ud800'], patterns: ['p\ud800:*', 'p:{0}'], tags: ['t\ud800', '😀'] })
      async change(id: number) {
        return { id };
      }
    }
    const { message } = await refusal([], [Sellers]);
    expect(message.match(/lone surrogate/g)).toHaveLength(5);
    expect(message).not.toMatch(/\p{Surrogate}/u);
    for (const place of ['tags[0]', 'tags[1]']) expect(message).toContain(`Sellers.find(): @Cached: ${place}`);
    for (const place of ['keys[0]', 'patterns[0]', 'tags[0]'])
      expect(message).toContain(`Sellers.change(): @CacheInvalidate: ${place}`);
  });
});

describe('the argument of @CacheInvalidate', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'product:*'],
    ['a list', ['product:*']],
    ['a number', 7],
    ['a function', () => ({ keys: ['a'] })],
    ['a text as keys', { keys: 'product:{params.id}' }],
    ['a function as tags', { tags: () => ['a'] }],
    ['an object as patterns', { patterns: { a: 'b' } }],
    ['lists with other things', { keys: [1, null, ''], tags: [['a']] }],
    ['a list with a hole', { keys: Array<string>(1) }],
    ['a glob among the keys', { keys: ['product:*'] }],
    ['empty lists', { keys: [], patterns: [], tags: [] }],
    ['an unknown name', { key: 'a', keys: ['a'] }],
    ['an instance', new Date(0)],
  ])('an argument of @CacheInvalidate that is %s fails the boot with class and method', async (_, given) => {
    @Injectable()
    class Sellers {
      @invalidate(given)
      async change(id: number) {
        return { id };
      }
    }
    const { message, code } = await refusal([], [Sellers]);
    expect(code).toBe('INVALID_OPTIONS');
    expect(message).toContain('Sellers.change(): @CacheInvalidate: ');
  });
});

function collecting(into: object[]): BootOptions['logger'] {
  const level = (name: string) => (entry: unknown) =>
    void (typeof entry === 'object' && entry !== null && into.push({ level: name, ...entry }));
  return { log: level('log'), warn: level('warn'), error: level('error') };
}
