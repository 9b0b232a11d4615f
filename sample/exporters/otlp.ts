// Sends the figures of the cache to an OpenTelemetry collector by OTLP over HTTP. Needs the packages @opentelemetry/sdk-metrics and
// @opentelemetry/exporter-metrics-otlp-http.
//   OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 node sample/dist/exporters/otlp.js
import 'reflect-metadata';
import { Controller, Get, Module, type OnApplicationShutdown, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { Cached, CacheObservabilityModule } from 'nestjs-cache-observability';
import { CacheMetricProducer } from 'nestjs-cache-observability/otel';

// The reader asks the producer for the figures of the cache, and the SDK's own meters for all others. The address of the collector is
// read from OTEL_EXPORTER_OTLP_ENDPOINT by the exporter.
const producer = new CacheMetricProducer();
const reader = new PeriodicExportingMetricReader({
  exporter: new OTLPMetricExporter(),
  metricProducers: [producer],
  exportIntervalMillis: 10_000,
});
const meters = new MeterProvider({ readers: [reader] });

@Controller('products')
class ProductsController {
  @Get(':id')
  @Cached('product:{params.id}', { ttl: '10m' })
  find(@Param('id') id: string) {
    return { id, loadedAt: new Date().toISOString() };
  }
}

@Module({
  imports: [CacheObservabilityModule.forRoot({ serviceName: 'shop', exporters: [producer] })],
  controllers: [ProductsController],
})
class ShopModule implements OnApplicationShutdown {
  /** Sends what was counted since the last interval. */
  async onApplicationShutdown(): Promise<void> {
    await meters.shutdown();
  }
}

const app = await NestFactory.create(ShopModule);
app.enableShutdownHooks();
await app.listen(process.env['PORT'] ?? 3000);
console.log(`The shop is at ${await app.getUrl()}`);
