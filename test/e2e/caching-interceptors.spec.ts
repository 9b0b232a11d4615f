import {
  type CallHandler,
  ClassSerializerInterceptor,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  type NestInterceptor,
  type Type,
  UseInterceptors,
} from '@nestjs/common';
import { APP_INTERCEPTOR, Reflector } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { map, tap } from 'rxjs';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { boot, closeApps, platforms } from '../support/apps.js';

const seen: unknown[] = [];

@Injectable()
class Mapping implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return next.handle().pipe(map((data: unknown) => ({ data, for: headers['x-name'] ?? 'nobody' })));
  }
}

@Injectable()
class Mutating implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(
      map((data: { list: number[]; extra?: number }) => {
        data.list.push(data.list.length);
        data.extra = data.list.length;
        return data;
      }),
    );
  }
}

@Injectable()
class Logging implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(tap((data: unknown) => seen.push(data)));
  }
}

class Account {
  static excluded = ['password'];
  constructor(
    readonly name: string,
    readonly password: string,
  ) {}
}

/** Finds the excluded fields by the class of an instance, as class-transformer does. */
const transformer = {
  classToPlain(value: object) {
    const { excluded = [] } = value.constructor as { excluded?: string[] };
    return Object.fromEntries(Object.entries(value).filter(([name]) => !excluded.includes(name)));
  },
  plainToInstance: (_type: unknown, value: object) => value,
};

let calls = 0;
afterEach(async () => {
  calls = 0;
  seen.length = 0;
  await closeApps();
});

const imports = [CacheObservabilityModule.forRoot({ prometheus: false })];

describe.each(platforms)('interceptors of the application on %s', (platform) => {
  @Controller()
  class Bare {
    @Get('value')
    @Cached('value:*')
    value() {
      calls += 1;
      return { list: [0] };
    }
  }

  @Controller()
  class OnMethod {
    @Get('value')
    @Cached('value:*')
    @UseInterceptors(Mapping)
    value() {
      calls += 1;
      return { list: [0] };
    }
  }

  /** A controller with an interceptor in one place, above and below `@Cached`. */
  function controllerWith(
    place: 'method' | 'class' | 'elsewhere',
    interceptor: NestInterceptor | typeof Mapping,
  ): Type {
    const stands = (where: string) => (place === where ? UseInterceptors(interceptor) : () => undefined);

    @Controller()
    @stands('class')
    class Accounts {
      @Get('above')
      @stands('method')
      @Cached('above:*')
      above() {
        calls += 1;
        return new Account('ann', 'secret');
      }

      @Get('below')
      @Cached('below:*')
      @stands('method')
      below() {
        calls += 1;
        return new Account('ann', 'secret');
      }
    }
    return Accounts;
  }

  const plain = { name: 'ann', password: 'secret' };
  const kinds: [kind: string, make: () => NestInterceptor, body: object, runsPerRequest: number][] = [
    ['mapping', () => new Mapping(), { data: plain, for: 'bob' }, 0],
    ['logging', () => new Logging(), plain, 1],
    [
      'serialising',
      () => new ClassSerializerInterceptor(new Reflector(), { transformerPackage: transformer as never }),
      { name: 'ann' },
      0,
    ],
  ];
  const places = ['method', 'class', 'application', 'APP_INTERCEPTOR'] as const;

  describe.each(kinds)('a %s interceptor runs on hits, too', (_kind, make, body, runsPerRequest) => {
    it.each(places)('an interceptor on this place runs on hits: %s', async (place) => {
      const controllers = [controllerWith(place === 'method' || place === 'class' ? place : 'elsewhere', make())];
      const { ask } = await boot(
        platform,
        {
          imports,
          controllers,
          providers: place === 'APP_INTERCEPTOR' ? [{ provide: APP_INTERCEPTOR, useFactory: make }] : [],
        },
        { configure: (app) => void (place === 'application' && app.useGlobalInterceptors(make())) },
      );
      for (const path of ['/above', '/below'])
        for (const state of ['MISS', 'HIT', 'HIT'])
          await ask().get(path).set('X-Name', 'bob').expect('x-cache', state).expect(body);
      expect(calls).toBe(2);
      expect(seen).toHaveLength(runsPerRequest * 6);
    });
  });

  it('an interceptor that changes the value prevents a 304 for the unchanged one', async () => {
    const { ask } = await boot(platform, { imports, controllers: [OnMethod] });
    const ann = await ask().get('/value').set('X-Name', 'ann');
    await ask()
      .get('/value')
      .set('X-Name', 'bob')
      .set('If-None-Match', ann.headers.etag ?? '"none"')
      .expect(200);
  });

  it("an interceptor may change its value without changing the next caller's", async () => {
    const { ask } = await boot(
      platform,
      { imports, controllers: [Bare] },
      { configure: (app) => void app.useGlobalInterceptors(new Mutating()) },
    );
    for (let turn = 0; turn < 3; turn++) {
      expect((await ask().get('/value').expect(200)).body).toEqual({ list: [0, 1], extra: 2 });
    }
    expect(calls).toBe(1);
  });

  it('an interceptor receives the value, never its text', async () => {
    const { ask } = await boot(
      platform,
      { imports, controllers: [Bare] },
      { configure: (app) => void app.useGlobalInterceptors(new Logging()) },
    );
    await ask().get('/value');
    expect((await ask().get('/value')).body).toEqual({ list: [0] });
    expect(seen).toEqual([{ list: [0] }, { list: [0] }]);
  });

  it('the stored text is sent if no interceptor runs outside the cache', async () => {
    const { ask } = await boot(platform, { imports, controllers: [Bare] });
    const first = await ask().get('/value');
    const second = await ask().get('/value');
    expect(second.text).toBe(first.text);
    expect(second.headers['content-type']).toBe('application/json; charset=utf-8');
  });
});

describe('settings of the HTTP adapter', () => {
  @Controller()
  class Bare {
    @Get('value')
    @Cached('value:*')
    value() {
      return { a: 1 };
    }
  }

  it('settings of Express apply to cached responses', async () => {
    const { ask } = await boot(
      'express',
      { imports, controllers: [Bare] },
      { configure: (app) => void app.getHttpAdapter().getInstance().set('json spaces', 2) },
    );
    expect((await ask().get('/value')).text).toBe('{\n  "a": 1\n}');
    expect((await ask().get('/value')).text).toBe('{\n  "a": 1\n}');
  });

  it('settings of Fastify apply to cached responses', async () => {
    const { ask } = await boot(
      'fastify',
      { imports, controllers: [Bare] },
      {
        configure: (app) =>
          void app
            .getHttpAdapter()
            .getInstance()
            .setReplySerializer((payload: unknown) => JSON.stringify({ own: payload })),
      },
    );
    expect((await ask().get('/value')).text).toBe('{"own":{"a":1}}');
    expect((await ask().get('/value')).text).toBe('{"own":{"a":1}}');
  });
});
