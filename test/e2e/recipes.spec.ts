import 'reflect-metadata';
import { readdirSync, readFileSync } from 'node:fs';
import {
  type CanActivate,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Get,
  Injectable,
  Param,
  Post,
  Query,
  UseGuards,
} from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Cached,
  CacheHealthIndicator,
  CacheInvalidate,
  cacheKeyOf,
  CacheMetrics,
  cacheMetricsOf,
  CacheObservabilityModule,
  CacheWarmer,
  ObservedCache,
  WarmingStrategy,
} from 'nestjs-cache-observability';
import { boot, closeApps, platforms } from '../support/apps.js';

interface User {
  readonly id: string;
}
interface Product {
  readonly id: string;
}
interface Storefront {
  readonly products: readonly Product[];
}

const asked: string[] = [];
const prometheus = false;

afterEach(async () => {
  asked.length = 0;
  await closeApps();
});

/** Removes formatting from code. */
const bare = (code: string) => code.replace(/\/\/ .*|^export |\s|[,;]/g, '');

describe('the recipes', () => {
  it('the tests run the code of the recipes as documented', () => {
    const run = readdirSync(import.meta.dirname)
      .filter((name) => /^recipes.*\.spec\.ts$/.test(name))
      .map((name) => bareLines(readFileSync(`${import.meta.dirname}/${name}`, 'utf8')).join(''))
      .join('\n');
    const written = [...readFileSync('docs/recipes.md', 'utf8').matchAll(/```ts\n(.*?)```/gs)]
      .flatMap(([, code]) => bareLines(code!))
      .filter((line) => /\w/.test(line) && !line.includes('…') && !line.startsWith('import'));

    expect(written.length).toBeGreaterThan(80);
    expect(written.filter((line) => !run.includes(line))).toEqual([]);
  });

  const bareLines = (code: string) => code.split('\n').map(bare);
});

