import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
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
import { CacheObservabilityModule, type MonitoringOptions, ObservedCache } from '../../lib/index.js';
import { CpuProfiler } from '../../lib/profiling/cpu-profile.js';
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

/** Rejects everything, as a ValidationPipe with `whitelist` and `forbidNonWhitelisted` does for a parameter without a class. */
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
const runIn = (env: string | undefined): void => {
  if (env === undefined) delete process.env['NODE_ENV'];
  else process.env['NODE_ENV'] = env;
};
// A real profile occupies the process of the tests for a second; here only the access to it counts.
beforeAll(() => void jest.spyOn(CpuProfiler.prototype, 'take').mockResolvedValue({}));
afterEach(async () => {
  runIn(environment);
  await closeApps();
});

const WRITES = ['/cache/warm', '/cache/reset-metrics', '/cache/invalidate', '/cache/cpu-profile'];
/** A valid body for each route. */
const BODIES: Record<string, object> = {
  '/cache/invalidate': { keys: ['none'] },
  '/cache/cpu-profile': { seconds: 0.01 },
};
/** The origin headers of browsers, and the expected status. */
const CROSS_SITE: readonly (readonly [headers: Record<string, string>, status: number])[] = [
  [{ 'Sec-Fetch-Site': 'cross-site' }, 403],
  [{ 'Sec-Fetch-Site': 'same-site', Origin: 'http://other.shop.test' }, 403],
  [{ 'Sec-Fetch-Site': 'cross-site', Host: 'shop.test', Origin: 'http://shop.test' }, 403],
  [{ 'Sec-Fetch-Site': 'same-origin' }, 200],
  [{ 'Sec-Fetch-Site': 'none' }, 200],
  [{ Host: 'shop.test', Origin: 'https://evil.test' }, 403],
  [{ Host: 'shop.test', Origin: 'http://shop.test:8080' }, 403],
  [{ Host: 'shop.test', Origin: 'http://shop.test.evil.test' }, 403],
  [{ Host: 'shop.test', Origin: 'null' }, 403],
  [{ Host: 'shop.test', Origin: 'http://evil.test', 'X-Forwarded-Host': 'evil.test' }, 403],
  [{ Host: 'shop.test', Origin: 'https://shop.test' }, 200],
  [{ Host: 'shop.test:443', Origin: 'https://shop.test' }, 200],
  [{ Host: 'shop.test', Origin: 'https://admin.shop.test' }, 200],
  [{ 'Sec-Fetch-Site': 'same-site', Origin: 'https://admin.shop.test' }, 200],
  [{ Host: 'shop.test', Origin: 'http://admin.shop.test' }, 403],
];
const bodyOf = (path: string): object => BODIES[path] ?? {};

