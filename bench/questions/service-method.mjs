// What does a hit of a provider's @Cached method cost, including its key? Nanoseconds per awaited call, by kind of
// arguments.
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cached, CacheObservabilityModule } from 'nestjs-cache-observability';
import { interleave, nanoseconds, ratio, round } from '../harness.mjs';

export const title = 'A provider’s method: a hit through @Cached, key included, counted and timed';
export const header = ['arguments', 'ns (median)', 'quartiles', '× the plain method'];

const answer = { items: Array.from({ length: 9 }, (_, id) => ({ id, name: `Product number ${id}` })) };

class ProductService {
  async plain() {
    return answer;
  }
  async find() {
    return answer;
  }
}
const descriptor = Object.getOwnPropertyDescriptor(ProductService.prototype, 'find');
Object.defineProperty(
  ProductService.prototype,
  'find',
  Cached('product:*', { ttl: '1h' })(ProductService.prototype, 'find', descriptor) ?? descriptor,
);
Injectable()(ProductService);
class AppModule {}
Module({
  imports: [CacheObservabilityModule.forRoot({ monitoring: false, prometheus: false })],
  providers: [ProductService],
})(AppModule);

export async function measure({ short, progress }) {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const service = app.get(ProductService);
  const filter = { page: 2, sort: 'price', inStock: true };
  const calls = {
    none: () => service.find(),
    number: () => service.find(42),
    text: () => service.find('desk-lamp'),
    'number, text': () => service.find(42, 'desk-lamp'),
    'object of three': () => service.find(filter),
    'the plain method': () => service.plain(42),
  };
  for (const call of Object.values(calls)) await call();
  const results = await interleave(
    Object.entries(calls).map(([name, call]) => ({
      name,
      run: () =>
        nanoseconds(
          async (count) => {
            for (let index = 0; index < count; index++) await call();
          },
          short ? 40 : 120,
        ),
    })),
    { rounds: short ? 4 : 10, progress },
  );
  await app.close();
  const rows = Object.keys(calls).map((name) => {
    const { median, low, high } = results.get(name);
    return [
      name,
      Math.round(median),
      `${Math.round(low)}–${Math.round(high)}`,
      round(ratio(results, name, 'the plain method').median, 1),
    ];
  });
  return {
    rows,
    gates: [
      // A hit with a number may take 25 times as long as a plain awaited call of some 60 ns.
      {
        name: 'a plain call against a hit by number',
        value: ratio(results, 'the plain method', 'number').median,
        atLeast: 0.04,
      },
    ],
    data: Object.fromEntries([...results].map(([name, { values }]) => [name, values])),
  };
}
