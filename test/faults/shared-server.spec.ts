import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LoggerService } from '@nestjs/common';
import { createClient, type RedisClientType } from '@redis/client';
import { Redis } from 'ioredis';
import {
  CacheObservabilityModule,
  type LayerFactory,
  memoryLayer,
  ObservedCache,
  redisLayer,
} from '../../lib/index.js';
import { CircuitState } from '../../lib/cache/base/observer.js';
import { cacheToken } from '../../lib/cache/base/tokens.js';
import { boot, closeApps } from '../support/apps.js';
import { EventStream } from '../support/event-stream.js';
import { ManualClock } from '../support/manual-clock.js';
import { eventually, RedisServer } from '../support/redis.js';

interface Sent {
  readonly state: string;
  readonly service: string;
  readonly alert: { readonly id: string; readonly code: string; readonly caches?: readonly string[] };
}

describe('an outage of a Redis that several caches of an application use', () => {
  let server: RedisServer;
  let receiver: Server;
  let sent: Sent[];
  let lines: { level: string; code: string; message: string; caches?: string; cache?: string }[];
  const clients: { close: () => unknown }[] = [];
  /** ioredis reports a lost connection when its next attempt fails. */
  let noticed: Promise<unknown> = Promise.resolve();

  beforeEach(async () => {
    server = await RedisServer.start();
    [sent, lines] = [[], []];
    receiver = createServer((request, response) => {
      request.on('data', (part) => sent.push(JSON.parse(String(part))));
      request.on('end', () => response.end());
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await closeApps();
    for (const client of clients.splice(0)) client.close();
    await new Promise((resolve) => receiver.close(resolve));
    await server.dispose();
  });

  /** An application whose own cache and two named ones have these layers behind memory. */
  const start = async (layers: Record<'default' | 'carts' | 'sessions', LayerFactory>) => {
    const clock = new ManualClock();
    const write = (level: string) => (entry: object) =>
      void lines.push({ ...(entry as (typeof lines)[number]), level });
    const logger = { log: write('log'), warn: write('warn'), error: write('error') } as LoggerService;
    const named = (['sessions', 'carts'] as const).map((name) =>
      CacheObservabilityModule.forFeature(name, { layers: [memoryLayer(), layers[name]] }),
    );
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const root = CacheObservabilityModule.forRoot({
      namespace: 'shop',
      serviceName: 'shop',
      clock,
      layers: [memoryLayer(), layers.default],
      alerts: { webhook: { url } },
    });
    const { app, ask } = await boot('express', { imports: [root, ...named] }, { logger });
    await app.listen(0, '127.0.0.1');
    const caches = [app.get(ObservedCache), ...['sessions', 'carts'].map((name) => app.get<ObservedCache>(cacheToken(name), { strict: false }))]; // prettier-ignore
    const alerts = async (cache: string, state = 'open') =>
      (await ask().get(`/cache/alerts?state=${state}&cache=${cache}`).expect(200)).body as Sent['alert'][];
    const stream = await EventStream.open(app);
    await eventually(() => stream.of('tick').length > 0, 'a tick');
    return { app, ask, clock, caches, alerts, stream };
  };
  const of = (url: string, name?: string) => redisLayer({ url, ...(name !== undefined && { name }), deadline: 300 });
  const written = (code: string) => lines.filter((line) => line.code === code);
  const up = (caches: readonly ObservedCache[], clock: ManualClock) =>
    eventually(async () => {
      await clock.advance(1_000);
      const states = caches.map(({ layers }) => layers[1]!.status());
      return states.every(({ connected, circuitState }) => connected && circuitState === CircuitState.closed);
    }, 'every layer is back');

  it.each([
    [
      'their own connections',
      () => ({ default: of(server.url), sessions: of(`${server.url}/2`), carts: of(server.url, 'shared') }),
    ],
    [
      'one client of node-redis and one of ioredis',
      async () => {
        const node = createClient({ url: server.url }) as RedisClientType;
        node.on('error', () => undefined);
        await node.connect();
        const io = new Redis(server.port, '127.0.0.1');
        io.on('error', () => undefined);
        noticed = new Promise((resolve) => io.once('error', resolve));
        clients.push({ close: () => node.destroy() }, { close: () => io.disconnect() });
        return {
          default: redisLayer({ client: node, deadline: 300 }),
          sessions: redisLayer({ client: node, deadline: 300 }),
          carts: redisLayer({ client: io, deadline: 300 }),
        };
      },
    ],
  ])(
    'is one alert, one notification, one event and one line of each kind with %s',
    async (_how, layers) => {
      const { clock, caches, alerts, stream } = await start(await layers());
      await server.kill();
      await eventually(
        () => caches.every(({ layers: [, redis] }) => !redis!.status().connected),
        'the connections are lost',
      );
      await noticed;
      for (const cache of caches) await cache.del('gone');
      await clock.advance(60_000);
      await eventually(() => sent.length > 0, 'the notification');
      await clock.advance(60_000);
      const [own, second, third] = [
        (await alerts('default'))[0]!,
        (await alerts('carts'))[0]!,
        (await alerts('sessions'))[0]!,
      ];
      expect(own).toMatchObject({ code: 'LAYER_DOWN', subject: 'redis', caches: ['default', 'carts', 'sessions'] });
      expect([second.id, third.id]).toEqual([own.id, own.id]);
      expect(lines.filter(({ level }) => level !== 'log').map(({ code }) => code)).toEqual([
        'LAYER_LOST',
        'BUS_NOT_SENT',
        'ALERT_OPENED',
      ]);
      for (const line of lines.filter(({ level }) => level !== 'log'))
        expect(line.caches).toBe('default, carts, sessions');

      await server.up();
      await up(caches, clock);
      for (const cache of caches) await cache.del('back');
      await clock.advance(60_000);
      await clock.advance(60_000);
      await eventually(() => sent.length > 1, 'the closing');
      await eventually(() => stream.of('alert').length > 1, 'its event');
      expect(sent.map(({ state, service, alert }) => [state, service, alert.id, alert.caches])).toEqual([
        ['opened', 'shop', own.id, ['default', 'carts', 'sessions']],
        ['closed', 'shop', own.id, ['default', 'carts', 'sessions']],
      ]);
      expect(stream.of('alert')).toMatchObject([{ state: 'opened' }, { state: 'closed' }]);
      expect(await alerts('sessions')).toEqual([]);
      expect(await alerts('sessions', 'all')).toMatchObject([{ id: own.id }]);
      for (const end of ['LAYER_RESTORED', 'BUS_SENT', 'ALERT_CLOSED']) expect(written(end)).toHaveLength(1);
      stream.close();
    },
    20_000,
  );

  it('concerns no cache over another server, which has an alert of its own', async () => {
    const other = await RedisServer.start();
    const { clock, caches, alerts } = await start({
      default: of(server.url),
      sessions: of(server.url),
      carts: of(other.url),
    });
    await server.kill();
    await eventually(() => !caches[0]!.layers[1]!.status().connected, 'the connection is lost');
    await clock.advance(60_000);
    await eventually(async () => (await alerts('sessions')).length === 1, 'the alert');
    expect(await alerts('default')).toMatchObject([{ caches: ['default', 'sessions'] }]);
    expect(await alerts('carts')).toEqual([]);
    await other.kill();
    await eventually(() => !caches[2]!.layers[1]!.status().connected, 'the other connection is lost');
    await clock.advance(60_000);
    await eventually(async () => (await alerts('carts')).length === 1, 'the other alert');
    expect((await alerts('carts'))[0]).not.toHaveProperty('caches');
    expect(written('LAYER_LOST').map(({ caches: all, cache }) => all ?? cache)).toEqual(['default, sessions', 'carts']);
    await eventually(() => sent.length > 1, 'both notifications');
    expect(sent.map(({ service }) => service)).toEqual(['shop', 'shop carts']);
    await other.dispose();
  }, 20_000);
});
