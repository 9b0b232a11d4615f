// Writes the figures of the cache to standard output in CloudWatch's embedded metric format: Lambda, ECS and the CloudWatch agent make
// metrics of these lines. Needs no package and no credentials.
//   node sample/dist/exporters/cloudwatch.js
import 'reflect-metadata';
import { ConsoleLogger, Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cached, CacheObservabilityModule } from 'nestjs-cache-observability';
import { CloudWatchExporter } from 'nestjs-cache-observability/cloudwatch';

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
        new CloudWatchExporter({
          namespace: 'Shop',
          // Each combination of dimensions is billed as a metric: few values only. Patterns and routes stay properties, which
          // CloudWatch Logs Insights can search.
          dimensions: { environment: process.env['ENVIRONMENT'] ?? 'development' },
          interval: '60s',
        }),
      ],
    }),
  ],
  controllers: [ProductsController],
})
class ShopModule {}

// Every line of standard output is JSON: log lines too.
const app = await NestFactory.create(ShopModule, { logger: new ConsoleLogger({ json: true }) });
// What was counted since the last interval is written when the application ends.
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3000);
console.log(JSON.stringify({ message: `The shop is at ${await app.getUrl()}` }));
