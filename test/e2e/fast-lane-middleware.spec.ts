import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import {
  Controller,
  Get,
  type MiddlewareConsumer,
  Module,
  type NestApplicationOptions,
  Next as Pass,
} from '@nestjs/common';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it } from '@jest/globals';
import { platforms } from '../support/apps.js';
import { heapInUse } from '../support/heap.js';
import {
  type Adapter,
  additions,
  bare,
  closeLaneApps,
  Feed,
  type LaneApp,
  type LaneSetup,
  type Middleware,
  named,
  type Next,
  startLane,
} from '../support/lane-app.js';

/*
 * Promise: the fast lane skips no code that may decide about a request, and sends no caller a header made for another.
 * All code before a handler belongs to the framework, by identity, or is named in `skipMiddleware`, or closes the lane.
 */

let lane: LaneApp;

afterEach(closeLaneApps);

async function start(adapter: Adapter, setup?: LaneSetup): Promise<LaneApp> {
  return (lane = await startLane(adapter, setup));
}

/** Names of functions that frameworks themselves add. */
const FRAMEWORK_NAMES = [
  'corsMiddleware',
  'handleCors',
  'query',
  'expressInit',
  'jsonParser',
  'urlencodedParser',
  'runMiddie',
  'headRouteOnSendHandler',
];

