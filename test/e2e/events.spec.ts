import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, type INestApplication } from '@nestjs/common';
import {
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  ObservedCache,
  WarmingStrategy,
} from '../../lib/index.js';
import { LiveEvents } from '../../lib/monitoring/live-events.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';
import { EventStream } from '../support/event-stream.js';
import { eventually } from '../support/redis.js';
import { beforeTimer } from '../support/before-timer.js';

@Injectable()
@WarmingStrategy({ name: 'popular' })
class Popular {
  *entries() {
    yield { key: 'product:1', value: 'one' };
  }
}

const start = async (platform: Platform, options: CacheObservabilityOptions = {}): Promise<INestApplication> => {
  const { app } = await boot(
    platform,
    {
      imports: [CacheObservabilityModule.forRoot({ prometheus: { defaultMetrics: false }, ...options })],
      providers: [Popular],
    },
    { configure: (made) => made.enableCors({ origin: 'http://shop.test' }) },
  );
  await app.listen(0, '127.0.0.1');
  return app;
};

afterEach(() => closeApps());

describe.each(platforms)('the event stream on %s', (platform) => {
  it('the event stream sends ticks every second, invalidations and warming, in the form of the routes', async () => {
    const app = await start(platform);
    const stream = await EventStream.open(app);
    expect(stream.response.statusCode).toBe(200);
    expect(stream.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'access-control-allow-origin': 'http://shop.test',
    });
    const cache = app.get(ObservedCache);
    await cache.getOrSet('user:471147114711:cart', () => 1);
    await cache.del('user:471147114711:cart');
    await cache.deleteByPattern('user:*');
    await fetch(`${await app.getUrl()}/cache/warm`, { method: 'POST' });
    await eventually(() => stream.of('tick').length >= 3, 'three ticks');
    expect(stream.of('tick').at(-1)).toMatchObject({ operations_in_flight: 0, hit_rate: 0, alerts: [] });
    expect(stream.of('invalidation')).toMatchObject([
      { patterns: ['user:*:*'], keys: 1 },
      { patterns: ['user:*'], globs: 1, removed: 0 },
    ]);
    expect(stream.of('warming').map(({ type, report }) => [type, report.strategy, report.keys_warmed])).toEqual([
      ['started', 'popular', 0],
      ['finished', 'popular', 1],
    ]);
    expect(JSON.stringify(stream.events)).not.toContain('471147114711');
    stream.close();
  });

  it('the event stream releases every resource of clients that disconnected', async () => {
    const app = await start(platform);
    const events = app.get(LiveEvents);
    for (let time = 0; time < 25; time++) {
      const streams = await Promise.all([EventStream.open(app), EventStream.open(app)]);
      expect(events.clients).toBe(2);
      for (const stream of streams) stream.close();
      await eventually(() => events.clients === 0, 'no client is left');
    }
  });

  it('the event stream refuses clients at its limit, and accepts one when another leaves', async () => {
    const app = await start(platform, { monitoring: { maxEventClients: 2 } });
    const streams = [await EventStream.open(app), await EventStream.open(app)];
    const refused = await fetch(`${await app.getUrl()}/cache/events`);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'TOO_MANY_CLIENTS' });
    const metrics = await (await fetch(`${await app.getUrl()}/metrics`)).text();
    expect(metrics).toMatch(/^cache_event_clients 2$/m);
    expect(metrics).toMatch(/^cache_event_clients_refused_total 1$/m);
    streams[0]!.close();
    await eventually(() => app.get(LiveEvents).clients === 1, 'a free place for a client');
    const next = await EventStream.open(app);
    expect(next.response.statusCode).toBe(200);
    next.close();
    streams[1]!.close();
  });

  it('a HEAD request uses no place of the event stream', async () => {
    const app = await start(platform);
    const { status } = await fetch(`${await app.getUrl()}/cache/events`, { method: 'HEAD' });
    expect(status).toBe(405);
    expect(app.get(LiveEvents).clients).toBe(0);
  });

  it('the event stream is guarded like every route', async () => {
    const app = await start(platform, {
      monitoring: { guards: [{ canActivate: (context) => 'x-token' in context.switchToHttp().getRequest().headers }] },
    });
    expect((await fetch(`${await app.getUrl()}/cache/events`)).status).toBe(403);
    const stream = await EventStream.open(app, '/cache/events', { 'x-token': '1' });
    expect(stream.response.statusCode).toBe(200);
    stream.close();
  });

  it('the event stream ends when the application closes, which does not wait for it', async () => {
    const app = await start(platform);
    const stream = await EventStream.open(app);
    await eventually(() => stream.of('tick').length > 0, 'a tick');
    await beforeTimer(4_000, app.close());
    await eventually(() => stream.ended, 'the stream has ended');
  });
});
