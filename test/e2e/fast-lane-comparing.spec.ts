import { Agent, request as ask, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, type INestApplication, type MiddlewareConsumer, Module } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import type { CachingOptions } from '../../lib/caching/options/caching.options.js';
import { CACHING_OPTIONS } from '../../lib/caching/caching.tokens.js';
import { boot, closeApps, platforms } from '../support/apps.js';
import { ManualClock } from '../support/manual-clock.js';

const ADDRESSES = 5_000;

/** The middleware before the handlers. */
let inFront: { count: number; header: string; before: (next: () => void) => void };
let clock: ManualClock;
let said: { level: string; code: string; message: string }[];
let agent: Agent;

class Policy {
  use(_request: unknown, response: { setHeader(name: string, value: string): void }, next: () => void): void {
    inFront.count++;
    response.setHeader('X-Policy', inFront.header);
    inFront.before(next);
  }
}

@Controller()
class FeedController {
  @Get('feed')
  @Cached('feed:*', { ttl: '5m' })
  feed() {
    return { feed: 'open' };
  }

  @Get('news')
  @Cached('news:*', { ttl: '5m' })
  news() {
    return { news: 'none' };
  }
}

@Module({
  imports: [CacheObservabilityModule.forRoot({ prometheus: false, monitoring: false })],
  controllers: [FeedController],
})
class FeedModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(Policy).forRoutes('*');
  }
}

/** An application with a manual clock for the lane and a recorded log. */
async function start(platform: (typeof platforms)[number], configure: (app: INestApplication) => void = () => {}) {
  const options: CachingOptions = {
    fastLane: { skipMiddleware: ['Policy'] },
    clock,
    log: (level, code, message) => said.push({ level, code, message }),
  };
  const { app } = await boot(
    platform,
    { imports: [FeedModule] },
    { configure, override: (builder) => builder.overrideProvider(CACHING_OPTIONS).useValue(options) },
  );
  const server = app.getHttpServer() as Server;
  if (!server.listening) await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, ...visitorsOf(server) };
}

interface Visit {
  /** `full` if the framework got the request. */
  readonly path: 'full' | 'lane';
  readonly policy: unknown;
  readonly body: string;
}

function visitorsOf(server: Server) {
  const { port } = server.address() as AddressInfo;
  const get = (path: string, headers: Record<string, string> = {}) =>
    new Promise<Omit<Visit, 'path'>>((resolve, reject) => {
      const sent = ask({ port, host: '127.0.0.1', path, headers, agent }, (message) => {
        let body = '';
        message.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        message.on('end', () => resolve({ policy: message.headers['x-policy'], body }));
      });
      sent.on('error', reject).end();
    });
  /** Sends one request while no other is running. */
  const visit = async (path = '/feed', headers: Record<string, string> = {}): Promise<Visit> => {
    const before = inFront.count;
    const answer = await get(path, headers);
    return { path: inFront.count === before ? 'lane' : 'full', ...answer };
  };
  /** Sends requests until the lane answers one. */
  const untilKnown = async (path = '/feed', headers: Record<string, string> = {}): Promise<void> => {
    for (let turn = 0; turn < 4; turn++) if ((await visit(path, headers)).path === 'lane') return;
    throw new Error(`${path} never left by the lane`);
  };
  return { get, visit, untilKnown };
}

const differs = () => said.filter(({ code }) => code === 'FAST_LANE_DIFFERS');

beforeEach(() => {
  inFront = { count: 0, header: 'strict', before: (next) => next() };
  clock = new ManualClock();
  said = [];
  agent = new Agent({ keepAlive: true, maxSockets: 8 });
});
afterEach(async () => {
  agent.destroy();
  await closeApps();
});