describe.each(platforms)('the fast lane on %s', (platform) => {
  describe.each(Object.entries(additions[platform]))('behind code of the application %s', (_, add) => {
    it.each(FRAMEWORK_NAMES)('the fast lane refuses code called %s like a function of the framework', async (name) => {
      const adapter = bare(platform);
      add(adapter, named(name));
      const started = start(adapter);
      await expect(started).rejects.toMatchObject({ code: 'FAST_LANE_REFUSED' });
      await expect(started).rejects.toThrow(`skipMiddleware: ['${name}']`);
    });

    it("the fast lane refuses code that uses words of Nest's code", async () => {
      const adapter = bare(platform);
      const corsHook = (next: Next) => next();
      const own = {
        corsHook,
        check(_request: unknown, _response: unknown, next: Next) {
          // return this.isRoutableRequestTarget(handledRequests.has(request))
          return this.corsHook(next);
        },
      };
      add(adapter, (request, response, next) => own.check(request, response, next));
      const handed = (_request: unknown, _response: unknown, next: Next) => own.corsHook(next); // this.corsHook
      add(adapter, handed);
      await expect(start(adapter)).rejects.toMatchObject({ code: 'FAST_LANE_REFUSED' });
    });

    it('the fast lane answers behind code that skipMiddleware names', async () => {
      const adapter = bare(platform);
      add(adapter, named('query'));
      const { lastOfSix } = await start(adapter, { fastLane: { skipMiddleware: ['query'] } });
      expect(await lastOfSix('/items/7')).toMatchObject({ path: 'lane', body: '{"id":"7"}' });
    });
  });

  it("the fast lane refuses middleware of an adapter derived from the platform's adapter", async () => {
    class OwnExpress extends ExpressAdapter {
      constructor() {
        super();
        this.use(named('audit'));
      }
    }
    class OwnFastify extends FastifyAdapter {
      constructor() {
        super();
        this.getInstance().addHook('onRequest', function audit(_request, _reply, done) {
          done();
        });
      }
    }
    const own = platform === 'express' ? new OwnExpress() : new OwnFastify();
    await expect(start(own)).rejects.toThrow(`skipMiddleware: ['audit']`);
  });

  it('the fast lane refuses an application that listens for triggered routes', async () => {
    const adapter = bare(platform);
    adapter.setOnRouteTriggered(() => {});
    await expect(start(adapter)).rejects.toThrow(`skipMiddleware: ['onRouteTriggered']`);
  });

  it('the fast lane answers behind everything that Nest and its platform add', async () => {
    const { lastOfSix } = await start(bare(platform), {
      options: { return503OnClosing: true, forceCloseConnections: true } as NestApplicationOptions,
      configure: (configured) => {
        configured.enableCors({ origin: true });
        configured.useSecurityHeaders();
        configured.enableCsrfProtection();
        if (platform === 'express') (configured as NestExpressApplication).useBodyParser('text');
      },
    });
    expect((await lastOfSix('/feed')).path).toBe('lane');
    expect((await lastOfSix('/feed', {}, 'HEAD')).path).toBe('lane');
    expect(lane.warned).toEqual([]);
  });

  it('the fast lane answers behind middleware of a module that skipMiddleware names by class', async () => {
    class Audit {
      use(_request: unknown, _response: unknown, next: Next): void {
        next();
      }
    }
    @Module({})
    class AuditModule {
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply(Audit).forRoutes('feed');
      }
    }
    const { lastOfSix } = await start(bare(platform), {
      fastLane: { skipMiddleware: ['Audit'] },
      modules: [AuditModule],
    });
    expect((await lastOfSix()).path).toBe('lane');
  });

  describe('skipping a session', () => {
    const members: Record<string, string> = { 'sid=1': 'ann', 'sid=2': 'bob' };
    /** Sends headers derived from a cookie, a header or a token of the caller. */
    const session: Middleware = ({ headers }, response, next) => {
      const member = members[headers.cookie ?? ''];
      if (member !== undefined) response.setHeader('X-Member', member);
      if (headers['x-api-key'] !== undefined)
        response.setHeader('X-Plan', `plan of ${String(headers['x-api-key']).at(-1)}`);
      if (headers.authorization !== undefined) response.setHeader('X-Scope', `scope ${headers.authorization.at(-1)}`);
      next();
    };
    const withSession = () => {
      const adapter = bare(platform);
      Object.entries(additions[platform])[0]![1](adapter, session);
      return start(adapter, { fastLane: { skipMiddleware: ['session'] } });
    };

    it('the fast lane sends no header made from one cookie with another cookie, or with none', async () => {
      const { ask, lastOfSix } = await withSession();
      for (const [cookie, member] of Object.entries(members)) {
        expect(await lastOfSix('/feed', { cookie })).toMatchObject({ path: 'full', headers: { 'x-member': member } });
      }
      expect((await ask('/feed')).headers['x-member']).toBeUndefined();
      expect((await lastOfSix('/feed')).path).toBe('lane');
      for (const [cookie, member] of Object.entries(members)) {
        expect((await ask('/feed', { cookie })).headers['x-member']).toBe(member);
      }
      expect((await ask('/feed', { cookie: 'sid=3' })).headers['x-member']).toBeUndefined();
    });

    it('the fast lane sends the current value of the session', async () => {
      const { ask, lastOfSix } = await withSession();
      await lastOfSix('/feed', { cookie: 'sid=1' });
      members['sid=1'] = 'ann2';
      expect((await ask('/feed', { cookie: 'sid=1' })).headers['x-member']).toBe('ann2');
      members['sid=1'] = 'ann';
    });

    it("the fast lane sends no header made from an application's header to another caller", async () => {
      const { ask, lastOfSix } = await withSession();
      await lastOfSix('/feed');
      await lastOfSix('/feed', { 'x-api-key': 'key 1' });
      expect((await ask('/feed', { 'x-api-key': 'key 2' })).headers['x-plan']).toBe('plan of 2');
      expect((await ask('/feed')).headers['x-plan']).toBeUndefined();
    });

    it('the fast lane separates headers by Authorization', async () => {
      const { lastOfSix } = await withSession();
      for (const authorization of ['Bearer 1', 'Bearer 2']) {
        const { path, headers } = await lastOfSix('/shared', { authorization });
        expect([path, headers['x-scope']]).toEqual(['lane', `scope ${authorization.at(-1)}`]);
      }
      expect((await lastOfSix('/shared')).headers['x-scope']).toBeUndefined();
    });

    it('the fast lane answers requests with the usual headers of browsers and proxies', async () => {
      const { lastOfSix } = await withSession();
      const headers = { 'sec-fetch-site': 'same-origin', 'x-forwarded-for': '10.0.0.1', 'user-agent': 'Browser/1.0' };
      expect((await lastOfSix('/feed', headers)).path).toBe('lane');
    });
  });

  it('the fast lane answers requests with cookies if it skips no middleware', async () => {
    const { lastOfSix } = await start(bare(platform));
    expect((await lastOfSix('/feed', { cookie: 'sid=1' })).path).toBe('lane');
  });

  describe('with another request listener', () => {
    /** Answers requests with a certain header instead of the framework. */
    const deny = (request: IncomingMessage, response: ServerResponse): void => {
      if (request.headers['x-deny'] !== undefined) response.setHeader('X-Denied', 'yes');
    };

    it('the fast lane stays closed behind another listener, and logs it once', async () => {
      const { ask, lastOfSix } = await start(bare(platform), {
        configure: (configured) => void (configured.getHttpServer() as Server).prependListener('request', deny),
      });
      expect((await lastOfSix()).path).toBe('full');
      expect((await ask('/feed', { 'x-deny': '1' })).headers['x-denied']).toBe('yes');
      expect(lane.warned).toEqual([
        expect.stringMatching(/^FAST_LANE_CLOSED: Feed\.feed\(\): deny turned out to come before it/),
      ]);
    });

    it('the fast lane answers if skipMiddleware names the listener', async () => {
      const { lastOfSix } = await start(bare(platform), {
        fastLane: { skipMiddleware: ['deny'] },
        configure: (configured) => void (configured.getHttpServer() as Server).prependListener('request', deny),
      });
      expect((await lastOfSix()).path).toBe('lane');
    });

    it('the fast lane leaves all requests to the framework while the listener exists', async () => {
      const { ask, lastOfSix, server } = await start(bare(platform));
      expect((await lastOfSix()).path).toBe('lane');
      server.prependListener('request', deny);
      expect(await ask('/feed', { 'x-deny': '1' })).toMatchObject({ path: 'full', headers: { 'x-denied': 'yes' } });
      server.removeListener('request', deny);
      expect((await ask()).path).toBe('lane');
    });
  });

  it('the fast lane uses at most 16 MB for 40 MB of origins', async () => {
    const { ask } = await start(bare(platform), {
      configure: (configured) => configured.enableCors({ origin: true }),
    });
    await ask();
    const before = heapInUse();
    for (let group = 0; group < 400; group++) {
      await Promise.all(
        Array.from({ length: 10 }, (_, index) => {
          const number = group * 10 + index;
          return ask(`/feed?${number % 500}`, { origin: `https://${'o'.repeat(10_000)}${number}.example` });
        }),
      );
    }
    expect((heapInUse() - before) / 1e6).toBeLessThan(16);
  }, 120_000);
});

