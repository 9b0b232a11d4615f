import {
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Get,
  Header,
  Inject,
  type MiddlewareConsumer,
  Module,
  type Provider,
  Scope,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import { type AbstractHttpAdapter, APP_GUARD, HttpAdapterHost, REQUEST, RouterModule } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import type { App } from 'supertest/types.js';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import type { CacheObservabilityOptions } from '../../lib/options/cache-observability.options.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { CacheMetrics } from '../../lib/metrics/cache-metrics.js';
import { boot, closeApps, platforms } from '../support/apps.js';
import { Named } from '../support/guards.js';

afterEach(closeApps);

const cacheModule = (options: CacheObservabilityOptions = {}) =>
  CacheObservabilityModule.forRoot({ prometheus: false, ...options });

const WHO = Symbol('who');

@Controller('who')
class Who {
  constructor(@Inject(WHO) private readonly who: string) {}

  @Get()
  @Cached('who:*')
  get() {
    return { who: this.who };
  }
}

describe.each(platforms)('hits at their route next to other routes, on %s', (platform) => {
  it('a handler inherited in a module that does not import the cache runs uncached', async () => {
    abstract class Shared {
      abstract readonly name: string;

      @Get('name')
      @Cached('name:*')
      whoAmI() {
        return { name: this.name };
      }
    }
    @Controller('cats')
    class Cats extends Shared {
      readonly name = 'cats';
    }
    @Controller('dogs')
    @UseGuards(Named)
    class Dogs extends Shared {
      readonly name = 'dogs';
    }
    @Module({ imports: [cacheModule({ isGlobal: false })], controllers: [Cats] })
    class Seeing {}
    @Module({ controllers: [Dogs] })
    class Blind {}
    const { ask } = await boot(platform, { imports: [Seeing, Blind] });
    for (let turn = 0; turn < 2; turn++) await ask().get('/cats/name').expect({ name: 'cats' });
    await ask().get('/dogs/name').expect(403);
    await ask().get('/dogs/name').set('X-Name', 'ann').expect({ name: 'dogs' });
  });

  it.each([
    ['one of them without the cache', false],
    ['both with the cache', true],
  ])('a controller in two modules has correct hits, %s', async (_which, isGlobal) => {
    @Module({
      imports: [cacheModule({ isGlobal })],
      controllers: [Who],
      providers: [{ provide: WHO, useValue: 'one' }],
    })
    class One {}
    @Module({ controllers: [Who], providers: [{ provide: WHO, useValue: 'two' }] })
    class Two {}
    const paths = RouterModule.register([
      { path: 'one', module: One },
      { path: 'two', module: Two },
    ]);
    const { ask } = await boot(platform, { imports: [One, Two, paths] });
    for (let turn = 0; turn < 3; turn++)
      for (const who of ['one', 'two']) await ask().get(`/${who}/who`).expect({ who });
  });

  it('an adapter with setOnRouteTriggered reports hits, too', async () => {
    const triggered: string[] = [];
    const { ask } = await boot(
      platform,
      { imports: [cacheModule()], controllers: [Who], providers: [{ provide: WHO, useValue: 'me' }] },
      {
        configure: (app) =>
          (app.getHttpAdapter() as AbstractHttpAdapter).setOnRouteTriggered(
            (_method, path) => void triggered.push(path),
          ),
      },
    );
    for (const cache of ['MISS', 'HIT', 'HIT']) await ask().get('/who').expect('X-Cache', cache);
    expect(triggered).toEqual(['/who', '/who', '/who']);
  });

  it('a handler copied into another class keeps its own responses', async () => {
    @Controller('first')
    class First {
      readonly name: string = 'first';

      @Get('name')
      @Cached('name:*')
      get() {
        return { name: this.name };
      }
    }
    @Controller('second')
    @UseGuards(Named)
    class Second {
      readonly name = 'second';
    }
    Object.defineProperty(Second.prototype, 'get', Object.getOwnPropertyDescriptor(First.prototype, 'get')!);
    const { ask } = await boot(platform, { imports: [cacheModule()], controllers: [First, Second] });
    for (let turn = 0; turn < 2; turn++) await ask().get('/first/name').expect({ name: 'first' });
    await ask().get('/second/name').expect(403);
    await ask().get('/second/name').set('X-Name', 'ann').expect({ name: 'second' });
  });

  it('a class that any module makes request-scoped must declare how it varies', async () => {
    @Module({ controllers: [Who], providers: [{ provide: WHO, useValue: 'one' }] })
    class One {}
    const perRequest = { provide: WHO, scope: Scope.REQUEST, inject: [REQUEST], useFactory: () => 'caller' };
    @Module({ controllers: [Who], providers: [perRequest] })
    class Two {}
    const paths = RouterModule.register([
      { path: 'one', module: One },
      { path: 'two', module: Two },
    ]);
    await expect(boot(platform, { imports: [cacheModule(), One, Two, paths] })).rejects.toMatchObject({
      code: 'UNSAFE_HANDLER',
    });
  });
});

describe.each(platforms)('requests that pass their route, on %s', (platform) => {
  it('a request is counted once if a header of the decorator throws', async () => {
    let broken = false;
    @Controller()
    class Broken {
      @Get('broken')
      @Cached('broken:*')
      @Header('x-line', () => {
        if (broken) throw new Error('no line');
        return 'fine';
      })
      broken() {
        return { broken: true };
      }
    }
    const { app, ask } = await boot(platform, { imports: [cacheModule()], controllers: [Broken] });
    await ask().get('/broken').expect('x-line', 'fine').expect(200);
    broken = true;
    await ask().get('/broken').expect(500);
    expect(app.get(CacheMetrics).getPatternStats('broken:*')).toMatchObject({ cacheHits: 0, cacheMisses: 1 });
  });

  it('a request makes its key once if the key is a promise', async () => {
    let read = 0;
    const Tenant = createParamDecorator(async (_data: unknown, context: ExecutionContext) => {
      read++;
      await Promise.resolve();
      const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
      return headers['x-tenant'] ?? 'none';
    });
    @Controller()
    class Tenants {
      @Get('tenant')
      @Cached('tenant:*', { vary: '0' })
      tenant(@Tenant() tenant: string) {
        return { tenant };
      }
    }
    const { ask } = await boot(platform, { imports: [cacheModule()], controllers: [Tenants] });
    for (const tenant of ['one', 'two']) await ask().get('/tenant').set('x-tenant', tenant).expect({ tenant });
    read = 0;
    await ask().get('/tenant').set('x-tenant', 'one').expect('x-cache', 'HIT').expect({ tenant: 'one' });
    expect(read).toBe(1);
    await ask().get('/tenant').set('x-tenant', 'two').expect('x-cache', 'HIT').expect({ tenant: 'two' });
    expect(read).toBe(2);
  });

  it('a request fails as its handler does if the promise of a key rejects', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => void unhandled.push(error);
    process.on('unhandledRejection', note);
    const Caller = createParamDecorator(async () => {
      await Promise.resolve();
      throw new UnauthorizedException();
    });
    @Controller()
    class Callers {
      @Get('caller')
      @Cached('caller:*', { vary: '0' })
      caller(@Caller() caller: string) {
        return { caller };
      }

      @Get('named')
      @Cached('named:{0}')
      named(@Caller() caller: string) {
        return { caller };
      }
    }
    const { ask } = await boot(platform, { imports: [cacheModule()], controllers: [Callers] });
    for (const path of ['/caller', '/caller', '/named', '/named']) await ask().get(path).expect(401);
    await new Promise(setImmediate);
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});

describe('route hits on Express', () => {
  interface Response {
    end(text: string): void;
    setHeader(name: string, value: string): void;
  }

  @Controller()
  class Late {
    @Get('late')
    @Cached('late:*')
    late() {
      return { late: true };
    }
  }

  it('a hit that can no longer be sent is counted once', async () => {
    @Module({ imports: [cacheModule()], controllers: [Late] })
    class App {
      configure(consumer: MiddlewareConsumer) {
        consumer
          .apply(({ headers }: { headers: Record<string, string> }, response: Response, next: () => void) => {
            if (headers['x-early'] !== undefined) response.end('early');
            next();
          })
          .forRoutes(Late);
      }
    }
    const { app, ask } = await boot('express', { imports: [App] });
    await ask().get('/late').expect(200);
    await ask().get('/late').set('x-early', '1').expect(200, 'early');
    expect(app.get(CacheMetrics).getPatternStats('late:*')).toMatchObject({ cacheHits: 1, cacheMisses: 1 });
  });

  it('calls of other code to the adapter are passed through while routes are added', async () => {
    let setting: unknown;
    @Module({ controllers: [Late] })
    class App {
      constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

      configure() {
        const adapter = this.host.httpAdapter as unknown as { get(...args: unknown[]): unknown };
        setting = adapter.get('x-powered-by');
        const first = (_request: unknown, response: Response, next: () => void) => {
          response.setHeader('x-first', 'yes');
          next();
        };
        adapter.get('/raw', first, (_request: unknown, response: Response) => response.end('raw'));
      }
    }
    const { ask } = await boot('express', { imports: [cacheModule(), App] });
    expect(setting).toBe(true);
    await ask().get('/raw').expect('x-first', 'yes').expect(200, 'raw');
  });
});

it('a Fastify reply with its own serializer receives the value, after any earlier request', async () => {
  @Controller()
  class Wrapped {
    @Get('wrapped')
    @Cached('wrapped:*')
    wrapped() {
      return { wrapped: true };
    }
  }
  const { app } = await boot(
    'fastify',
    { imports: [cacheModule()], controllers: [Wrapped] },
    {
      configure: (made) =>
        void (made as NestFastifyApplication)
          .getHttpAdapter()
          .getInstance()
          .addHook('onRequest', (request, reply, done) => {
            if (request.headers['x-wrap'] !== undefined)
              reply.serializer((value: unknown) => JSON.stringify({ data: value }));
            done();
          }),
    },
  );
  const bodyOf = async (headers: Record<string, string> = {}) =>
    (await (app as NestFastifyApplication).inject({ url: '/wrapped', headers })).body;
  for (let turn = 0; turn < 2; turn++) {
    for (let hit = 0; hit < 2; hit++) expect(await bodyOf()).toBe('{"wrapped":true}');
    expect(await bodyOf({ 'x-wrap': 'yes' })).toBe('{"data":{"wrapped":true}}');
  }
});

it('two Express applications that add routes to one adapter at once keep their guards', async () => {
  const adapter = new ExpressAdapter();
  const make = async (prefix: string, providers: Provider[]) => {
    const module = await Test.createTestingModule({
      imports: [cacheModule({ monitoring: false })],
      controllers: [Who],
      providers: [{ provide: WHO, useValue: prefix }, ...providers],
    }).compile();
    return module.createNestApplication(adapter, { logger: false }).setGlobalPrefix(prefix);
  };
  const apps = [await make('open', []), await make('closed', [{ provide: APP_GUARD, useClass: Named }])];
  await Promise.all(apps.map((app) => app.init()));
  const ask = () => supertest(adapter.getInstance() as App);
  for (let turn = 0; turn < 3; turn++) await ask().get('/open/who').expect({ who: 'open' });
  await ask().get('/closed/who').expect(403);
  await ask().get('/closed/who').set('X-Name', 'ann').expect({ who: 'closed' });
  for (const app of apps) await app.close();
});
