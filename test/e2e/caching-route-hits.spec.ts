import {
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Get,
  Header,
  HttpCode,
  type MiddlewareConsumer,
  Module,
  Param,
  Post,
  Query,
  Res,
  Scope,
  type Type,
  UseGuards,
  Version,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import type { CacheObservabilityOptions } from '../../lib/options/cache-observability.options.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { CachedInterceptor } from '../../lib/caching/decoration/cached.interceptor.js';
import { CacheMetrics } from '../../lib/metrics/cache-metrics.js';
import { boot, type BootedApp, closeApps, platforms } from '../support/apps.js';
import { Named, Open } from '../support/guards.js';
import { ManualClock } from '../support/manual-clock.js';

interface Reply {
  status(code: number): unknown;
  header(name: string, value: string): unknown;
}

const tenantOf = (context: ExecutionContext) => {
  const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
  return `${context.getClass().name}.${context.getHandler().name}:${headers['x-tenant'] ?? 'none'}`;
};
const Tenant = createParamDecorator((_data: unknown, context: ExecutionContext) => tenantOf(context));

let calls = 0;
let chained: ReturnType<typeof jest.spyOn>;
beforeEach(() => {
  chained = jest.spyOn(CachedInterceptor.prototype, 'runnerOf');
});
afterEach(async () => {
  calls = 0;
  chained.mockRestore();
  await closeApps();
});

const cacheModule = (options: CacheObservabilityOptions = {}) =>
  CacheObservabilityModule.forRoot({ prometheus: false, ...options });

@Controller('answers')
class Answers {
  @Get('object/:id')
  @Cached('object:*')
  object(@Param('id') id: string, @Query('page') page = '1') {
    calls += 1;
    return { id, page };
  }

  @Get('text')
  @Cached('text:*')
  text() {
    return 'plain';
  }

  @Get('number')
  @Cached('number:*')
  number() {
    return 42;
  }

  @Get('nothing')
  @Cached('nothing:*', { negativeTtl: '1m' })
  nothing() {
    return null;
  }

  @Get('bytes')
  @Cached('bytes:*')
  @Header('content-type', 'application/octet-stream')
  bytes() {
    return Buffer.from([1, 2, 3]);
  }

  @Get('headed')
  @Cached('headed:*', { clientCache: { scope: 'public' }, vary: 'headers.accept-language' })
  @Header('x-kind', 'list')
  @HttpCode(203)
  headed() {
    return { headed: true };
  }

  @Get('own')
  @Cached('own:*', { shared: true })
  own(@Res({ passthrough: true }) reply: Reply) {
    reply.status(202);
    reply.header('x-own', 'set by the handler');
    return { own: true };
  }

  @Post('made')
  @Cached('made:*', { methods: ['POST'] })
  made() {
    return { made: true };
  }
}

const asked: [name: string, method: 'get' | 'head' | 'post', path: string, headers?: Record<string, string>][] = [
  ['an object', 'get', '/answers/object/7?page=2'],
  ['an encoded address', 'get', '/answers/object/a%20b?page=%C3%A4'],
  ['HEAD', 'head', '/answers/object/7?page=2'],
  ['a text', 'get', '/answers/text'],
  ['a number', 'get', '/answers/number'],
  ['null', 'get', '/answers/nothing'],
  ['bytes', 'get', '/answers/bytes'],
  ['a status and headers of decorators', 'get', '/answers/headed', { 'accept-language': 'de' }],
  ['a status and headers of the handler', 'get', '/answers/own'],
  ['a POST', 'post', '/answers/made'],
  ['a condition that is met', 'get', '/answers/object/7?page=2', { 'if-none-match': '*' }],
  ['a condition that is not', 'get', '/answers/object/7?page=2', { 'if-none-match': '"other"' }],
];

describe.each(platforms)('hits answered at their route on %s', (platform) => {
  describe.each(['minimal', 'standard', false] as const)(
    'hits at the route equal hits of the chain, headers %s',
    (headers) => {
      let apps: BootedApp[];
      beforeAll(async () => {
        // With a guard that allows everybody, only the path of a hit differs.
        const guards = [[], [{ provide: APP_GUARD, useClass: Open }]];
        // Headers name the age in seconds: time must not pass between two hits.
        const clock = new ManualClock();
        apps = await Promise.all(
          guards.map((providers) =>
            boot(
              platform,
              { imports: [cacheModule({ http: { headers }, clock })], controllers: [Answers], providers },
              { keepOpen: true },
            ),
          ),
        );
      });
      afterAll(() => Promise.all(apps.map(({ close }) => close())));

      it.each(asked)('a hit at the route equals a hit of the chain: %s', async (_name, method, path, sent = {}) => {
        const answers = [];
        const calls = [];
        for (const { ask } of apps) {
          await ask()[method === 'head' ? 'get' : method](path).set(sent);
          const before = chained.mock.calls.length;
          const { status, headers: found, text, body } = await ask()[method](path).set(sent);
          answers.push({ status, headers: { ...found, date: '' }, text, body: body as unknown });
          calls.push(chained.mock.calls.length - before);
        }
        expect(answers[0]).toEqual(answers[1]);
        expect(calls).toEqual([0, 1]);
      });
    },
  );

  it('a hit or a miss makes the key once per request', async () => {
    const asked: string[] = [];
    @Controller()
    class Keyed {
      @Get('keyed')
      @Cached('keyed:*', {
        vary: ({ request }) => {
          const tenant = String(request!.headers['x-tenant']);
          asked.push(tenant);
          return tenant;
        },
      })
      keyed(@Query('page') page = '1') {
        return { page };
      }
    }
    const { ask } = await boot(platform, { imports: [cacheModule()], controllers: [Keyed] });
    for (const cache of ['MISS', 'HIT']) {
      await ask().get('/keyed').set('x-tenant', 'one').expect('x-cache', cache);
    }
    expect(asked).toEqual(['one', 'one']);
    // Concurrent requests keep their own keys.
    asked.length = 0;
    const tenants = Array.from({ length: 10 }, (_, index) => `t${index}`);
    await Promise.all(tenants.map((tenant) => ask().get('/keyed').set('x-tenant', tenant).expect('x-cache', 'MISS')));
    expect([...asked].sort()).toEqual(tenants);
  });

  it('hits at the route count under their pattern and endpoint', async () => {
    const { app, ask } = await boot(platform, { imports: [cacheModule()], controllers: [Answers] });
    for (let turn = 0; turn < 5; turn++) await ask().get('/answers/object/7').expect(200);
    const metrics = app.get(CacheMetrics);
    expect(metrics.getPatternStats('object:*')).toMatchObject({ cacheHits: 4, cacheMisses: 1, totalRequests: 5 });
    const endpoint = metrics.getEndpointStats().find(({ endpoint }) => endpoint === 'GET /answers/object/:id');
    expect(endpoint).toMatchObject({ cacheHits: 4, cacheMisses: 1 });
    expect(calls).toBe(1);
    expect(chained).toHaveBeenCalledTimes(1);
  });

  it('hits at the route work under a prefix, with a version in the path and in an inherited handler', async () => {
    @Controller({ path: 'feeds', version: '2' })
    class Feeds extends Answers {}
    const { ask } = await boot(
      platform,
      { imports: [cacheModule()], controllers: [Feeds] },
      {
        configure: (app) => {
          app.setGlobalPrefix('api');
          app.enableVersioning({ type: VersioningType.URI });
        },
      },
    );
    for (const state of ['MISS', 'HIT', 'HIT'])
      await ask().get('/api/v2/feeds/object/7').expect('x-cache', state).expect({ id: '7', page: '1' });
    expect(chained).toHaveBeenCalledTimes(1);
  });

  it('hits at the route use keys of custom parameter decorators, which can read class and handler', async () => {
    @Controller()
    class Tenants {
      @Get('whose')
      @Cached('whose:*', { vary: tenantOf })
      whose(@Tenant() tenant: string) {
        return { tenant };
      }
    }
    const { ask } = await boot(platform, { imports: [cacheModule()], controllers: [Tenants] });
    for (const tenant of ['one', 'two', 'one', 'two'])
      expect((await ask().get('/whose').set('x-tenant', tenant)).body).toEqual({ tenant: `Tenants.whose:${tenant}` });
    expect(chained).toHaveBeenCalledTimes(2);
  });

  it('hits at the route run after the middleware of the application', async () => {
    const seen: string[] = [];
    @Module({ imports: [cacheModule()], controllers: [Answers] })
    class App {
      configure(consumer: MiddlewareConsumer) {
        consumer
          .apply((_request: unknown, _response: unknown, next: () => void) => {
            seen.push('middleware');
            next();
          })
          .forRoutes(Answers);
      }
    }
    const { ask } = await boot(platform, { imports: [App] });
    for (let turn = 0; turn < 3; turn++) await ask().get('/answers/text').expect('plain');
    expect(seen).toHaveLength(3);
    expect(chained).toHaveBeenCalledTimes(1);
  });

  it('the route leaves Authorization, no-store and other methods to the chain', async () => {
    @Controller()
    class Directed {
      @Get('directed')
      @Cached('directed:*', { honorRequestDirectives: true })
      directed() {
        return { calls: ++calls };
      }
    }
    const { ask } = await boot(platform, { imports: [cacheModule()], controllers: [Directed] });
    await ask().get('/directed').expect({ calls: 1 });
    await ask()
      .get('/directed')
      .set('Authorization', 'Bearer x')
      .expect('x-cache', 'BYPASS; reason=authorization')
      .expect({ calls: 2 });
    await ask()
      .get('/directed')
      .set('Cache-Control', 'no-store')
      .expect('x-cache', 'BYPASS; reason=no-store')
      .expect({ calls: 3 });
    await ask().get('/directed').expect('x-cache', 'HIT').expect({ calls: 1 });
  });
});

describe.each(platforms)('hits that the chain answers on %s', (platform) => {
  @Controller()
  @UseGuards(Named)
  class OnClass {
    @Get('value')
    @Cached('value:*')
    value() {
      return { calls: ++calls };
    }
  }

  @Controller()
  class OnMethod {
    @Get('value')
    @UseGuards(Named)
    @Cached('value:*')
    value() {
      return { calls: ++calls };
    }
  }

  @Controller()
  class Bare {
    @Get('value')
    @Cached('value:*')
    value() {
      return { calls: ++calls };
    }
  }

  const guards: [where: string, controller: Type, global: 'no' | 'app' | 'provided'][] = [
    ['on the controller', OnClass, 'no'],
    ['on the method', OnMethod, 'no'],
    ['of the application', Bare, 'app'],
    ['by APP_GUARD', Bare, 'provided'],
  ];

  it.each(guards)('the chain answers hits behind a guard: %s', async (_where, controller, global) => {
    const { ask } = await boot(
      platform,
      {
        imports: [cacheModule()],
        controllers: [controller],
        providers: global === 'provided' ? [{ provide: APP_GUARD, useClass: Named }] : [],
      },
      { configure: (app) => void (global === 'app' && app.useGlobalGuards(new Named())) },
    );
    await ask().get('/value').set('X-Name', 'ann').expect('x-cache', 'MISS');
    await ask().get('/value').set('X-Name', 'bob').expect('x-cache', 'HIT').expect({ calls: 1 });
    await ask().get('/value').expect(403);
  });

  it('the chain answers hits of a handler that two controllers share, each with its own responses', async () => {
    abstract class Shared {
      abstract readonly name: string;

      @Get('name')
      @Cached('name:*')
      whoAmI() {
        calls += 1;
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
    const { ask } = await boot(platform, { imports: [cacheModule()], controllers: [Cats, Dogs] });
    for (let turn = 0; turn < 2; turn++) {
      await ask().get('/cats/name').expect({ name: 'cats' });
      await ask().get('/dogs/name').set('X-Name', 'ann').expect({ name: 'dogs' });
      await ask().get('/dogs/name').expect(403);
    }
    expect(calls).toBe(2);
  });

  it('the chain answers hits if a header selects the version', async () => {
    @Controller()
    class Versions {
      @Get('version')
      @Version('1')
      @Cached('version:*')
      one() {
        return { version: 1 };
      }

      @Get('version')
      @Version('2')
      @Cached('version:*')
      two() {
        return { version: 2 };
      }
    }
    const { ask } = await boot(
      platform,
      { imports: [cacheModule()], controllers: [Versions] },
      { configure: (app) => void app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' }) },
    );
    for (let turn = 0; turn < 2; turn++)
      for (const version of [1, 2]) await ask().get('/version').set('x-version', String(version)).expect({ version });
  });

  it('the chain answers hits if the host selects the handler', async () => {
    @Controller({ host: 'one.example' })
    class One {
      @Get('host')
      @Cached('host:*')
      answer() {
        return { host: 'one' };
      }
    }
    const { ask } = await boot(platform, { imports: [cacheModule()], controllers: [One] });
    for (let turn = 0; turn < 2; turn++) {
      await ask().get('/host').set('Host', 'one.example').expect({ host: 'one' });
      await ask().get('/host').set('Host', 'two.example').expect(404);
    }
  });

  it('the chain answers hits of request-scoped classes', async () => {
    @Controller({ scope: Scope.REQUEST })
    class PerRequest {
      constructor() {
        calls += 1;
      }

      @Get('made')
      @Cached('made:*', { shared: true })
      made() {
        return { made: true };
      }
    }
    const { ask } = await boot(platform, { imports: [cacheModule()], controllers: [PerRequest] });
    await ask().get('/made').expect('x-cache', 'MISS');
    const before = calls;
    await ask().get('/made').expect('x-cache', 'HIT');
    expect(calls - before).toBe(1);
  });

  it('the chain answers if a response cannot be sent, and reports the error as usual', async () => {
    @Controller()
    class Broken {
      @Get('broken')
      @Cached('broken:*')
      @Header('x-line', () => {
        if (calls > 0) throw new Error('no line');
        return 'fine';
      })
      broken() {
        return { broken: true };
      }
    }
    const { ask } = await boot(platform, { imports: [cacheModule()], controllers: [Broken] });
    await ask().get('/broken').expect(200);
    calls = 1;
    await ask().get('/broken').expect(500, { statusCode: 500, message: 'Internal server error' });
  });
});
