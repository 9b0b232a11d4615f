import type { IncomingMessage } from 'node:http';
import { Controller, Get, type INestApplication, type Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication, RouteConstraints } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import type { App } from 'supertest/types.js';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';

@Controller()
class Feed {
  @Get('feed')
  @Cached('feed:*', { ttl: '5m', fastLane: true })
  feed() {
    return { feed: 'open' };
  }
}

let app: INestApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

/** An application on an adapter that others have been at. */
async function start(adapter: ExpressAdapter | FastifyAdapter, controllers: Type[] = [Feed]) {
  const module = await Test.createTestingModule({
    imports: [CacheObservabilityModule.forRoot({ prometheus: false })],
    controllers,
  }).compile();
  app = module.createNestApplication(adapter, { logger: false });
  await app.init();
  if (adapter instanceof FastifyAdapter) await (app as NestFastifyApplication).getHttpAdapter().getInstance().ready();
  const server = app.getHttpServer() as App;
  return (headers: Record<string, string> = {}) => supertest(server).get('/feed').set(headers);
}

describe('the lane leaves nothing out that stands in front of one handler', () => {
  it('Express: a route of others that the address also matches', async () => {
    let seen = 0;
    const adapter = new ExpressAdapter();
    const express = adapter.getInstance() as { all(path: string, handler: (...args: never[]) => void): void };
    express.all('/{*rest}', function auth(_request: never, _response: never, next: () => void) {
      seen++;
      next();
    });
    const ask = await start(adapter);
    for (let turn = 0; turn < 6; turn++) await ask().expect({ feed: 'open' });
    expect(seen).toBe(6);
  });

  it('Fastify: a hook that a plugin puts on the route itself', async () => {
    let seen = 0;
    const adapter = new FastifyAdapter();
    adapter.getInstance().addHook('onRoute', (route) => {
      route.preHandler = (_request, _reply, done) => {
        seen++;
        done();
      };
    });
    const ask = await start(adapter);
    for (let turn = 0; turn < 6; turn++) await ask().expect({ feed: 'open' });
    expect(seen).toBe(6);
  });

  it('Fastify: an address that is rewritten refuses it', async () => {
    const adapter = new FastifyAdapter({
      rewriteUrl: ({ headers, url }: IncomingMessage) => (headers['x-tenant'] === undefined ? url! : '/other'),
    });
    await expect(start(adapter)).rejects.toMatchObject({ code: 'FAST_LANE_REFUSED' });
  });

  it('Fastify: another handler of the address, for a host', async () => {
    @Controller()
    class Secret {
      @Get('feed')
      @RouteConstraints({ host: 'secret.example' })
      secret() {
        return { feed: 'secret' };
      }
    }
    const ask = await start(new FastifyAdapter(), [Feed, Secret]);
    for (let turn = 0; turn < 6; turn++) await ask().expect({ feed: 'open' });
    await ask({ host: 'secret.example' }).expect({ feed: 'secret' });
  });

  it('Fastify: another handler of the address, for what only the application knows, refuses it', async () => {
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

  it('Express: another handler of the address, for the host that a trusted proxy was asked for', async () => {
    @Controller({ host: 'one.example' })
    class One {
      @Get('feed')
      one() {
        return { feed: 'one' };
      }
    }
    const adapter = new ExpressAdapter();
    adapter.set('trust proxy', true);
    const ask = await start(adapter, [One, Feed]);
    for (let turn = 0; turn < 6; turn++) await ask().expect({ feed: 'open' });
    await ask({ 'x-forwarded-host': 'one.example' }).expect({ feed: 'one' });
  });
});
