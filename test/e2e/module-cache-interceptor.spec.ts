import { CACHE_MANAGER, CacheInterceptor } from '@nestjs/cache-manager';
import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  type NestInterceptor,
  type Provider,
  Scope,
} from '@nestjs/common';
import { APP_INTERCEPTOR, Reflector } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { from, mergeMap, type Observable, of, tap } from 'rxjs';
import { register } from 'prom-client';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { CacheMetrics } from '../../lib/metrics/cache-metrics.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { boot, closeApps, platforms } from '../support/apps.js';

let calls: number;

@Controller('app')
class Application {
  @Get()
  all() {
    return { call: ++calls };
  }
}

/** Uses one key for every request. */
@Injectable()
class OneKey extends CacheInterceptor {
  protected override trackBy(): string {
    return 'everything';
  }
}

/** A custom cache of the application that is not visible outside. */
@Injectable()
class Own implements NestInterceptor {
  readonly #cache: ObservedCache;

  constructor(@Inject(CACHE_MANAGER) cache: ObservedCache) {
    this.#cache = cache;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { url } = context.switchToHttp().getRequest<{ url: string }>();
    return from(this.#cache.get(url)).pipe(
      mergeMap((kept) =>
        kept === undefined ? next.handle().pipe(tap((value) => void this.#cache.set(url, value ?? null))) : of(kept),
      ),
    );
  }
}

/** Request-scoped. */
@Injectable({ scope: Scope.REQUEST })
class OfRequest extends CacheInterceptor {}

const variants: [string, Provider[]][] = [
  ['CacheInterceptor', [{ provide: APP_INTERCEPTOR, useClass: CacheInterceptor }]],
  ['a subclass with custom keys', [{ provide: APP_INTERCEPTOR, useClass: OneKey }]],
  ['an interceptor that is given the cache', [{ provide: APP_INTERCEPTOR, useClass: Own }]],
  ['a request-scoped interceptor', [{ provide: APP_INTERCEPTOR, useClass: OfRequest }]],
  [
    'a factory',
    [
      {
        provide: APP_INTERCEPTOR,
        inject: [CACHE_MANAGER, Reflector],
        useFactory: (cache: ObservedCache, reflector: Reflector) => {
          const interceptor = new CacheInterceptor(cache, reflector);
          (interceptor as unknown as { trackBy: unknown }).trackBy = (context: ExecutionContext) =>
            context.switchToHttp().getRequest<{ url: string }>().url;
          return interceptor;
        },
      },
    ],
  ],
];

beforeEach(() => {
  calls = 0;
  register.clear();
});
afterEach(closeApps);

describe.each(platforms)('with a CacheInterceptor, on %s', (platform) => {
  it.each(variants)('routes of the module are neither cached nor counted: %s', async (_, providers) => {
    const { ask, app } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot({ prometheus: { defaultMetrics: false } })],
      controllers: [Application],
      providers,
    });
    const metrics = app.get(CacheMetrics);
    const before = metrics.getStats();
    for (let turn = 0; turn < 2; turn++) {
      await ask()
        .get('/metrics')
        .timeout(2_000)
        .expect(200)
        .expect(/cache_/);
      const answer = await ask().get('/cache/stats').timeout(2_000).expect(200);
      expect(answer.headers['x-cache']).toBeUndefined();
      await ask().get('/cache/health').timeout(2_000).expect(200);
    }
    expect(metrics.getStats()).toEqual({ ...before, coverageSeconds: expect.any(Number) });
  });

  it('routes of the application are still cached by the CacheInterceptor', async () => {
    const { ask } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot({ prometheus: false })],
      controllers: [Application],
      providers: [{ provide: APP_INTERCEPTOR, useClass: CacheInterceptor }],
    });
    for (let turn = 0; turn < 2; turn++) await ask().get('/app').expect({ call: 1 });
  });

  it("the exposition of the application's PrometheusModule is not cached", async () => {
    const { ask, app } = await boot(platform, {
      imports: [
        PrometheusModule.register({ defaultMetrics: { enabled: false } }),
        CacheObservabilityModule.forRoot({ prometheus: { defaultMetrics: false } }),
      ],
      controllers: [Application],
      providers: [{ provide: APP_INTERCEPTOR, useClass: CacheInterceptor }],
    });
    const before = app.get(CacheMetrics).getStats().totalRequests;
    for (let turn = 0; turn < 2; turn++) await ask().get('/metrics').timeout(2_000).expect(200);
    expect(app.get(CacheMetrics).getStats().totalRequests).toBe(before);
  });
});
