import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { RedisClientType } from '@redis/client';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { eventually, RedisServer } from '../support/redis.js';

/** The rights that docs/security.md grants, as the arguments of ACL SETUSER. */
function documentedRules(): string[] {
  const page = readFileSync('docs/security.md', 'utf8');
  const block = /```text\nACL SETUSER shop (on [\s\S]*?)```/.exec(page)![1]!;
  return block.trim().split(/\s+/);
}

describe('the rights of a Redis user in the documentation', () => {
  let server: RedisServer;
  let admin: RedisClientType;
  const warned: string[] = [];

  beforeAll(async () => {
    server = await RedisServer.start();
    admin = await server.client();
    await admin.sendCommand(['ACL', 'SETUSER', 'shop', ...documentedRules()]);
    // Redis 7.0 has no such command.
    await admin.sendCommand(['ACL', 'SETUSER', 'shop', '+client|setinfo']).catch(() => undefined);
  });
  afterAll(() => server.dispose());

  /** An application with every feature that uses Redis: its cache, locks, messages, metrics, policies, fleet and hot keys. */
  async function start() {
    @Module({
      imports: [
        CacheObservabilityModule.forRoot({
          namespace: 'shop',
          layers: [
            memoryLayer(),
            redisLayer({ url: `redis://shop:password@127.0.0.1:${server.port}`, deadline: 5_000 }),
          ],
          fleet: true,
          persistence: true,
          prometheus: false,
        }),
      ],
    })
    class Application {}
    const warn = (entry: unknown) => void warned.push(String((entry as { code?: unknown }).code ?? entry));
    const app = await NestFactory.create(Application, { logger: { log: () => undefined, warn, error: warn } });
    await app.init();
    return { app, cache: app.get(ObservedCache) };
  }

  it('the documented rights of a Redis user are exactly the rights that the cache needs', async () => {
    const [one, other] = [await start(), await start()];
    // A value of another program under one of our keys, which the scripts remove.
    await admin.set('shop:~{shop}tags', 'text');
    expect(await one.cache.getOrSet('a', () => 1, { lock: true, tags: ['red'] })).toBe(1);
    await eventually(async () => (await other.cache.get('a')) === 1, 'the value is stored', 20_000);
    await one.cache.mset([
      { key: 'b:1', value: 1 },
      { key: 'b:2', value: 2, ttl: 0 },
    ]);
    expect(await other.cache.mget(['b:1', 'b:2'])).toEqual([1, 2]);
    await one.cache.del('b:1');
    await one.cache.invalidateTags('red');
    await one.cache.deleteByPattern('b:*');
    await eventually(() => other.cache.peek('b:2') === undefined, 'the message arrives', 20_000);
    expect(await other.cache.mget(['a', 'b:1', 'b:2'])).toEqual([undefined, undefined, undefined]);
    await one.cache.clear();
    const [, layer] = one.cache.layers;
    expect((await layer!.serverInfo!())?.redisVersion).toMatch(/^\d/);
    const map = layer!.sharedMap!('notes');
    await map.publish('here', Buffer.from('note'), 60_000);
    expect([...(await map.readAll()).keys()]).toEqual(['here']);
    await map.read('here');
    await map.withdraw('here');
    await one.app.close();
    await other.app.close();
    expect(warned).toEqual([]);
    expect(await admin.sendCommand(['ACL', 'LOG'])).toEqual([]);
    const stats = await admin.info('commandstats');
    const granted = documentedRules().flatMap((rule) => (rule.startsWith('+') ? [rule.slice(1)] : []));
    // Subscribers ping every three seconds, and this test may be shorter.
    const unused = granted.filter((command) => command !== 'ping' && !stats.includes(`cmdstat_${command}:`));
    expect([granted.length > 20, unused]).toEqual([true, []]);
  }, 60_000);
});
