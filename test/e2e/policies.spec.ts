import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Param, Res } from '@nestjs/common';
import {
  Cached,
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  InjectCache,
  ObservedCache,
} from '../../lib/index.js';
import { type BootedApp, boot, closeApps, type Platform, platforms } from '../support/apps.js';
import { EventStream } from '../support/event-stream.js';
import { Named } from '../support/guards.js';
import { eventually } from '../support/redis.js';

@Injectable()
class Sellers {
  @Cached('seller:{0}', { ttl: '2m' })
  find(id: string): Promise<{ id: string }> {
    return Promise.resolve({ id });
  }
}

@Controller()
class Shop {
  constructor(private readonly sellers: Sellers) {}

  @Get('feeds/:id')
  @Cached('feed:*', { ttl: '5m', clientCache: true, fastLane: { skipMiddleware: true } })
  feed(@Param('id') id: string) {
    return { id };
  }

  @Get('sellers/:id')
  seller(@Param('id') id: string) {
    return this.sellers.find(id);
  }

  @Get('raw/:id')
  @Cached('raw:*', { ttl: '5m', shared: true })
  raw(@Param('id') id: string, @Res({ passthrough: true }) response: unknown) {
    return { id, made: response !== undefined };
  }
}

@Injectable()
class Sessions {
  constructor(@InjectCache('sessions') readonly cache: ObservedCache) {}
}

const start = (platform: Platform, options: CacheObservabilityOptions = {}) =>
  boot(platform, {
    imports: [
      CacheObservabilityModule.forRoot({
        prometheus: false,
        monitoring: { swagger: true },
        tuning: { bounds: { 'feed:*': { maxTtl: '1h' } } },
        ...options,
      }),
      CacheObservabilityModule.forFeature('sessions', { ttl: '1m' }),
    ],
    controllers: [Shop],
    providers: [Sellers, Sessions],
  });

/** How long clients may store the response, seconds. */
async function maxAge({ ask }: BootedApp, path: string): Promise<number> {
  const { headers } = await ask().get(path).expect(200);
  return Number(/max-age=(\d+)/.exec(headers['cache-control']!)![1]);
}

const environment = process.env['NODE_ENV'];

afterEach(async () => {
  process.env['NODE_ENV'] = environment;
  await closeApps();
});

