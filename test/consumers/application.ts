import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Controller, Get, Inject, Injectable, Module, Query } from '@nestjs/common';
import { CACHE_MANAGER } from '@nestjs/cache-manager';
import type { Cache } from 'cache-manager';
import {
  CacheMetrics,
  CacheObservabilityModule,
  Cached,
  ObservedCache,
  WarmingStrategy,
} from 'nestjs-cache-observability';
import { create } from './platform.js';

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

@Module({
  imports: [CacheObservabilityModule.forRoot({ prometheus: { defaultMetrics: false } })],
  controllers: [FeedController],
  providers: [Prices, Numbers],
})
class AppModule {}

async function main() {
  const app = await create(AppModule);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
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
  await app.close();
  console.log('ok');
}
void main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
