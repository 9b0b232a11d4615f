import {
  BadRequestException,
  type CallHandler,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  type ArgumentsHost,
  Get,
  Injectable,
  type NestInterceptor,
  Param,
  type PipeTransform,
  Query,
  StreamableFile,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { RouterExecutionContext } from '@nestjs/core/router/router-execution-context.js';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { from } from 'rxjs';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { CachedInterceptor } from '../../lib/caching/decoration/cached.interceptor.js';
import { boot, closeApps, platforms } from '../support/apps.js';

const order: string[] = [];
let calls = 0;
let chained: ReturnType<typeof jest.spyOn>;

beforeEach(() => {
  chained = jest.spyOn(CachedInterceptor.prototype, 'intercept');
});
afterEach(async () => {
  chained.mockRestore();
  order.length = 0;
  calls = 0;
  await closeApps();
});

class Guard {
  canActivate() {
    order.push('guard');
    return true;
  }
}

class Pipe implements PipeTransform {
  async transform(value: string) {
    await Promise.resolve();
    order.push('pipe');
    if (value === 'bad') throw new BadRequestException('a bad value');
    return `${value}!`;
  }
}

@Catch(BadRequestException)
class Filter implements ExceptionFilter {
  catch(error: BadRequestException, host: ArgumentsHost) {
    order.push('filter');
    const response = host.switchToHttp().getResponse<{
      status(code: number): { send(body: unknown): unknown };
    }>();
    response.status(418).send({ caught: error.message });
  }
}

@Injectable()
class Other implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler) {
    order.push('other');
    return next.handle();
  }
}

@Controller('sole')
class Answers {
  @Get('piped/:id')
  @UseGuards(Guard)
  @UseFilters(Filter)
  @Cached('piped:{params.id}', { vary: ['params.id'], shared: true })
  piped(@Param('id', Pipe) id: string) {
    order.push('handler');
    calls += 1;
    return { id, calls };
  }

  @Get('observable')
  @Cached('observable:*')
  observable() {
    calls += 1;
    return from([{ emitted: 1 }, { emitted: 2, calls }]);
  }

  @Get('stream')
  @Cached('stream:*')
  stream() {
    calls += 1;
    return new StreamableFile(Buffer.from(`text ${calls}`));
  }

  @Get('failing')
  @Cached('failing:*')
  failing() {
    calls += 1;
    throw new BadRequestException(`failure ${calls}`);
  }

  @Get('accompanied')
  @UseInterceptors(Other)
  @Cached('accompanied:*')
  accompanied(@Query('page') page = '1') {
    return { page };
  }
}

const module = { imports: [CacheObservabilityModule.forRoot({ prometheus: false })], controllers: [Answers] };

describe.each(platforms)('a cached handler without other interceptors on %s', (platform) => {
  it('runs guards before, and pipes and the handler only for a miss', async () => {
    const { ask } = await boot(platform, module);
    await ask().get('/sole/piped/7').expect('x-cache', 'MISS').expect(200, { id: '7!', calls: 1 });
    expect(order).toEqual(['guard', 'pipe', 'handler']);
    await ask().get('/sole/piped/7').expect('x-cache', 'HIT').expect(200, { id: '7!', calls: 1 });
    expect(order).toEqual(['guard', 'pipe', 'handler', 'guard']);
    expect(chained).not.toHaveBeenCalled();
  });

  it('passes errors of pipes and of the handler to the exception filters', async () => {
    const { ask } = await boot(platform, module);
    await ask().get('/sole/piped/bad').expect(418, { caught: 'a bad value' });
    expect(order).toEqual(['guard', 'pipe', 'filter']);
    for (const attempt of [1, 2]) {
      const { body } = (await ask().get('/sole/failing').expect(400)) as { body: { message: string } };
      expect(body.message).toBe(`failure ${attempt}`);
    }
    expect(chained).not.toHaveBeenCalled();
  });

  it('stores the last value of an Observable', async () => {
    const { ask } = await boot(platform, module);
    for (const status of ['MISS', 'HIT'])
      await ask().get('/sole/observable').expect('x-cache', status).expect(200, { emitted: 2, calls: 1 });
    await ask().get('/sole/observable').set('authorization', 'x').expect(200, { emitted: 2, calls: 2 });
    expect(chained).not.toHaveBeenCalled();
  });

  it('sends each request its own stream', async () => {
    const { ask } = await boot(platform, module);
    for (const turn of [1, 2]) {
      const { body } = (await ask().get('/sole/stream').expect(200)) as { body: Buffer };
      expect(body.toString()).toBe(`text ${turn}`);
    }
  });

  it('leaves a handler with another interceptor to the chain', async () => {
    const { ask } = await boot(platform, module);
    for (const status of ['MISS', 'HIT'])
      await ask().get('/sole/accompanied').expect('x-cache', status).expect(200, { page: '1' });
    expect(order).toEqual(['other', 'other']);
    expect(chained).toHaveBeenCalledTimes(2);
  });

  it('leaves every handler to the chain if an interceptor is added to the application', async () => {
    const { ask } = await boot(platform, module, { configure: (app) => app.useGlobalInterceptors(new Other()) });
    await ask().get('/sole/observable').expect('x-cache', 'MISS').expect(200, { emitted: 2, calls: 1 });
    expect(order).toEqual(['other']);
    expect(chained).toHaveBeenCalledTimes(1);
  });

  it("restores Nest's function once all routes are made", async () => {
    const { prototype } = RouterExecutionContext;
    const { create } = prototype;
    await boot(platform, module);
    expect(prototype.create).toBe(create);
  });

  it('serves two applications that start together', async () => {
    const { prototype } = RouterExecutionContext;
    const { create } = prototype;
    try {
      const apps = await Promise.all([boot(platform, module), boot(platform, module)]);
      for (const { ask } of apps) await ask().get('/sole/observable').expect('x-cache', 'MISS').expect(200);
      expect(chained).not.toHaveBeenCalled();
    } finally {
      prototype.create = create;
    }
  });
});
