import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type ArgumentMetadata,
  BadRequestException,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  Module,
  type NestInterceptor,
  type PipeTransform,
  SetMetadata,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, Reflector } from '@nestjs/core';
import { CacheInterceptor } from '@nestjs/cache-manager';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { map } from 'rxjs';
import { CacheObservabilityModule, type MonitoringOptions } from '../../lib/index.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';

@Injectable()
class Secrets {
  readonly token = 'open sesame';
}

@Module({ providers: [Secrets], exports: [Secrets] })
class SecretsModule {}

@Injectable()
class AdminGuard implements CanActivate {
  constructor(@Inject(Secrets) private readonly secrets: Secrets) {}

  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest().headers['x-token'] === this.secrets.token;
  }
}

const Public = () => SetMetadata('public', true);

@Injectable()
class EverybodyStaysOut implements CanActivate {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    return this.reflector.get<boolean>('public', context.getClass()) === true;
  }
}

@Injectable()
class Envelope implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

/** As a ValidationPipe with `whitelist` and `forbidNonWhitelisted` over a parameter without a class. */
@Injectable()
class NothingPasses implements PipeTransform {
  transform(_value: unknown, { type }: ArgumentMetadata): never {
    throw new BadRequestException(`${type} is not allowed`);
  }
}

class Teapot {
  catch(
    _error: unknown,
    host: { getArgByIndex(index: number): { status?(code: number): unknown; code?(code: number): unknown } },
  ) {
    const response = host.getArgByIndex(1) as any;
    (response.status?.(418) ?? response.code(418)).send({ teapot: true });
  }
}

const start = (platform: Platform, monitoring: MonitoringOptions, providers: any[] = []) =>
  boot(platform, {
    imports: [CacheObservabilityModule.forRoot({ monitoring, prometheus: { defaultMetrics: false } })],
    providers,
  });

const environment = process.env['NODE_ENV'];
afterEach(async () => {
  process.env['NODE_ENV'] = environment;
  await closeApps();
});

describe.each(platforms)('access to the monitoring routes on %s', (platform) => {
  it('is decided by guards that inject what modules of theirs export', async () => {
    const { ask } = await start(platform, { guards: [AdminGuard], imports: [SecretsModule] });
    for (const path of ['stats', 'info', 'health']) await ask().get(`/cache/${path}`).expect(403);
    await ask().post('/cache/reset-metrics').expect(403);
    await ask().get('/cache/stats').set('x-token', 'open sesame').expect(200);
    await ask().post('/cache/reset-metrics').set('x-token', 'open sesame').expect(200);
  });

  it('is decided by guards given as objects', async () => {
    const { ask } = await start(platform, { guards: [{ canActivate: () => false }] });
    expect((await ask().get('/cache/stats').expect(403)).headers['cache-control']).toBe('no-store');
  });

  it('passes a global guard by a decorator that this looks for', async () => {
    const guard = { provide: APP_GUARD, useClass: EverybodyStaysOut };
    const closed = await start(platform, {}, [guard]);
    await closed.ask().get('/cache/stats').expect(403);
    const open = await start(platform, { decorators: [Public()] }, [guard]);
    await open.ask().get('/cache/stats').expect(200);
    await open.ask().get('/metrics').expect(200);
    await closed.ask().get('/cache/stats').expect(403);
  });

  it.each(['/cache/warm', '/cache/reset-metrics', '/cache/invalidate'])(
    'to POST %s is refused in production while nothing protects it, with the reason',
    async (path) => {
      const { ask } = await start(platform, {});
      process.env['NODE_ENV'] = 'production';
      expect((await ask().post(path).send({}).expect(403)).body).toEqual({
        statusCode: 403,
        code: 'WRITES_DISABLED',
        message: expect.stringMatching(/NODE_ENV is production.*monitoring\.guards.*monitoring\.allowUnguarded/),
      });
      await ask().get('/cache/stats').expect(200);
    },
  );

  it('to what changes something is open in production behind guards, or where the application says so', async () => {
    process.env['NODE_ENV'] = 'production';
    const guarded = await start(platform, { guards: [{ canActivate: () => true }] });
    await guarded.ask().post('/cache/reset-metrics').expect(200);
    const allowed = await start(platform, { allowUnguarded: true });
    await allowed.ask().post('/cache/reset-metrics').expect(200);
  });

  it('is not disturbed by what the application puts around every route', async () => {
    const { ask } = await start(platform, {}, [
      { provide: APP_INTERCEPTOR, useClass: Envelope },
      { provide: APP_INTERCEPTOR, useClass: CacheInterceptor },
      { provide: APP_PIPE, useClass: NothingPasses },
      { provide: APP_FILTER, useClass: Teapot },
    ]);
    for (let time = 0; time < 2; time++) {
      expect((await ask().get('/cache/stats?window=1m').expect(200)).body).toMatchObject({ window: '1m' });
    }
    const before = (await ask().get('/cache/stats')).body.total_requests;
    expect((await ask().get('/cache/stats')).body.total_requests).not.toBe(before);
    expect((await ask().get('/cache/stats?window=2m').expect(400)).body.code).toBe('INVALID_PARAMETER');
    await ask()
      .post('/cache/invalidate')
      .send({ keys: ['a'] })
      .expect(200);
    expect((await ask().get('/metrics').expect(200)).text).toMatch(/^# HELP /);
  });

  it('is described in the OpenAPI document where asked for, and left out of it else', async () => {
    const document = async (swagger: boolean) => {
      const { app } = await start(platform, { swagger });
      return SwaggerModule.createDocument(app, new DocumentBuilder().build());
    };
    const described = await document(true);
    expect(described.paths['/cache/stats']?.get).toMatchObject({
      summary: 'Statistics of the whole cache',
      tags: ['cache'],
      parameters: [
        expect.objectContaining({ name: 'window', in: 'query', required: false }),
        expect.objectContaining({ name: 'scope', in: 'query', required: false }),
      ],
    });
    expect(described.paths['/cache/invalidate']?.post?.requestBody).toBeDefined();
    expect(Object.keys((await document(false)).paths).filter((path) => path.startsWith('/cache'))).toEqual([]);
  });
});
