// An application with traffic for the dashboard bench, in a separate process: node dashboard-server.mjs PATTERNS. It
// sends its port, and on each message the CPU time used so far.
import 'reflect-metadata';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cached, CacheObservabilityModule, ObservedCache } from 'nestjs-cache-observability';

const patterns = Number(process.argv[2]);
const ENDPOINTS = 20;
const KEYS = 50;
const ACCESSES_A_SECOND = 200;

/** A word for each pattern: digits would count as an identifier. */
const word = (n) => `kind${[...n.toString(26)].map((digit) => String.fromCharCode(97 + parseInt(digit, 26))).join('')}`;

class ItemsController {}
for (let n = 0; n < ENDPOINTS; n++) {
  const name = `items${n}`;
  ItemsController.prototype[name] = (id) => ({ id });
  Param('id')(ItemsController.prototype, name, 0);
  const descriptor = Object.getOwnPropertyDescriptor(ItemsController.prototype, name);
  Cached(`${word(n)}:{params.id}`, { ttl: '1m' })(ItemsController.prototype, name, descriptor);
  Get(`${word(n)}/:id`)(ItemsController.prototype, name, descriptor);
  Object.defineProperty(ItemsController.prototype, name, descriptor);
}
Controller()(ItemsController);

class AppModule {}
const observability = CacheObservabilityModule.forRoot({
  prometheus: false,
  metrics: { maxPatterns: Math.max(100, patterns) },
});
Module({ imports: [observability], controllers: [ItemsController] })(AppModule);
const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
const cache = app.get(ObservedCache);

let turn = 0;
const access = () => {
  const n = turn++;
  void cache.getOrSet(`${word(n % patterns)}:${Math.floor(n / patterns) % KEYS}`, async () => ({ n }), { ttl: '20s' });
};
for (let n = 0; n < 3 * patterns; n++) access();
setInterval(() => {
  for (let n = 0; n < ACCESSES_A_SECOND / 10; n++) access();
}, 100);

process.on('message', () => process.send({ cpu: process.cpuUsage() }));
process.on('disconnect', () => process.exit());
process.send({ port: app.getHttpServer().address().port });