describe.each(platforms)('access to the monitoring routes on %s', (platform) => {
  it('guards inject providers that their modules export', async () => {
    const { ask } = await start(platform, { guards: [AdminGuard], imports: [SecretsModule] });
    for (const path of ['stats', 'info', 'health']) await ask().get(`/cache/${path}`).expect(403);
    await ask().post('/cache/reset-metrics').expect(403);
    await ask().get('/cache/stats').set('x-token', 'open sesame').expect(200);
    await ask().post('/cache/reset-metrics').set('x-token', 'open sesame').expect(200);
  });

  it('guards may be given as objects', async () => {
    const { ask } = await start(platform, { guards: [{ canActivate: () => false }] });
    expect((await ask().get('/cache/stats').expect(403)).headers['cache-control']).toBe('no-store');
  });

  it('a global guard lets requests pass by a decorator of the application', async () => {
    const guard = { provide: APP_GUARD, useClass: EverybodyStaysOut };
    const closed = await start(platform, {}, [guard]);
    await closed.ask().get('/cache/stats').expect(403);
    const open = await start(platform, { decorators: [Public()] }, [guard]);
    await open.ask().get('/cache/stats').expect(200);
    await open.ask().get('/metrics').expect(200);
    await closed.ask().get('/cache/stats').expect(403);
  });

  describe.each(WRITES)('POST %s', (path) => {
    it('POST %s is refused without guards unless NODE_ENV is development or test', async () => {
      const { ask } = await start(platform, {});
      for (const env of ['production', 'Production', 'prod', 'staging', 'dev', 'development ']) {
        runIn(env);
        expect((await ask().post(path).send(bodyOf(path)).expect(403)).body).toEqual({
          statusCode: 403,
          code: 'WRITES_DISABLED',
          message: expect.stringMatching(
            new RegExp(`NODE_ENV is ${env}.*monitoring\\.guards.*monitoring\\.allowUnguarded`),
          ),
        });
        await ask().get('/cache/stats').expect(200);
      }
      for (const env of ['development', 'test']) {
        runIn(env);
        await ask().post(path).send(bodyOf(path)).expect(200);
      }
    });

    it('POST %s accepts only direct requests of this machine if NODE_ENV is not set', async () => {
      const { ask } = await start(platform, {});
      for (const env of [undefined, '']) {
        runIn(env);
        await ask().post(path).send(bodyOf(path)).expect(200);
        for (const [name, value] of [
          ['X-Forwarded-For', '127.0.0.1'],
          ['Forwarded', 'for=127.0.0.1'],
          ['X-Real-IP', '127.0.0.1'],
          ['Via', '1.1 proxy'],
          ['Host', 'rebound.test'],
        ] as const) {
          const { body } = await ask().post(path).set(name, value).send(bodyOf(path)).expect(403);
          expect(body).toMatchObject({
            code: 'WRITES_DISABLED',
            message: expect.stringMatching(/NODE_ENV is not set/),
          });
        }
      }
    });

    it('POST %s is open behind guards, or if the application opens it', async () => {
      for (const monitoring of [
        { guards: [{ canActivate: () => true }] },
        { writeGuards: [{ canActivate: () => true }] },
        { allowUnguarded: true },
      ]) {
        const { ask } = await start(platform, monitoring);
        for (const env of ['production', undefined]) {
          runIn(env);
          await ask().post(path).set('Host', 'shop.test').send(bodyOf(path)).expect(200);
        }
      }
    });

    it('POST %s is guarded by writeGuards, which no other route uses', async () => {
      const { ask } = await start(platform, { writeGuards: [AdminGuard], imports: [SecretsModule] });
      await ask().post(path).send(bodyOf(path)).expect(403);
      await ask().get('/cache/stats').expect(200);
      await ask().post(path).set('x-token', 'open sesame').send(bodyOf(path)).expect(200);
    });

    it('POST %s refuses pages of other sites', async () => {
      const { ask } = await start(platform, { allowUnguarded: true, origins: ['https://admin.shop.test'] });
      for (const [headers, status] of CROSS_SITE) {
        const { body } = await ask().post(path).set(headers).send(bodyOf(path));
        expect([headers, body.code ?? 200]).toEqual([headers, status === 403 ? 'CROSS_SITE_REQUEST' : 200]);
      }
    });

    it('POST %s accepts no body but JSON', async () => {
      const { app, ask } = await start(platform, { guards: [{ canActivate: () => true }] });
      await app.get(ObservedCache).set('a', 1);
      for (const [type, body] of [
        ['application/x-www-form-urlencoded', 'keys=a'],
        ['text/plain', '{"keys":["a"]}'],
        ['multipart/form-data; boundary=x', '--x--'],
        ['application/jsonp', '{"keys":["a"]}'],
      ] as const) {
        await ask().post(path).set('Content-Type', type).send(body).expect(415);
        expect(await app.get(ObservedCache).get('a')).toBe(1);
      }
    });
  });

  it('JSON is accepted with any parameters, and an absent body if none is needed', async () => {
    const { ask } = await start(platform, {});
    const type = 'Application/JSON; charset=utf-8';
    await ask().post('/cache/invalidate').set('Content-Type', type).send('{"keys":["a"]}').expect(200);
    await ask().post('/cache/reset-metrics').expect(200);
  });

  it('the exposition is guarded by prometheus.guards', async () => {
    const { ask } = await boot(platform, {
      imports: [
        CacheObservabilityModule.forRoot({
          monitoring: { imports: [SecretsModule] },
          prometheus: { guards: [AdminGuard], defaultMetrics: false },
        }),
      ],
    });
    await ask().get('/metrics').expect(403);
    await ask().get('/cache/stats').expect(200);
    expect((await ask().get('/metrics').set('x-token', 'open sesame').expect(200)).text).toMatch(/^# HELP /);
  });

  it('global interceptors, filters and pipes do not change the responses', async () => {
    const { app, ask } = await start(platform, {}, [
      { provide: APP_INTERCEPTOR, useClass: Envelope },
      { provide: APP_INTERCEPTOR, useClass: CacheInterceptor },
      { provide: APP_PIPE, useClass: NothingPasses },
      { provide: APP_FILTER, useClass: Teapot },
    ]);
    for (let request = 0; request < 2; request++) {
      const { body, headers } = await ask().get('/cache/stats?window=1m').expect(200);
      // Neither answered by the application's own CacheInterceptor nor counted as an access of its cache.
      expect(body).toMatchObject({ window: '1m', total_requests: 0, sets: 0 });
      expect(headers).not.toHaveProperty('x-cache');
      await ask().get('/metrics').expect(200);
    }
    await app.get(ObservedCache).get('a');
    expect((await ask().get('/cache/stats?window=1m')).body.total_requests).toBe(1);
    expect((await ask().get('/cache/stats?window=2m').expect(400)).body.code).toBe('INVALID_PARAMETER');
    await ask()
      .post('/cache/invalidate')
      .send({ keys: ['a'] })
      .expect(200);
    expect((await ask().get('/metrics').expect(200)).text).toMatch(/^# HELP /);
  });

  it('the OpenAPI document contains the routes only if monitoring.swagger is set', async () => {
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
        expect.objectContaining({ name: 'cache', in: 'query', required: false }),
      ],
    });
    expect(described.paths['/cache/invalidate']?.post?.requestBody).toBeDefined();
    expect(Object.keys((await document(false)).paths).filter((path) => path.startsWith('/cache'))).toEqual([]);
  });
});
