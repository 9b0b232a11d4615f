import assert from 'node:assert/strict';
import { Controller, Get, type INestApplication, Inject, Injectable, Module, Query } from '@nestjs/common';
import { CACHE_MANAGER } from '@nestjs/cache-manager';
import type { Cache } from 'cache-manager';
import { CacheMetrics, Cached, cacheMetricsOf, ObservedCache, WarmingStrategy } from 'nestjs-cache-observability';

let calls = 0;

@Injectable()
class Prices {
  @Cached('price:{0}')
  async of(product: number): Promise<{ product: number; calls: number }> {
    return { product, calls: ++calls };
  }
}

@Controller('feeds')
class FeedController {
  constructor(
    private readonly prices: Prices,
    @Inject(CACHE_MANAGER) private readonly manager: Cache,
    private readonly cache: ObservedCache,
  ) {}

  @Get('discover')
  @Cached('feed:*')
  discover(@Query('page') page = '1') {
    return { page, calls: ++calls };
  }

  @Get('price')
  async price() {
    await this.manager.set('by:manager', 1);
    return {
      first: await this.prices.of(1),
      second: await this.prices.of(1),
      same: await this.cache.get('by:manager'),
    };
  }
}

@Injectable()
@WarmingStrategy({ name: 'numbers', onStartup: true })
class Numbers {
  *entries() {
    yield { key: 'number:1', value: 1 };
  }
}

@Module({ controllers: [FeedController], providers: [Prices, Numbers] })
export class Http {}

/** Hits and misses, the manager's API, routes, metrics and warming over HTTP. */
export async function askHttp(app: INestApplication, url: string) {
  const ask = (path: string) => fetch(url + path);
  assert.equal((await ask('/feeds/discover')).headers.get('x-cache'), 'MISS');
  assert.equal((await ask('/feeds/discover')).headers.get('x-cache'), 'HIT');
  const price = (await (await ask('/feeds/price')).json()) as { first: unknown; second: unknown; same: number };
  assert.deepEqual(price.first, price.second);
  assert.equal(price.same, 1);
  assert.equal((await ask('/cache/health')).status, 200);
  assert.match(await (await ask('/metrics')).text(), /cache_operations_total\{/);
  assert.ok(app.get(CacheMetrics).getStats().cacheHits >= 2);
  assert.equal((await fetch(`${url}/cache/warm`, { method: 'POST' })).status, 200);
  assert.equal(cacheMetricsOf(app.get(Prices), 'of').getStats().cacheHits, 1);
}
