// Boots an application with 200 handlers once: node http-server-startup.mjs with|without; prints milliseconds and idle memory.
import 'reflect-metadata';
import { Controller, Get, Module, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

const withCache = process.argv[2] === 'with';
const library = withCache ? await import('nestjs-cache-observability') : undefined;
const controllers = Array.from({ length: 20 }, (_, number) => {
  class C {}
  for (let index = 0; index < 10; index++) {
    const name = `handler${index}`;
    C.prototype[name] = function (page) {
      return { page };
    };
    Query('page')(C.prototype, name, 0);
    const descriptor = Object.getOwnPropertyDescriptor(C.prototype, name);
    if (library)
      Object.defineProperty(
        C.prototype,
        name,
        library.Cached(`c${number}h${index}:*`)(C.prototype, name, descriptor) ?? descriptor,
      );
    Get(name)(C.prototype, name, Object.getOwnPropertyDescriptor(C.prototype, name));
  }
  Controller(`c${number}`)(C);
  return C;
});
class AppModule {}
Module({
  imports: library ? [library.CacheObservabilityModule.forRoot({ prometheus: { defaultMetrics: false } })] : [],
  controllers,
})(AppModule);
const started = performance.now();
const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
await app.init();
await app.getHttpAdapter().getInstance().ready();
const boot = performance.now() - started;
globalThis.gc?.();
await new Promise((resolve) => setTimeout(resolve, 200));
globalThis.gc?.();
const { heapUsed, rss, arrayBuffers } = process.memoryUsage();
console.log(JSON.stringify({ boot, heap: heapUsed + arrayBuffers, rss }));
await app.close();
process.exit(0);
