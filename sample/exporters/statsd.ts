// Sends the figures of the cache to StatsD or to Datadog's agent. Needs the package hot-shots.
//   STATSD_HOST=127.0.0.1 STATSD_PORT=8125 STATSD_DIALECT=dogstatsd node sample/dist/exporters/statsd.js
import 'reflect-metadata';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cached, CacheObservabilityModule } from 'nestjs-cache-observability';
import { StatsdExporter } from 'nestjs-cache-observability/statsd';

const { STATSD_HOST, STATSD_PORT, STATSD_DIALECT, PORT } = process.env;

@Controller('products')
class ProductsController {
  @Get(':id')
  @Cached('product:{params.id}', { ttl: '10m' })
  find(@Param('id') id: string) {
    return { id, loadedAt: new Date().toISOString() };
  }
}

@Module({
  imports: [
    CacheObservabilityModule.forRoot({
      serviceName: 'shop',
      exporters: [
        new StatsdExporter({
          host: STATSD_HOST ?? '127.0.0.1',
          port: Number(STATSD_PORT ?? 8125),
          // `dogstatsd` sends labels as tags; `statsd`, for servers without tags, puts them into the names.
          dialect: STATSD_DIALECT === 'statsd' ? 'statsd' : 'dogstatsd',
          prefix: 'shop',
          interval: '10s',
        }),
      ],
    }),
  ],
  controllers: [ProductsController],
})
class ShopModule {}

const app = await NestFactory.create(ShopModule);
// What was counted since the last interval is sent when the application ends.
app.enableShutdownHooks();
await app.listen(PORT ?? 3000);
console.log(`The shop is at ${await app.getUrl()}`);
