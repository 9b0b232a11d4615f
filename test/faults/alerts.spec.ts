import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import { CallbackErrors } from '../../lib/cache/base/callback-errors.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import type { Alert } from '../../lib/insight/alerts/alert.js';
import { AlertNotifier } from '../../lib/insight/alerts/alert-notifier.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { ManualClock } from '../support/manual-clock.js';
import { eventually, RedisServer } from '../support/redis.js';

describe('the alerts of a fleet whose Redis is killed', () => {
  let server: RedisServer;
  const caches: ObservedCache[] = [];
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(async () => {
    await Promise.all(caches.splice(0).map((cache) => cache.close()));
    await server.dispose();
  });

  it('each instance has one alert, which names Redis, and one instance notifies', async () => {
    const notified: string[] = [];
    const fleet = ['a', 'b', 'c'].map((instance) =>
      createObservedCache({
        namespace: 'shop',
        layers: [memoryLayer(), redisLayer({ url: server.url })],
        alerts: { onAlert: ({ code, subject }) => notified.push(`${instance} ${code} ${subject}`) },
      }),
    );
    caches.push(...fleet);
    await Promise.all(fleet.map((cache) => cache.connect()));
    const client = await server.client();
    await eventually(async () => (await client.keys('*alerts:notifier*')).length === 1, 'one instance is the notifier');
    for (const cache of fleet) await cache.getOrSet('product:1', () => 1);

    await server.kill();
    let key = 2;
    const asked = async (): Promise<boolean> => {
      for (const cache of fleet) await cache.getOrSet(`product:${key++}`, () => 1);
      return fleet.every((cache) => cache.insight.alerts().length > 0);
    };
    await eventually(asked, 'every instance has an alert');
    await eventually(() => notified.length > 0, 'a notification');
    for (const cache of fleet) {
      expect(cache.insight.alerts({ state: 'all' })).toMatchObject([{ subject: 'redis', severity: 'critical' }]);
    }
    expect(notified).toHaveLength(1);
    expect(notified[0]).toMatch(/^[abc] (?:CIRCUIT_OPEN|LAYER_DOWN) redis$/);
  });

  it('an instance that starts after the last one has ended notifies of an outage', async () => {
    const notified: string[] = [];
    const start = async (instance: string) => {
      const cache = createObservedCache({
        namespace: 'shop',
        layers: [memoryLayer(), redisLayer({ url: server.url })],
        alerts: { onAlert: ({ subject }) => notified.push(`${instance} ${subject}`) },
      });
      await cache.connect();
      await eventually(async () => (await notifiers()).length === 1, 'the instance is the notifier');
      return cache;
    };
    const client = await server.client();
    const notifiers = () => client.keys('*alerts:notifier*');
    const before = await start('before');
    await before.close();
    expect(await notifiers()).toEqual([]);

    const after = await start('after');
    caches.push(after);
    await server.kill();
    let key = 0;
    const isNotified = async () => {
      await after.getOrSet(`product:${key++}`, () => 1);
      return notified.length > 0;
    };
    await eventually(isNotified, 'a notification');
    expect(notified).toEqual(['after redis']);
  });
});

describe('the closing of an alert whose notifying instance has ended', () => {
  let server: RedisServer;
  let receiver: Server;
  let bodies: { state: string; alert: { id: string; closed_at: string | null } }[];
  const caches: ObservedCache[] = [];
  beforeEach(async () => {
    server = await RedisServer.start();
    bodies = [];
    receiver = createServer((request, response) => {
      request.on('data', (part) => bodies.push(JSON.parse(String(part))));
      request.on('end', () => response.end());
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await Promise.all(caches.splice(0).map((cache) => cache.close()));
    await new Promise((resolve) => receiver.close(resolve));
    await server.dispose();
  });

  /** An instance with its own connection; the test opens and closes its alert. */
  const instance = async () => {
    const cache = createObservedCache({ namespace: 'shop', layers: [memoryLayer(), redisLayer({ url: server.url })] });
    caches.push(cache);
    await cache.connect();
    const clock = new ManualClock();
    const layer = cache.layers[1]!;
    const notifier = new AlertNotifier({
      options: { webhook: { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/` } },
      coordination: () => layer.coordination,
      notes: () => layer.sharedMap!('alerts', true),
      service: 'shop',
      clock,
      callbacks: new CallbackErrors(),
    });
    const alert: Alert = {
      id: randomUUID(), code: 'HIT_RATE_DROP', severity: 'warning', subject: 'feed:*', message: '', value: 0.5, expected: 0.9,
      openedAt: new Date(clock.now()).toISOString(), closedAt: null,
    }; // prettier-ignore
    return {
      alert,
      clock,
      open: () => notifier.take({ state: 'opened', alert }),
      close: () =>
        notifier.take({ state: 'closed', alert: { ...alert, closedAt: new Date(clock.now()).toISOString() } }),
      minute: () => notifier.beThere(),
      end: () => notifier.close(1_000),
    };
  };
  const keys = async (glob: string) => (await (await server.client()).keys(glob)) as string[];
  const notes = () => keys('*sharedMap:alerts:alerts:HIT_RATE_DROP:*');
  /** As if the two minutes of the lease had passed. */
  const expireLeases = async () => {
    const leases = (await keys('*alerts:HIT_RATE_DROP:*')).filter((key) => !key.includes('sharedMap'));
    await (await server.client()).del(leases);
  };
  const fleet = async () => {
    const [first, second, third] = [await instance(), await instance(), await instance()];
    first.open();
    await eventually(async () => bodies.length === 1 && (await notes()).length === 1, 'the opening and its note');
    second.open();
    third.open();
    await second.minute();
    return { first, second, third };
  };

  it('another instance sends the closing once, with the id of the opening', async () => {
    const { first, second, third } = await fleet();
    await first.end();
    second.close();
    third.close();
    await second.minute();
    expect(bodies.map(({ state }) => state)).toEqual(['opened']);
    await expireLeases();
    const asked = async () => {
      await Promise.all([second.minute(), third.minute()]);
      return bodies.length > 1;
    };
    await eventually(asked, 'the closing');
    await Promise.all([second.minute(), third.minute()]);
    await eventually(async () => (await notes()).length === 0, 'no note');
    await expireLeases();
    await Promise.all([second.minute(), third.minute()]);
    await Promise.all([second.end(), third.end()]);
    expect(bodies).toMatchObject([
      { state: 'opened', alert: { id: first.alert.id, closed_at: null } },
      { state: 'closed', alert: { id: first.alert.id, closed_at: expect.any(String) } },
    ]);
  }, 30_000);

  it.each([
    ['another text', async (client: any, note: string) => client.set(note, 'x'.repeat(100_000))],
    ['a value of another type', async (client: any, note: string) => (await client.del(note), client.sAdd(note, 'x'))],
    ['nothing, because its Redis was killed', () => server.kill()],
  ])(
    'a note that holds %s closes no alert, and stops nothing',
    async (_what, spoil) => {
      const { first, second } = await fleet();
      await first.end();
      await expireLeases();
      await spoil(await server.client(), (await notes())[0]!);
      second.close();
      await second.minute();
      await second.clock.advance(2_000);
      await second.end();
      expect(bodies.map(({ state }) => state)).toEqual(['opened']);
    },
    30_000,
  );
});
