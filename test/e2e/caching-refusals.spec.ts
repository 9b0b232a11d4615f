import {
  Controller,
  createParamDecorator,
  Get,
  Headers,
  Inject,
  Injectable,
  Ip,
  Param,
  Query,
  Req,
  Res,
  Scope,
  Session,
  type Type,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { boot, closeApps } from '../support/apps.js';

const Custom = createParamDecorator(() => 1);
const start = (controllers: Type[], providers: Type[] = []) =>
  boot('express', { imports: [CacheObservabilityModule.forRoot({ prometheus: false })], controllers, providers });

afterEach(closeApps);

describe('errors at boot', () => {
  it('one error lists every handler that could leak, with its inputs and three ways to fix it', async () => {
    @Controller()
    class Leaks {
      @Get('req')
      @Cached('x:*')
      req(@Req() request: unknown) {
        return request;
      }
      @Get('res')
      @Cached('x:*')
      res(@Res({ passthrough: true }) response: unknown) {
        return response;
      }
      @Get('session')
      @Cached('x:*')
      session(@Session() session: unknown) {
        return session;
      }
      @Get('ip')
      @Cached('x:*')
      ip(@Ip() ip: string) {
        return ip;
      }
      @Get('headers')
      @Cached('x:*')
      headers(@Headers() headers: unknown) {
        return headers;
      }
      @Get('custom')
      @Cached('x:*')
      custom(@Custom() value: unknown) {
        return value;
      }
    }
    const fault = await start([Leaks]).catch((error: unknown) => error as Error);
    expect(fault).toMatchObject({ code: 'UNSAFE_HANDLER' });
    const { message } = fault as Error;
    for (const part of ['@Req()', '@Res()', '@Session()', '@Ip()', '@Headers()', 'custom decorator of parameter 0']) {
      expect(message).toContain(part);
    }
    for (const part of ['Leaks.req()', "vary: ['user.id']", 'key: (context)', 'shared: true']) {
      expect(message).toContain(part);
    }
    expect(message).toMatch(/^6 handlers/);
  });

  it('a request-scoped class is refused', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      constructor(@Inject(REQUEST) readonly request: unknown) {}
      @Cached('x:*')
      async find() {
        return 1;
      }
    }
    @Controller()
    class Depends {
      constructor(@Inject(PerRequest) readonly service: PerRequest) {}
      @Get()
      @Cached('y:*')
      find() {
        return 1;
      }
    }
    await expect(start([Depends], [PerRequest])).rejects.toMatchObject({
      code: 'UNSAFE_HANDLER',
      message: expect.stringMatching(/Depends\.find[^]*PerRequest\.find|PerRequest\.find[^]*Depends\.find/),
    });
  });

  it('a template without one of the inputs is refused, unless the input is ignored', async () => {
    @Controller()
    class Misses {
      @Get(':id')
      @Cached('product:{params.id}')
      find(@Param('id') id: string, @Query('page') page: string) {
        return { id, page };
      }
    }
    await expect(start([Misses])).rejects.toMatchObject({
      code: 'INVALID_TEMPLATE',
      message: expect.stringContaining("@Query('page') as {query.page}"),
    });
    @Controller()
    class Ignores {
      @Get(':id')
      @Cached('product:{params.id}', { ignore: ['query.trace'] })
      find(@Param('id') id: string, @Query('trace') trace: string) {
        return { id, trace };
      }
    }
    const { ask } = await start([Ignores]);
    await ask().get('/1?trace=a').expect('x-cache', 'MISS');
    await ask().get('/1?trace=b').expect('x-cache', 'HIT');
  });

  it('a template without an input of `vary` is refused', async () => {
    @Controller()
    class Varies {
      @Get(':id')
      @Cached('product:{params.id}', { vary: 'headers.x-tenant' })
      find(@Param('id') id: string) {
        return { id };
      }
    }
    await expect(start([Varies])).rejects.toMatchObject({
      code: 'INVALID_TEMPLATE',
      message: expect.stringContaining('headers.x-tenant'),
    });
  });

  it('templates of two handlers that can produce the same key are refused', async () => {
    @Controller()
    class Products {
      @Get(':id')
      @Cached('product:{params.id}')
      find(@Param('id') id: string) {
        return { id };
      }
    }
    @Injectable()
    class ProductService {
      @Cached('product:{0}')
      async find(id: string) {
        return { id };
      }
    }
    await expect(start([Products], [ProductService])).rejects.toMatchObject({
      code: 'DUPLICATE_TEMPLATE',
      message: expect.stringMatching(/Products\.find[^]*ProductService\.find|ProductService\.find[^]*Products\.find/),
    });
  });

  it('one template that two classes inherit is refused', async () => {
    class Base {
      @Cached('base:{0}')
      async find(id: string) {
        return { id };
      }
    }
    @Injectable()
    class One extends Base {}
    @Injectable()
    class Two extends Base {}
    await expect(start([], [One, Two])).rejects.toMatchObject({
      code: 'DUPLICATE_TEMPLATE',
      message: expect.stringMatching(/^One\.find\(\) and Two\.find\(\) inherit 'base:\{0\}' .*Write 'base:\*'/),
    });
  });

  it('one template of an abstract controller is refused, and the advice of the error works', async () => {
    abstract class Base {
      @Get(':id')
      @Cached('base:{params.id}')
      find(@Param('id') id: string) {
        return { id, cls: this.constructor.name };
      }
    }
    @Controller('ones')
    class Ones extends Base {}
    @Controller('twos')
    class Twos extends Base {}
    await expect(start([Ones, Twos])).rejects.toMatchObject({
      code: 'DUPLICATE_TEMPLATE',
      message: expect.stringMatching(
        /^Ones\.find\(\) and Twos\.find\(\) inherit .*Write 'base:\*'.* or override the method/,
      ),
    });

    abstract class Advised {
      @Get(':id')
      @Cached('base:*')
      find(@Param('id') id: string) {
        return { id, cls: this.constructor.name };
      }
    }
    @Controller('ones')
    class AdvisedOnes extends Advised {}
    @Controller('twos')
    class AdvisedTwos extends Advised {
      @Get(':id')
      @Cached('two:{params.id}')
      override find(@Param('id') id: string) {
        return super.find(id);
      }
    }
    @Controller('threes')
    class AdvisedThrees extends Advised {}
    const { ask } = await start([AdvisedOnes, AdvisedTwos, AdvisedThrees]);
    for (const cache of ['MISS', 'HIT'])
      for (const name of ['Ones', 'Twos', 'Threes'])
        await ask()
          .get(`/${name.toLowerCase()}/1`)
          .expect('x-cache', cache)
          .expect(200, { id: '1', cls: `Advised${name}` });
  });

  it('an invalid path is refused', async () => {
    @Injectable()
    class Service {
      @Cached('x:{params.id}')
      async find(id: string) {
        return id;
      }
    }
    await expect(start([], [Service])).rejects.toMatchObject({ code: 'INVALID_TEMPLATE' });
  });

  it('an invalid policy is refused', async () => {
    @Injectable()
    class Service {
      @Cached('x:*', { ttl: 'soon' })
      async find() {
        return 1;
      }
    }
    await expect(start([], [Service])).rejects.toMatchObject({ code: 'INVALID_DURATION' });
  });
});

describe('errors at decoration', () => {
  it.each(['', 'a*b', 'a:{', 'a:}', 'a:{}', 'a:{0}{1}', 'a:{0}:*'])('the pattern %j is refused', (pattern) => {
    expect(() => Cached(pattern)).toThrow(expect.objectContaining({ code: 'INVALID_TEMPLATE' }));
  });

  it('@Cached is refused on static members and a second time on one method', () => {
    expect(() => {
      class Bad {
        @Cached('x:*')
        static find() {
          return 1;
        }
      }
      return Bad;
    }).toThrow(expect.objectContaining({ code: 'INVALID_TEMPLATE' }));
    expect(() => {
      class Twice {
        @Cached('x:*')
        @Cached('y:*')
        find() {
          return 1;
        }
      }
      return Twice;
    }).toThrow(expect.objectContaining({ code: 'DUPLICATE_TEMPLATE' }));
  });
});
