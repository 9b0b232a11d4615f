import { Controller, Get, Param } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as api from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { cacheChannels } from '../../lib/tracing/channels.js';
import { boot, closeApps, platforms } from '../support/apps.js';

@Controller('products')
class ProductController {
  @Get(':id')
  @Cached('product:{params.id}')
  product(@Param('id') id: string) {
    return api.trace.getTracer('origin').startActiveSpan('select', (span) => {
      span.end();
      return { id };
    });
  }
}

const exporter = new InMemorySpanExporter();

beforeAll(() => {
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  api.trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
});
afterAll(() => {
  api.trace.disable();
  api.context.disable();
});
beforeEach(() => exporter.reset());
afterEach(closeApps);

const moduleWith = (options: object) => ({
  imports: [CacheObservabilityModule.forRoot({ prometheus: false, ...options })],
  controllers: [ProductController],
});

describe.each(platforms)('tracing on %s', (platform) => {
  it('a trace shows spans of the origin under the load that called it, and no key', async () => {
    const { ask } = await boot(platform, moduleWith({ tracing: { withoutParent: true } }));
    await ask().get('/products/visitor-key').expect(200);
    const spans = exporter.getFinishedSpans();
    const named = (name: string) => spans.find((span) => span.name === name)!;
    expect(named('select').parentSpanContext?.spanId).toBe(named('cache.load').spanContext().spanId);
    expect(named('cache.load').parentSpanContext?.spanId).toBe(named('cache.get').spanContext().spanId);
    expect(named('cache.get').attributes['cache.key.pattern']).toBe('product:*');
    expect(JSON.stringify(spans.map(({ name, attributes, events }) => ({ name, attributes, events })))).not.toContain(
      'visitor-key',
    );
  });

  it('a trace shows the part of a key that tracing.sanitizeKey returns', async () => {
    const sanitizeKey = (key: string, pattern: string) => `${pattern} ${key.length}`;
    const { ask } = await boot(platform, moduleWith({ tracing: { withoutParent: true, sanitizeKey } }));
    await ask().get('/products/4711').expect(200);
    const get = exporter.getFinishedSpans().find(({ name }) => name === 'cache.get')!;
    expect(get.attributes['cache.key']).toBe(`product:* ${'product:4711'.length}`);
  });

  it('exemplars of loads at /metrics link to the trace', async () => {
    const prometheus = { defaultMetrics: false };
    const { ask } = await boot(platform, moduleWith({ prometheus, tracing: { withoutParent: true } }));
    await ask().get('/products/4711').expect(200);
    const load = exporter
      .getFinishedSpans()
      .find(({ name }) => name === 'cache.load')!
      .spanContext();
    const { text, body } = await ask().get('/metrics').set('Accept', 'application/openmetrics-text').expect(200);
    expect(text ?? String(body)).toContain(`# {trace_id="${load.traceId}",span_id="${load.spanId}"} `);
    expect((await ask().get('/metrics').expect(200)).text).not.toContain('trace_id');
  });

  it('the cache creates no spans by default', async () => {
    const { ask } = await boot(platform, moduleWith({}));
    await ask().get('/products/1').expect(200);
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['select']);
  });

  it('a diagnostics channel publishes every access', async () => {
    const published: unknown[] = [];
    // Use this channel object: earlier suites in this process had channels of the same name.
    const { access } = cacheChannels();
    expect(access.name).toBe('nestjs-cache-observability:access');
    const listen = (message: unknown) => void published.push(message);
    access.subscribe(listen);
    try {
      const { ask } = await boot(platform, moduleWith({}));
      await ask().get('/products/7').expect(200);
      await ask().get('/products/7').expect(200);
      expect(published).toMatchObject([
        { pattern: 'product:*', endpoint: 'GET /products/:id', outcome: 'miss', reason: 'cold' },
        { pattern: 'product:*', endpoint: 'GET /products/:id', outcome: 'hit', layer: 'memory' },
      ]);
    } finally {
      access.unsubscribe(listen);
    }
  });
});
