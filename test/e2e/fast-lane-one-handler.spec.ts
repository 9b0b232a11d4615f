import type { IncomingMessage, Server } from 'node:http';
import { Controller, Get, type INestApplication, type Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, RouteConstraints } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import type { FastLaneOptions } from '../../lib/caching/options/fast-lane.options.js';
import { type Platform, platforms } from '../support/apps.js';

@Controller()
class Feed {
  @Get('feed')
  @Cached('feed:*', { ttl: '5m', fastLane: true })
  feed() {
    return { feed: 'open' };
  }
}

let app: INestApplication | undefined;
/** Requests that reached the framework, counted on entry. */
let full = 0;
let warned: string[] = [];
afterEach(async () => {
  await app?.close();
  app = undefined;
});

/** An application on an adapter that other code has changed. */
async function start(
  adapter: ExpressAdapter | FastifyAdapter,
  controllers: Type[] = [Feed],
  fastLane?: FastLaneOptions,
) {
  full = 0;
  warned = [];
  const warn = (warning: { code?: string; message?: string }) =>
    void warned.push(`${warning.code}: ${warning.message}`);
  const logger = { log() {}, error() {}, warn };
  const module = await Test.createTestingModule({
    imports: [CacheObservabilityModule.forRoot({ prometheus: false, http: { fastLane } })],
    controllers,
  })
    .setLogger(logger)
    .compile();
  app = module.createNestApplication(adapter);
  const server = app.getHttpServer() as Server;
  countRequests(adapter);
  // One port, and so one host, for all requests.
  await app.listen(0, '127.0.0.1');
  const ask = (headers: Record<string, string> = {}) => supertest(server).get('/feed').set(headers);
  /** Sends six requests with equal responses and returns how many reached the framework. */
  const six = async () => {
    for (let turn = 0; turn < 6; turn++) await ask().expect({ feed: 'open' });
    return full;
  };
  return { ask, six };
}

/** Another listener to the server's requests would close the lane. */
function countRequests(adapter: ExpressAdapter | FastifyAdapter): void {
  if (adapter instanceof FastifyAdapter) {
    adapter.getInstance().setGenReqId(() => String(++full));
    return;
  }
  const express = adapter.getInstance<{ handle(...args: unknown[]): void }>();
  const { handle } = express;
  express.handle = (...args) => {
    full++;
    handle.apply(express, args);
  };
}

/** Adapters with a function called `auth` before one handler only. */
const watched = { express: watchedExpress, fastify: watchedFastify };

/** Another route that the URL also matches. */
function watchedExpress(seen: () => void): ExpressAdapter {
  const adapter = new ExpressAdapter();
  const express = adapter.getInstance() as { all(path: string, handler: (...args: never[]) => void): void };
  express.all('/{*rest}', function auth(_request: never, _response: never, next: () => void) {
    seen();
    next();
  });
  return adapter;
}

/** A hook that a plugin puts on the route itself. */
function watchedFastify(seen: () => void): FastifyAdapter {
  const adapter = new FastifyAdapter();
  adapter.getInstance().addHook('onRoute', (route) => {
    route.preHandler = function auth(_request, _reply, done) {
      seen();
      done();
    };
  });
  return adapter;
}

describe.each(platforms)('the fast lane on %s', (platform) => {
  it('the fast lane answers if no other code runs before the handler', async () => {
    const { six } = await start(platform === 'express' ? new ExpressAdapter() : new FastifyAdapter());
    // One request loads, and the lane learns from a few.
    expect(await six()).toBeLessThan(4);
    expect(warned).toEqual([]);
  });

  it('the fast lane skips middleware that skipMiddleware names', async () => {
    let seen = 0;
    const { six } = await start(
      watched[platform](() => seen++),
      [Feed],
      { skipMiddleware: ['auth'] },
    );
    expect(await six()).toBeLessThan(4);
    expect(seen).toBe(full);
    expect(warned).toEqual([]);
  });
});

describe('the fast lane and code before one handler', () => {
  it.each<[string, Platform]>([
    ['another route of Express that the URL also matches', 'express'],
    ['a hook of a Fastify plugin on the route itself', 'fastify'],
  ])('the fast lane closes for %s, and logs it once', async (_, platform) => {
    let seen = 0;
    const { six } = await start(watched[platform](() => seen++));
    expect(await six()).toBe(6);
    expect(seen).toBe(6);
    expect(warned).toEqual([
      expect.stringMatching(/^FAST_LANE_CLOSED: Feed\.feed\(\): auth turned out to come before it/),
    ]);
  });

  it('Fastify: the fast lane is refused with rewriteUrl', async () => {
    const adapter = new FastifyAdapter({
      rewriteUrl: ({ headers, url }: IncomingMessage) => (headers['x-tenant'] === undefined ? url! : '/other'),
    });
    await expect(start(adapter)).rejects.toMatchObject({ code: 'FAST_LANE_REFUSED' });
  });

  it('Fastify: the fast lane separates another handler of the URL for a host', async () => {
    @Controller()
    class Secret {
      @Get('feed')
      @RouteConstraints({ host: 'secret.example' })
      secret() {
        return { feed: 'secret' };
      }
    }
    const { ask, six } = await start(new FastifyAdapter(), [Feed, Secret]);
    expect(await six()).toBeLessThan(4);
    await ask({ host: 'secret.example' }).expect({ feed: 'secret' });
  });

  it('Fastify: the fast lane is refused with another handler of the URL for a custom constraint', async () => {
    @Controller()
    class Secret {
      @Get('feed')
      @RouteConstraints({ secret: 'yes' })
      secret() {
        return { feed: 'secret' };
      }
    }
    const secret = {
      name: 'secret',
      storage: () => {
        const stores = new Map<unknown, unknown>();
        return { get: (key: unknown) => stores.get(key) ?? null, set: (key: unknown, store: unknown) => void stores.set(key, store) }; // prettier-ignore
      },
      deriveConstraint: ({ headers }: { headers: Record<string, string> }) => headers['x-secret'],
      validate: () => true,
    };
    const adapter = new FastifyAdapter({ routerOptions: { constraints: { secret } } } as never);
    await expect(start(adapter, [Feed, Secret])).rejects.toMatchObject({ code: 'FAST_LANE_REFUSED' });
  });

  it('Express: the fast lane separates another handler of the URL for the host from a trusted proxy', async () => {
    @Controller({ host: 'one.example' })
    class One {
      @Get('feed')
      one() {
        return { feed: 'one' };
      }
    }
    const adapter = new ExpressAdapter();
    adapter.set('trust proxy', true);
    const { ask, six } = await start(adapter, [One, Feed]);
    expect(await six()).toBeLessThan(4);
    await ask({ 'x-forwarded-host': 'one.example' }).expect({ feed: 'one' });
  });
});