describe.each(platforms)('the recipes on %s', (platform) => {
  it('a recipe warms a cold cache before its first visitor, by requests and by a strategy', async () => {
    @Injectable()
    class Categories {
      async top(limit: number) {
        return [{ slug: 'vinyl' }, { slug: 'lamps' }, { slug: 'wool' }].slice(0, limit);
      }
      async page(slug: string) {
        asked.push(slug);
        return { slug };
      }
    }

    const CATEGORY_KEY = 'category:{params.slug}'; // @Cached(CATEGORY_KEY) on the handler
    const categoryKey = (slug: string) => cacheKeyOf(CATEGORY_KEY, { params: { slug } });

    @WarmingStrategy({ name: 'top-categories', cron: '0 0 * * * *', ttl: '15m' })
    class TopCategories implements WarmingStrategy {
      constructor(private readonly categories: Categories) {}

      async *entries(signal: AbortSignal) {
        for (const { slug } of await this.categories.top(5)) {
          if (signal.aborted) return;
          yield { key: categoryKey(slug), load: () => this.categories.page(slug) };
        }
      }
    }

    @Controller()
    class Pages {
      constructor(private readonly categories: Categories) {}

      @Get('discover')
      @Cached('feed:*', {
        ttl: '5m',
        warm: [{}, { query: { page: '2' } }, { query: { page: '3' } }],
      })
      discover(@Query('page') page = '1') {
        asked.push(page);
        return { page };
      }

      @Get('categories/:slug')
      @Cached(CATEGORY_KEY)
      category(@Param('slug') slug: string) {
        return this.categories.page(slug);
      }
    }

    const { app, ask } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot({ prometheus, warming: { onStartup: true, blockReadiness: true } })],
      controllers: [Pages],
      providers: [Categories, TopCategories],
    });
    const warmer = app.get(CacheWarmer);
    await warmer.warmAll();
    const loads = asked.length;

    for (const path of ['discover', 'discover?page=3', 'categories/vinyl', 'categories/wool']) {
      expect((await ask().get(`/${path}`).expect(200)).headers['x-cache']).toBe('HIT');
    }
    expect(asked).toHaveLength(loads);

    const [product, first, second] = [{ id: '42' }, { id: '1' }, { id: '2' }];
    await warmer.warmAll();
    await warmer.warm('top-categories');
    await warmer.warmSpecificKey('product:42', product, '10m');
    await warmer.warmBatch({ 'product:1': first, 'product:2': second }, '10m'); // one round trip a layer
    expect(await app.get(ObservedCache).mget(['product:42', 'product:1', 'product:2'])).toEqual([
      product,
      first,
      second,
    ]);
  });

  it('a recipe gives each user a separate basket', async () => {
    const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext): User => {
      return context.switchToHttp().getRequest<{ user: User }>().user;
    });
    class SignedIn implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; user?: User }>();
        request.user = { id: request.headers['authorization']!.replace('Bearer ', '') };
        return true;
      }
    }
    @Injectable()
    class Baskets {
      of(id: string) {
        asked.push(id);
        return { owner: id };
      }
    }

    @Controller()
    @UseGuards(SignedIn)
    class BasketController {
      constructor(private readonly baskets: Baskets) {}

      @Get('basket')
      @Cached('basket:*', { ttl: '30s', vary: ['user.id'] })
      basket(@CurrentUser() user: User) {
        return this.baskets.of(user.id);
      }
    }

    const { ask } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot({ prometheus })],
      controllers: [BasketController],
      providers: [Baskets],
    });
    const basketOf = (user: string) => ask().get('/basket').set('Authorization', `Bearer ${user}`).expect(200);

    for (const user of ['ann', 'bob', 'ann', 'bob']) expect((await basketOf(user)).body).toEqual({ owner: user });
    const { headers } = await basketOf('ann');
    expect(headers['x-cache']).toBe('HIT');
    expect(headers['cache-control']).toContain('private');
    expect(asked).toEqual(['ann', 'bob']);
  });

  it('a recipe fails the boot if a basket could reach another user', async () => {
    const CurrentUser = createParamDecorator(() => ({ id: 'ann' }));
    @Controller()
    class Careless {
      @Get('basket')
      @Cached('basket:*', { ttl: '30s' })
      basket(@CurrentUser() user: User) {
        return user.id;
      }
    }

    await expect(
      boot(platform, { imports: [CacheObservabilityModule.forRoot({ prometheus })], controllers: [Careless] }),
    ).rejects.toThrow(/Careless\.basket[^]*vary[^]*key[^]*shared/);
  });

  it('a recipe caches a method of a service, and shows its statistics', async () => {
    @Injectable()
    class Recommendations {
      @Cached('recommendation:*', { ttl: '1h', jitter: 0.2 })
      async alsoBought(productId: number): Promise<Product[]> {
        asked.push(String(productId));
        return [{ id: `${productId}-too` }];
      }

      twice(productId: number) {
        return Promise.all([this.alsoBought(productId), this.alsoBought(productId)]);
      }
    }
    const { app } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot({ prometheus })],
      providers: [Recommendations],
    });
    const recommendations = app.get(Recommendations);
    await recommendations.alsoBought(1);
    await recommendations.twice(1);
    await recommendations.alsoBought('1' as never);

    expect(asked).toEqual(['1', '1']);
    expect(cacheMetricsOf(recommendations, 'alsoBought').getStats('1h').hitRate).toBe(0.5);
    expect(app.get(CacheMetrics).getPatternStats('recommendation:*')).toMatchObject({ cacheHits: 2, cacheMisses: 2 });
  });

  it('a recipe shows a new stock on every page that contains it', async () => {
    let stock = 5;
    @Controller('products')
    class Products {
      @Get(':id')
      @Cached('product:{params.id}', { tags: ['product:{params.id}'] })
      page(@Param('id') id: string) {
        return { id, stock };
      }

      @Get('sellers/:id')
      @Cached('seller:{params.id}', { tags: ({ products }: Storefront) => products.map(({ id }) => `product:${id}`) })
      storefront(@Param('id') id: string) {
        return { id, products: [{ id: '42', stock }] };
      }

      @Post(':id/purchase')
      @CacheInvalidate({ tags: ['product:{params.id}'] })
      purchase(@Param('id') id: string) {
        return { id, stock: --stock };
      }
    }
    const { app, ask } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot({ prometheus })],
      controllers: [Products],
    });
    const stocks = async () => [
      (await ask().get('/products/42')).body.stock,
      (await ask().get('/products/sellers/7')).body.products[0].stock,
    ];
    expect(await stocks()).toEqual([5, 5]);
    await ask().post('/products/42/purchase').expect(201);
    expect(await stocks()).toEqual([4, 4]);

    const cache = app.get(ObservedCache);
    stock = 3;
    await cache.del('product:42');
    await cache.deleteByPattern('seller:*');
    expect(await stocks()).toEqual([3, 3]);
    stock = 2;
    await cache.invalidateTags('product:42');
    expect(await stocks()).toEqual([2, 2]);
  });

  it('a recipe reports the health of the cache to the orchestrator', async () => {
    @Controller('health')
    class HealthController {
      constructor(
        private readonly health: HealthCheckService,
        private readonly cache: CacheHealthIndicator,
      ) {}

      @Get()
      @HealthCheck()
      check() {
        return this.health.check([() => this.cache.isHealthy('cache')]);
      }
    }
    const { ask } = await boot(platform, {
      imports: [TerminusModule, CacheObservabilityModule.forRoot({ prometheus })],
      controllers: [HealthController],
    });

    expect((await ask().get('/health').expect(200)).body).toMatchObject({ details: { cache: { status: 'up' } } });
  });
});