describe.each(platforms)('reports of the fast lane on %s', (platform) => {
  it('the fast lane reports where a function without a name was added', async () => {
    const started = start(bare(platform), {
      configure: (configured) => {
        configured.use(named('known'));
        configured.use((_request: unknown, _response: unknown, next: Next) => next());
      },
      fastLane: { skipMiddleware: ['known'] },
    });
    const place =
      platform === 'express'
        ? /anonymous \(layer \d of the Express router, as app\.use\(\) adds it\)/
        : /anonymous \(number 2 of the middleware that app\.use\(\) and modules add\)/;
    await expect(started).rejects.toThrow(place);
    await expect(started).rejects.toThrow('give a function without a name one first');
  });
});

describe('the fast lane on Express', () => {
  it('the fast lane closes for an earlier handler of Nest that passes requests on', async () => {
    let seen = 0;
    @Controller()
    class Before {
      @Get('*path')
      audit(@Pass() next: Next) {
        seen++;
        next();
      }
    }
    const { lastOfSix } = await start(new ExpressAdapter(), { controllers: [Before, Feed] });
    expect(await lastOfSix()).toMatchObject({ path: 'full', body: '{"feed":"open"}' });
    expect(seen).toBe(6);
    expect(lane.warned).toEqual([
      expect.stringMatching(/^FAST_LANE_CLOSED: Feed\.feed\(\): .* turned out to come before it/),
    ]);
  });

  it('the fast lane closes for a parameter check that is added after the start', async () => {
    const adapter = new ExpressAdapter();
    const { lastOfSix } = await start(adapter);
    adapter.getInstance<{ param(name: string, check: unknown): void }>().param('id', named('late'));
    expect((await lastOfSix('/items/1')).path).toBe('full');
    expect(lane.warned).toEqual([
      expect.stringMatching(/^FAST_LANE_CLOSED: Feed\.item\(\): late turned out to come before it/),
    ]);
  });
});

