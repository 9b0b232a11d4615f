// One variant of a small application in a separate process: node http-server.mjs ADAPTER VARIANT BYTES. It prints its
// port.
import 'reflect-metadata';
import { createServer } from 'node:http';
import { Controller, Get, Module, Query, UseGuards, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheInterceptor, CacheModule } from '@nestjs/cache-manager';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ExpressAdapter } from '@nestjs/platform-express';

const [adapter, variant, bytes] = process.argv.slice(2);

/** A JSON response of about `bytes` bytes, with the kind of objects that APIs return. */
function payload(size) {
  const items = [];
  for (let id = 1; JSON.stringify({ items }).length < size; id++) {
    items.push({
      id,
      name: `Product number ${id}`,
      price: id * 1.25,
      inStock: id % 3 !== 0,
      tags: ['new', `t${id % 7}`],
    });
  }
  return { items };
}
const body = payload(Number(bytes));

const apply = (decorators, target, key) => {
  const descriptor = Object.getOwnPropertyDescriptor(target, key);
  let current = descriptor;
  for (const decorator of decorators) current = decorator(target, key, current) ?? current;
  Object.defineProperty(target, key, current);
};

async function nest(imports, decorators) {
  class AnswerController {
    answer() {
      return body;
    }
  }
  Query('n')(AnswerController.prototype, 'answer', 0);
  apply([...decorators, Get('answer')], AnswerController.prototype, 'answer');
  Controller()(AnswerController);
  class AppModule {}
  Module({ imports, controllers: [AnswerController] })(AppModule);
  const platform = adapter === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(AppModule, platform, { logger: false });
  await app.listen(0, '127.0.0.1');
  return app.getHttpServer().address().port;
}

class NoOp {
  intercept(_context, next) {
    return next.handle();
  }
}

class OpenGuard {
  canActivate() {
    return true;
  }
}

async function ours(options = {}, cached = {}, others = []) {
  const { CacheObservabilityModule, Cached } = await import('nestjs-cache-observability');
  return nest(
    [CacheObservabilityModule.forRoot({ prometheus: { defaultMetrics: false }, ttl: '1h', ...options })],
    [Cached('answer:*', { ttl: '1h', ...cached }), ...others],
  );
}

/** The usual interceptor around prom-client. */
async function promInterceptor() {
  const { Counter, Histogram } = await import('prom-client');
  const { tap } = await import('rxjs');
  const requests = new Counter({ name: 'bench_requests_total', help: 'requests', labelNames: ['route', 'result'] });
  const duration = new Histogram({ name: 'bench_duration_seconds', help: 'duration', labelNames: ['route'] });
  return class {
    intercept(context, next) {
      const end = duration.startTimer({ route: '/answer' });
      return next.handle().pipe(
        tap(() => {
          end();
          requests.inc({ route: '/answer', result: 'hit' });
        }),
      );
    }
  };
}

const variants = {
  uncached: () => nest([], []),
  'uncached, behind a guard': () => nest([], [UseGuards(OpenGuard)]),
  'no-op interceptor': () => nest([], [UseInterceptors(NoOp)]),
  'cache-manager': () => nest([CacheModule.register({ ttl: 3_600_000 })], [UseInterceptors(CacheInterceptor)]),
  'cache-manager, CacheableMemory': async () => {
    const [{ CacheableMemory }, { Keyv }] = await Promise.all([import('cacheable'), import('keyv')]);
    const stores = [new Keyv({ store: new CacheableMemory({ ttl: 3_600_000, lruSize: 5000 }) })];
    return nest([CacheModule.register({ stores, ttl: 3_600_000 })], [UseInterceptors(CacheInterceptor)]);
  },
  'cache-manager and prom-client': async () =>
    nest(
      [CacheModule.register({ ttl: 3_600_000 })],
      [UseInterceptors(CacheInterceptor), UseInterceptors(await promInterceptor())],
    ),
  ours: () => ours(),
  'ours, standard headers': () => ours({ http: { headers: 'standard' } }),
  'ours, behind a guard': () => ours({}, {}, [UseGuards(OpenGuard)]),
  'ours, no metrics': () => ours({ metrics: false }),
  'ours, tracing without SDK': () => ours({ tracing: true }),
  'ours, fast lane': () => ours({}, { fastLane: true }),
  'node:http': async () => {
    const buffer = Buffer.from(JSON.stringify(body));
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': buffer.length });
      response.end(buffer);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server.address().port;
  },
};

if (!(variant in variants))
  throw new Error(`Unknown variant ${variant}. Use one of ${Object.keys(variants).join(', ')}`);
console.log(`port ${await variants[variant]()}`);
