// The ES and the CommonJS form of the built package work together in one process: node test/consumers/forms.mjs, after
// npm run build.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const name = 'nestjs-cache-observability';
const require = createRequire(import.meta.url);
const forms = { import: (specifier) => import(specifier), require: (specifier) => Promise.resolve(require(specifier)) };

async function compare(first, second) {
  for (const entry of ['', '/otel', '/statsd', '/cloudwatch', '/database', '/testing']) {
    const one = await forms[first](name + entry);
    const other = await forms[second](name + entry);
    for (const each of Object.keys(one).filter((key) => !['default', 'module.exports', '__esModule'].includes(key))) {
      assert.equal(other[each], one[each], `${entry || 'the root'} has two ${each}`);
    }
  }
}

/** The module of one form, with classes, decorators, pools and errors of the other form. */
async function together(first, second) {
  const { CacheObservabilityModule, memoryLayer } = await forms[first](name);
  const { Cached, CacheError, CacheMetrics, ObservedCache, WarmingStrategy } = await forms[second](name);
  const { databaseMetrics, DatabaseMetrics } = await forms[second](`${name}/database`);
  const { Controller, Get, Inject, Injectable, Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');

  let calls = 0;
  class Prices {
    async of(product) {
      return { product, calls: ++calls };
    }
  }
  decorated(Prices, 'of', Cached('price:{0}'));
  Injectable()(Prices);
  class Feeds {
    constructor(prices, cache) {
      Object.assign(this, { prices, cache });
    }
    list() {
      return this.prices.of(1);
    }
  }
  Inject(Prices)(Feeds, undefined, 0);
  Inject(ObservedCache)(Feeds, undefined, 1);
  decorated(Feeds, 'list', Cached('feed:*'));
  decorated(Feeds, 'list', Get());
  Controller('feeds')(Feeds);
  class Numbers {
    *entries() {
      yield { key: 'number:1', value: 1 };
    }
  }
  WarmingStrategy({ name: 'numbers' })(Numbers);
  Injectable()(Numbers);
  class AppModule {}
  Module({
    imports: [CacheObservabilityModule.forRoot({ layers: [memoryLayer()], prometheus: { defaultMetrics: false } })],
    controllers: [Feeds],
    providers: [Prices, Numbers],
  })(AppModule);

  const warnings = [];
  const logger = { log() {}, error: (entry) => warnings.push(entry), warn: (entry) => warnings.push(entry) };
  process.env.NODE_ENV = 'test';
  const app = await NestFactory.create(AppModule, { logger });
  await app.listen(0, '127.0.0.1');
  const ask = (path) => fetch(`http://127.0.0.1:${app.getHttpServer().address().port}${path}`);
  assert.equal((await ask('/feeds')).headers.get('x-cache'), 'MISS');
  assert.equal((await ask('/feeds')).headers.get('x-cache'), 'HIT');
  const { cache, prices } = app.get(Feeds);
  assert.ok(cache instanceof ObservedCache);
  assert.equal((await prices.of(1)).calls, 1);
  assert.ok(app.get(CacheMetrics).getStats().cacheHits >= 2);
  assert.equal(app.get(DatabaseMetrics), databaseMetrics);
  await assert.rejects(cache.get('x\ud800'), (error) => error instanceof CacheError && error.code === 'INVALID_KEY');
  assert.deepEqual(warnings, []);
  await app.close();
}

function decorated(cls, method, decorator) {
  const descriptor = Object.getOwnPropertyDescriptor(cls.prototype, method);
  const result = decorator(cls.prototype, method, descriptor) ?? descriptor;
  Object.defineProperty(cls.prototype, method, result);
}

const [, , first, second] = process.argv;
if (first === undefined) {
  for (const order of [
    ['import', 'require'],
    ['require', 'import'],
  ]) {
    execFileSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url), ...order],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
  }
} else {
  await together(first, second);
  await compare(first, second);
  console.log(`${first} before ${second}: ok`);
}