describe('the fast lane on Fastify', () => {
  it('the fast lane names a function that Nest wraps in use()', async () => {
    const started = start(new FastifyAdapter(), { configure: (configured) => void configured.use(named('runMiddie')) });
    await expect(started).rejects.toThrow(`skipMiddleware: ['runMiddie']`);
  });

  const secret = async () => ({ feed: 'secret' });

  it.each([
    ['before the start', false],
    ['by a plugin that is loaded last', true],
  ])('the fast lane separates hosts for a route that the application adds to Fastify %s', async (_, late) => {
    const adapter = new FastifyAdapter();
    const route = { method: 'GET', url: '/feed', constraints: { host: 'secret.example' }, handler: secret } as const;
    if (late) adapter.getInstance().register(async (instance) => void instance.route(route));
    else adapter.getInstance().route(route);
    const { ask, lastOfSix } = await start(adapter);
    expect((await lastOfSix()).path).toBe('lane');
    expect((await ask('/feed', { host: 'secret.example' })).body).toBe('{"feed":"secret"}');
  });

  it('the fast lane separates versions for a route that the application adds to its own Fastify instance', async () => {
    const { fastify } = await import('fastify');
    const instance = fastify();
    instance.route({ method: 'GET', url: '/feed', constraints: { version: '1.0.0' }, handler: secret });
    const { ask, lastOfSix } = await start(new FastifyAdapter(instance as never));
    expect((await lastOfSix()).path).toBe('lane');
    expect((await ask('/feed', { 'accept-version': '1.0.0' })).body).toBe('{"feed":"secret"}');
  });

  it('the fast lane refuses to start if the application adds a route with a custom constraint', async () => {
    const strategy = {
      name: 'tenant',
      storage: () => {
        const stores = new Map<unknown, unknown>();
        return { get: (key: unknown) => stores.get(key) ?? null, set: (key: unknown, store: unknown) => void stores.set(key, store) }; // prettier-ignore
      },
      deriveConstraint: ({ headers }: { headers: Record<string, string> }) => headers['x-tenant'],
      validate: () => true,
    };
    const { fastify } = await import('fastify');
    const instance = fastify({ routerOptions: { constraints: { tenant: strategy as never } } });
    const adapter = new FastifyAdapter(instance as never);
    instance.route({ method: 'GET', url: '/feed', constraints: { tenant: 'one' } as never, handler: secret });
    await expect(start(adapter)).rejects.toMatchObject({ code: 'FAST_LANE_REFUSED' });
  });

  it("the fast lane closes for a plugin's hook on HEAD routes that has the name of the framework's hook", async () => {
    const adapter = new FastifyAdapter();
    adapter.getInstance().addHook('onRoute', (route) => {
      if (route.method !== 'HEAD') return;
      route.preHandler = function headRouteOnSendHandler(_request, _reply, done) {
        done();
      };
    });
    const { ask, lastOfSix } = await start(adapter);
    await ask();
    expect((await lastOfSix('/feed', {}, 'HEAD')).path).toBe('full');
  });
});
