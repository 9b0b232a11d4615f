// An application that uses what is loaded on demand: the Redis client, cron, OpenTelemetry, prom-client, call stacks.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import * as api from '@opentelemetry/api';
import {
  Cached,
  CacheObservabilityModule,
  CacheWarmer,
  createObservedCache,
  memoryLayer,
  redisLayer,
  WarmingStrategy,
} from 'nestjs-cache-observability';

let calls = 0;

@Controller('feeds')
class FeedController {
  @Get()
  @Cached('feed:*')
  list() {
    return { calls: ++calls };
  }
}

@Injectable()
@WarmingStrategy({ name: 'nightly', cron: '0 0 3 * * *' })
class Nightly {
  *entries() {
    yield { key: 'number:1', value: 1 };
  }
}

@Module({
  imports: [
    CacheObservabilityModule.forRoot({
      namespace: 'bundle',
      layers: [memoryLayer(), redisLayer({ url: 'redis://127.0.0.1:1', deadline: '100ms' })],
      tracing: true,
      profiling: true,
    }),
  ],
  controllers: [FeedController],
  providers: [Nightly],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const ask = (path: string) => fetch(url + path);
  assert.equal((await ask('/feeds')).headers.get('x-cache'), 'MISS');
  assert.equal((await ask('/feeds')).headers.get('x-cache'), 'HIT');
  assert.deepEqual(app.get(CacheWarmer).strategies, [{ name: 'nightly', cron: '0 0 3 * * *' }]);
  assert.match(await (await ask('/metrics')).text(), /process_cpu_user_seconds_total[^]*cache_operations_total\{/);
  assert.equal((await ask('/cache/flamegraph?format=folded')).status, 200);
  await app.close();

  const cache = createObservedCache({ tracing: { api }, profiling: { every: 1 } });
  assert.equal(await cache.getOrSet('a', () => 1), 1);
  await cache.close();
  console.log('ok');
}
void main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