describe.each(platforms)('comparisons of the fast lane on %s', (platform) => {
  it('the fast lane makes two comparisons before it answers a URL: a miss and two hits take the full path', async () => {
    const { visit } = await start(platform);
    const paths: string[] = [];
    for (let turn = 0; turn < 5; turn++) paths.push((await visit()).path);
    expect(paths).toEqual(['full', 'full', 'full', 'lane', 'lane']);
  });

  it('the fast lane compares one request every 30 seconds, and continues if nothing has changed', async () => {
    const { visit, untilKnown } = await start(platform);
    await untilKnown();
    await clock.advance(29_999);
    expect((await visit()).path).toBe('lane');
    await clock.advance(1);
    expect((await visit()).path).toBe('full');
    expect((await visit()).path).toBe('lane');
    await clock.advance(29_999);
    expect((await visit()).path).toBe('lane');
    await clock.advance(1);
    expect((await visit()).path).toBe('full');
    expect(said).toEqual([]);
  });

  it("the fast lane sends the full path's response after a change, and logs the difference once per handler", async () => {
    const { visit, untilKnown } = await start(platform);
    await untilKnown();
    inFront.header = 'lax';
    expect(await visit()).toMatchObject({ path: 'lane', policy: 'strict' });
    await clock.advance(30_000);
    expect(await visit()).toMatchObject({ path: 'full', policy: 'lax' });
    expect(said).toEqual([
      {
        level: 'warn',
        code: 'FAST_LANE_DIFFERS',
        message: expect.stringMatching(/^FeedController\.feed\(\): .* X-Policy, so such hits go the full path\.$/i),
      },
    ]);
    expect((await visit()).path).toBe('full');
    expect(await visit()).toMatchObject({ path: 'lane', policy: 'lax' });
    inFront.header = 'strict';
    await clock.advance(30_000);
    await visit();
    expect(differs()).toHaveLength(1);
  });

  it('the fast lane never answers if no two responses are equal, and logs it once per handler', async () => {
    const { visit } = await start(platform);
    inFront.before = (next) => {
      inFront.header = `request ${inFront.count}`;
      next();
    };
    for (const path of ['/feed', '/news', '/feed?again']) {
      for (let turn = 0; turn < 5; turn++) expect((await visit(path)).path).toBe('full');
    }
    expect(differs().map(({ message }) => message.split(':')[0])).toEqual([
      'FeedController.feed()',
      'FeedController.news()',
    ]);
  });

  it('the fast lane answers other requests during a comparison, and starts another one if a comparison takes longer than a second', async () => {
    const { get, visit, untilKnown } = await start(platform);
    await untilKnown();
    await clock.advance(30_000);
    let goOn = () => {};
    const held = new Promise<void>((arrived) => {
      inFront.before = (next) => {
        goOn = next;
        arrived();
      };
    });
    const comparing = get('/feed');
    await held;
    inFront.before = (next) => next();
    expect((await visit()).path).toBe('lane');
    await clock.advance(999);
    expect((await visit()).path).toBe('lane');
    await clock.advance(1);
    expect((await visit()).path).toBe('full');
    goOn();
    expect(await comparing).toMatchObject({ policy: 'strict' });
    expect((await visit()).path).toBe('lane');
  });
});

describe.each(platforms)('limits of the fast lane on %s', (platform) => {
  it('the fast lane holds 5,000 URLs: the least recently used URL takes the full path again', async () => {
    const { get, visit, untilKnown } = await start(platform);
    await untilKnown('/feed?kept');
    await untilKnown('/feed?gone');
    expect((await visit('/feed?kept')).path).toBe('lane');
    const others = Array.from({ length: ADDRESSES - 2 }, (_, index) => `/feed?${index}`);
    await Promise.all(others.map((path) => get(path)));
    expect((await visit('/feed?kept')).path).toBe('lane');
    await get('/feed?more');
    expect((await visit(others[0])).path).toBe('lane');
    expect((await visit('/feed?kept')).path).toBe('lane');
    expect((await visit('/feed?gone')).path).toBe('full');
  }, 60_000);

  it('the fast lane holds eight variants of the request per URL', async () => {
    const { visit, untilKnown } = await start(platform);
    const origins = Array.from({ length: 9 }, (_, index) => ({ origin: `https://${index}.example` }));
    for (const origin of origins.slice(0, 8)) await untilKnown('/feed', origin);
    for (const origin of origins.slice(0, 8)) expect((await visit('/feed', origin)).path).toBe('lane');
    await untilKnown('/feed', origins[8]);
    expect((await visit('/feed', origins[0])).path).toBe('full');
  });

  it('the fast lane serves URLs of at most 2,048 characters', async () => {
    const { visit, untilKnown } = await start(platform);
    const longest = `/feed?${'x'.repeat(2_042)}`;
    await untilKnown(longest);
    for (let turn = 0; turn < 5; turn++) expect((await visit(`${longest}x`)).path).toBe('full');
  });
});

describe('the fast lane turns itself off', () => {
  it('the fast lane turns itself off for a handler if other code runs before it, and names that code', async () => {
    const { visit } = await start('express', (app) => {
      const express = (app.getHttpAdapter() as ExpressAdapter).getInstance<{
        all(path: string, handler: (...args: never[]) => void): void;
      }>();
      express.all('/fee{*rest}', function audit(_request: never, _response: never, next: () => void) {
        next();
      });
    });
    for (let turn = 0; turn < 5; turn++) expect((await visit()).path).toBe('full');
    expect(said).toEqual([
      {
        level: 'warn',
        code: 'FAST_LANE_CLOSED',
        message: expect.stringMatching(/^FeedController\.feed\(\): audit turned out to come before it/),
      },
    ]);
  });

  it('the fast lane turns itself off for all handlers if it fails, logs it once, and lets the full path answer', async () => {
    const { server, visit, untilKnown } = await start('express');
    await untilKnown();
    server.prependOnceListener('request', (_request, response: ServerResponse) => {
      const { writeHead } = response;
      response.writeHead = () => {
        response.writeHead = writeHead;
        throw new TypeError('of somebody else');
      };
    });
    expect(await visit()).toMatchObject({ path: 'full', body: '{"feed":"open"}' });
    for (let turn = 0; turn < 4; turn++) expect((await visit()).path).toBe('full');
    expect(said).toEqual([{ level: 'error', code: 'FAST_LANE_FAILED', message: expect.any(String) }]);
  });
});