describe.each(platforms)('the policies of %s', (platform) => {
  it('GET /cache/policies lists policies as declared, overridden and effective', async () => {
    const { ask } = await start(platform);
    await ask().put('/cache/policies?pattern=feed:*').send({ ttl: '1m', staleWhileRevalidate: '10s' }).expect(200);
    const { body } = await ask().get('/cache/policies').expect(200);
    expect(body).toMatchObject([
      {
        pattern: 'feed:*',
        declared: { ttl_ms: 300_000, stale_while_revalidate_ms: 0 },
        varies: [],
        override: {
          values: { ttl_ms: 60_000, stale_while_revalidate_ms: 10_000 },
          set_by: 'unknown',
          expires_at: null,
          reached: 'process',
        },
        effective: { ttl_ms: 60_000, stale_while_revalidate_ms: 10_000 },
      },
      { pattern: 'raw:*', override: null },
      { pattern: 'seller:*', declared: { ttl_ms: 120_000 }, override: null },
    ]);
    const { body: one } = await ask().get('/cache/policies?pattern=seller:*').expect(200);
    expect(one).toMatchObject([{ pattern: 'seller:*', override: null }]);
  });

  it('an override changes handlers, their clients and provider methods, and a revert changes them back', async () => {
    const app = await start(platform);
    const { ask } = app;
    const cache = app.app.get(ObservedCache);
    expect(await maxAge(app, '/feeds/1')).toBeGreaterThan(290);
    await ask().put('/cache/policies?pattern=feed:*').send({ ttl: '1m' }).expect(200);
    await ask().put('/cache/policies?pattern=seller:*').send({ ttl: '10s' }).expect(200);
    expect(await maxAge(app, '/feeds/2')).toBeLessThanOrEqual(60);
    expect(await maxAge(app, '/feeds/2')).toBeLessThanOrEqual(60);
    await ask().get('/sellers/7').expect(200);
    expect((await cache.ttl('seller:7'))! - Date.now()).toBeLessThan(11_000);
    await ask().delete('/cache/policies?pattern=feed:*').expect(200);
    expect(await maxAge(app, '/feeds/3')).toBeGreaterThan(290);
  });

  it('an override does not change the times of stored entries, which still answer', async () => {
    const app = await start(platform);
    await app.ask().get('/feeds/1').expect('X-Cache', 'MISS');
    await app.ask().put('/cache/policies?pattern=feed:*').send({ ttl: '1s' }).expect(200);
    expect(await maxAge(app, '/feeds/1')).toBeGreaterThan(290);
    await app.ask().get('/feeds/1').expect('X-Cache', 'HIT');
  });

  it('an override starts no background load of a handler that needs its response', async () => {
    const { ask } = await start(platform);
    const change = { refreshAhead: 0.01, staleWhileRevalidate: '1m', ttl: '1m' };
    const { body } = await ask().put('/cache/policies?pattern=raw:*').send(change).expect(200);
    expect(body.effective).toMatchObject({ ttl_ms: 60_000, stale_while_revalidate_ms: 0, refresh_fraction: null });
  });

  it('GET /cache/policies names the values in which handlers of one pattern differ', async () => {
    @Controller()
    class Two {
      @Get('one')
      @Cached('two:*', { ttl: '1m' })
      one() {
        return { one: 1 };
      }

      @Get('other')
      @Cached('two:*', { ttl: '2m' })
      other() {
        return { other: 2 };
      }
    }
    const { ask } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot({ prometheus: false })],
      controllers: [Two],
    });
    expect((await ask().get('/cache/policies')).body).toMatchObject([{ pattern: 'two:*', varies: ['ttl_ms'] }]);
  });

  it('a named cache has its own policies', async () => {
    const { ask, app } = await start(platform);
    const { cache } = app.get(Sessions);
    await cache.getOrSet('session:1', () => 1);
    await ask().put('/cache/policies?pattern=session:*&cache=sessions').send({ ttl: '5s' }).expect(200);
    await cache.getOrSet('session:2', () => 2);
    expect((await cache.ttl('session:2'))! - Date.now()).toBeLessThan(6_000);
    const { body } = await ask().get('/cache/policies?cache=sessions').expect(200);
    expect(body).toMatchObject([{ pattern: 'session:*', declared: { ttl_ms: 60_000 }, effective: { ttl_ms: 5_000 } }]);
    await ask().get('/cache/policies?cache=nobody').expect(400);
  });

  it.each([
    ['without a pattern', '', { ttl: '1m' }, 400, 'INVALID_PARAMETER', 'pattern must be given'],
    ['with an unknown pattern', '?pattern=fed:*', { ttl: '1m' }, 404, 'UNKNOWN_PATTERN', 'Did you mean "feed:*"?'],
    ['with an unknown field', '?pattern=feed:*', { tll: 1 }, 400, 'INVALID_BODY', 'unknown in the body'],
    ['with a wrong value', '?pattern=feed:*', { ttl: '1 fortnight' }, 400, 'INVALID_BODY', 'is not a duration'],
    ['with nothing', '?pattern=feed:*', {}, 400, 'INVALID_BODY', 'at least one field'],
    ['with no time', '?pattern=feed:*', { ttl: 1, for: 0 }, 400, 'INVALID_BODY', 'for: must be longer than 0'],
    ['with a list', '?pattern=feed:*', [1], 400, 'INVALID_BODY', 'must be a JSON object'],
    ['outside the bounds', '?pattern=feed:*', { ttl: '2h' }, 400, 'POLICY_OUT_OF_BOUNDS', 'from 0 to 3600000 ms'],
  ])('PUT /cache/policies refuses an override %s', async (_, query, body, status, code, message) => {
    const { ask } = await start(platform);
    const refused = await ask().put(`/cache/policies${query}`).send(body).expect(status);
    expect(refused.body).toMatchObject({ statusCode: status, code, message: expect.stringContaining(message) });
    expect((await ask().get('/cache/policies')).body.every(({ override }: any) => override === null)).toBe(true);
  });

  it('PATCH /cache/policies adds to an override and keeps its end, PUT replaces it', async () => {
    const { ask } = await start(platform);
    const path = '/cache/policies?pattern=feed:*';
    const first = await ask().put(path).send({ ttl: '1m', for: '1h' }).expect(200);
    const { expires_at } = first.body.override;
    expect(expires_at).toEqual(expect.any(String));
    const second = await ask().patch(path).send({ staleWhileRevalidate: '10s' }).expect(200);
    expect(second.body.override).toMatchObject({
      values: { ttl_ms: 60_000, stale_while_revalidate_ms: 10_000 },
      expires_at,
    });
    const third = await ask().patch(path).send({ ttl: '2m', for: '2h' }).expect(200);
    expect(third.body.override.values).toEqual({ ttl_ms: 120_000, stale_while_revalidate_ms: 10_000 });
    expect(Date.parse(third.body.override.expires_at)).toBeGreaterThan(Date.parse(expires_at));
    const fourth = await ask().put(path).send({ jitter: 0.1 }).expect(200);
    expect(fourth.body.override).toMatchObject({ values: { jitter: 0.1 }, expires_at: null });
    expect(fourth.body.effective).toMatchObject({ ttl_ms: 300_000, stale_while_revalidate_ms: 0 });
    await ask().delete(path).expect(200);
    const alone = await ask().patch(path).send({ ttl: '1m' }).expect(200);
    expect(alone.body.override).toMatchObject({ values: { ttl_ms: 60_000 }, expires_at: null });
  });

  it('DELETE /cache/policies refuses a pattern without an override', async () => {
    const { ask } = await start(platform);
    const { body } = await ask().delete('/cache/policies?pattern=feed:*').expect(404);
    expect(body).toMatchObject({ code: 'NOT_OVERRIDDEN' });
  });

  it('policies are closed to writes in production without guards, and to other sites', async () => {
    process.env['NODE_ENV'] = 'production';
    const { ask } = await start(platform);
    const closed = await ask().put('/cache/policies?pattern=feed:*').send({ ttl: 1 }).expect(403);
    expect(closed.body).toMatchObject({ code: 'WRITES_DISABLED' });
    await ask().patch('/cache/policies?pattern=feed:*').send({ ttl: 1 }).expect(403);
    await ask().delete('/cache/policies?pattern=feed:*').expect(403);
    process.env['NODE_ENV'] = 'test';
    const foreign = await ask()
      .put('/cache/policies?pattern=feed:*')
      .set('Sec-Fetch-Site', 'cross-site')
      .send({ ttl: 1 });
    expect(foreign.body).toMatchObject({ code: 'CROSS_SITE_REQUEST' });
    await ask()
      .put('/cache/policies?pattern=feed:*')
      .set('Content-Type', 'application/x-www-form-urlencoded')
      .send('ttl=1')
      .expect(415);
  });

  it('policies are changed by users who pass the guards, and name them', async () => {
    process.env['NODE_ENV'] = 'production';
    const signedIn = {
      canActivate: (context: any) => {
        context.switchToHttp().getRequest().user = { id: 7, username: 'ada', password: 'secret' };
        return true;
      },
    };
    const { ask } = await start(platform, { monitoring: { writeGuards: [Named, signedIn] } });
    await ask().put('/cache/policies?pattern=feed:*').send({ ttl: '1m' }).expect(403);
    const { body } = await ask()
      .put('/cache/policies?pattern=feed:*')
      .set('X-Name', 'ada')
      .send({ ttl: '1m' })
      .expect(200);
    expect(body.override).toMatchObject({ set_by: 'ada' });
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  it('policies send an event of every change', async () => {
    const { app, ask } = await start(platform);
    await app.listen(0, '127.0.0.1');
    const stream = await EventStream.open(app);
    await eventually(() => stream.of('tick').length > 0, 'a tick');
    await ask().put('/cache/policies?pattern=feed:*').send({ ttl: '1m', for: '1h' }).expect(200);
    await ask().delete('/cache/policies?pattern=feed:*').expect(200);
    await eventually(() => stream.of('policy').length === 2, 'both events of policies');
    expect(stream.of('policy')).toMatchObject([
      { cache: 'default', pattern: 'feed:*', change: 'set', values: { ttl_ms: 60_000 }, set_by: 'unknown' },
      { cache: 'default', pattern: 'feed:*', change: 'reverted', values: { ttl_ms: 300_000 } },
    ]);
    stream.close();
  });
});
