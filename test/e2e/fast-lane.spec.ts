import { request as ask, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Body,
  type CanActivate,
  Controller,
  Get,
  Headers,
  type INestApplication,
  type MiddlewareConsumer,
  Module,
  Param,
  Post,
  Query,
  UseGuards,
  UseInterceptors,
  VersioningType,
} from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import type { CacheObservabilityOptions } from '../../lib/options/cache-observability.options.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { CacheMetrics } from '../../lib/metrics/cache-metrics.js';
import { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';

/** Requests that reached the framework. */
let full = 0;

/** Counts, and sets headers as security middleware does. */
class Helmet {
  use(_request: unknown, response: { setHeader(name: string, value: string): void }, next: () => void): void {
    full++;
    response.setHeader('X-Frame-Options', 'SAMEORIGIN');
    response.setHeader('Strict-Transport-Security', 'max-age=15552000; includeSubDomains');
    next();
  }
}

const LANE = { fastLane: { skipMiddleware: ['Helmet'] } } as const;

@Controller('feeds')
class FeedController {
  #calls = 0;

  @Get('items/:id')
  @Cached('feed:*', { ttl: '5m', ...LANE })
  item(@Param('id') id: string, @Query('page') page = '1') {
    return { id, page, text: 'grün', call: ++this.#calls };
  }

  @Get('language')
  @Cached('language:*', { ttl: '5m', ...LANE })
  language(@Headers('accept-language') language: string) {
    return { language };
  }

  @Get('shared')
  @Cached('shared:*', { ttl: '5m', shared: true, ...LANE })
  shared() {
    return { shared: true };
  }

  @Get('directed')
  @Cached('directed:*', { ttl: '5m', honorRequestDirectives: true, clientCache: '1m', ...LANE })
  directed() {
    return { call: ++this.#calls };
  }
}

interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}

async function get(app: INestApplication, path: string, headers: Record<string, string> = {}, method = 'GET') {
  const server = app.getHttpServer() as Server;
  if (!server.listening) await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return new Promise<Answer>((resolve, reject) => {
    const sent = ask({ port, host: '127.0.0.1', path, headers, method, agent: false }, (message: IncomingMessage) => {
      let body = '';
      message.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      message.on('end', () => {
        const raw = message.rawHeaders.map((text, at) => (message.rawHeaders[at - 1] === 'Date' ? 'now' : text));
        resolve({ status: message.statusCode!, headers: raw, body });
      });
    });
    sent.on('error', reject).end();
  });
}

function start(
  platform: Platform,
  options: CacheObservabilityOptions = {},
  configure?: (app: INestApplication) => void,
  controllers: (new () => object)[] = [FeedController],
) {
  @Module({
    imports: [CacheObservabilityModule.forRoot({ prometheus: { defaultMetrics: false }, ...options })],
    controllers,
  })
  class LaneModule {
    configure(consumer: MiddlewareConsumer): void {
      consumer.apply(Helmet).forRoutes('*');
    }
  }
  full = 0;
  return boot(platform, { imports: [LaneModule] }, configure === undefined ? {} : { configure });
}

/** Sends requests until the lane answers; returns the last response of the framework and that of the lane. */
async function both(app: INestApplication, path: string, headers: Record<string, string> = {}, method = 'GET') {
  let before = await get(app, path, headers, method);
  for (let turn = 0; turn < 6; turn++) {
    const passed = full;
    const answer = await get(app, path, headers, method);
    if (full === passed) return { full: before, lane: answer };
    before = answer;
  }
  return { full: before, lane: undefined };
}

const xCache = ({ headers }: Answer) => headers[headers.indexOf('x-cache') + 1];

describe.each(platforms)('the fast lane on %s', (platform) => {
  afterEach(closeApps);

  it('the fast lane answers a hit like the full path, header by header', async () => {
    const { app } = await start(platform);
    const { full: slow, lane } = await both(app, '/feeds/items/7?page=2');
    expect(lane).toEqual(slow);
    expect(xCache(slow)).toBe('HIT');
    expect(JSON.parse(lane!.body)).toEqual({ id: '7', page: '2', text: 'grün', call: 1 });
    expect(lane!.headers).toContain('X-Frame-Options');
  });

  it('the fast lane sends the CORS headers of each origin and the security headers of Nest', async () => {
    const { app } = await start(platform, {}, (configured) => {
      configured.enableCors({ origin: true, credentials: true });
      configured.useSecurityHeaders();
    });
    for (const origin of ['https://one.example', 'https://two.example']) {
      const { full: slow, lane } = await both(app, '/feeds/items/7', { origin });
      expect(lane).toEqual(slow);
      expect(lane!.headers[lane!.headers.findIndex((name) => /^access-control-allow-origin$/i.test(name)) + 1]).toBe(
        origin,
      );
    }
    const { full: slow, lane } = await both(app, '/feeds/items/7');
    expect(lane).toEqual(slow);
  });

  it('the fast lane answers If-None-Match with the same 304', async () => {
    const { app } = await start(platform);
    const { headers } = await get(app, '/feeds/items/7');
    const tag = headers[headers.findIndex((name) => name.toLowerCase() === 'etag') + 1]!;
    await both(app, '/feeds/items/7');
    const { full: slow, lane } = await both(app, '/feeds/items/7', { 'if-none-match': tag });
    expect(lane).toEqual(slow);
    expect(lane).toMatchObject({ status: 304, body: '' });
  });

  it('the fast lane answers HEAD like the full path', async () => {
    const { app } = await start(platform);
    await get(app, '/feeds/items/7');
    const { full: slow, lane } = await both(app, '/feeds/items/7', {}, 'HEAD');
    expect(lane).toEqual(slow);
    expect(lane).toMatchObject({ status: 200, body: '' });
  });

  it('the fast lane sends standard headers with current values', async () => {
    const { app } = await start(platform, { http: { headers: 'standard' } });
    const { full: slow, lane } = await both(app, '/feeds/items/7');
    const names = (answer: Answer) => answer.headers.filter((_, at) => at % 2 === 0);
    expect(names(lane!)).toEqual(names(slow));
    expect(lane!.headers.join('\n')).toMatch(/cache-status\nnestjs-cache-observability; hit; ttl=\d+\nage\n\d+/);
  });

  it('the fast lane counts every hit under the pattern and the endpoint', async () => {
    const { app } = await start(platform);
    await both(app, '/feeds/items/7');
    const asked = full;
    for (let turn = 0; turn < 5; turn++) await get(app, '/feeds/items/7');
    expect(full).toBe(asked);
    const metrics = app.get(CacheMetrics);
    const [pattern] = metrics.getAllPatternStats();
    expect(pattern).toMatchObject({ pattern: 'feed:*', totalRequests: asked + 6, cacheMisses: 1 });
    const [endpoint] = metrics.getEndpointStats();
    expect(endpoint).toMatchObject({ endpoint: 'GET /feeds/items/:id', totalRequests: asked + 6 });
  });

  it('the fast lane separates callers by declared headers', async () => {
    const { app } = await start(platform);
    for (const language of ['de', 'fr']) {
      const { lane } = await both(app, '/feeds/language', { 'accept-language': language });
      expect(JSON.parse(lane!.body)).toEqual({ language });
    }
  });

  it('the fast lane leaves requests with Authorization to the full path unless the response is shared', async () => {
    const { app } = await start(platform);
    const headers = { authorization: 'Bearer x' };
    await both(app, '/feeds/items/7');
    expect(await both(app, '/feeds/items/7', headers)).toMatchObject({ lane: undefined });
    await both(app, '/feeds/shared', headers);
    expect((await both(app, '/feeds/shared', headers)).lane).toMatchObject({ status: 200 });
  });

  it('the fast lane obeys request directives if the handler honours them', async () => {
    const { app } = await start(platform);
    const { full: slow, lane } = await both(app, '/feeds/directed');
    expect(lane!.headers.join('\n')).toMatch(/cache-control\npublic, max-age=\d+/);
    expect(slow.body).toBe(lane!.body);
    const answer = await get(app, '/feeds/directed', { 'cache-control': 'no-cache' });
    expect(xCache(answer)).toBe('MISS');
  });

  it('the fast lane leaves unknown URLs to the framework, however similar', async () => {
    const { app } = await start(platform);
    await both(app, '/feeds/items/7');
    for (const path of [
      '/feeds/items/%37',
      '/feeds/items/7/',
      '//feeds/items/7',
      '/FEEDS/items/7',
      '/feeds/items/7?',
    ]) {
      const passed = full;
      await get(app, path);
      expect([path, full]).toEqual([path, passed + 1]);
    }
  });

  it('the fast lane serves the new value after a reload', async () => {
    const { app } = await start(platform);
    const { lane } = await both(app, '/feeds/items/7');
    await app.get(ObservedCache).deleteByPattern('feed:*');
    expect(xCache(await get(app, '/feeds/items/7'))).toBe('MISS');
    const again = await get(app, '/feeds/items/7');
    expect(again.body).not.toBe(lane!.body);
    expect(again.headers[again.headers.indexOf('etag') + 1]).not.toBe(lane!.headers[lane!.headers.indexOf('etag') + 1]);
  });

  it('the fast lane leaves a response that became bytes meanwhile to the framework', async () => {
    let answer: unknown = { text: true };
    @Controller('bytes')
    class BytesController {
      @Get()
      @Cached('bytes:*', LANE)
      all() {
        return answer;
      }
    }
    const { app } = await start(platform, {}, undefined, [BytesController]);
    expect((await both(app, '/bytes')).lane).toBeDefined();
    answer = Buffer.from('plain bytes');
    await app.get(ObservedCache).deleteByPattern('bytes:*');
    await get(app, '/bytes');
    const passed = full;
    expect(xCache(await get(app, '/bytes'))).toBe('HIT');
    expect(full).toBe(passed + 1);
  });

  it('the fast lane leaves responses whose headers differ from request to request to the full path', async () => {
    let number = 0;
    const { app } = await start(platform, { http: { fastLane: { skipMiddleware: true } } }, (configured) => {
      configured.use((_: unknown, response: { setHeader(name: string, value: string): void }, next: () => void) => {
        response.setHeader('X-Request-Id', String(++number));
        next();
      });
    });
    expect(await both(app, '/feeds/items/7')).toMatchObject({ lane: undefined });
  });

  it("the fast lane never sends one caller's header values to another", async () => {
    const { app } = await start(platform, { http: { fastLane: { skipMiddleware: true } } }, (configured) => {
      configured.use(
        (
          request: { headers: Record<string, string | undefined> },
          response: { setHeader(name: string, value: string): void },
          next: () => void,
        ) => {
          response.setHeader('X-Trace', request.headers['x-trace'] ?? 'none');
          next();
        },
      );
    });
    const headers = { 'x-trace': 'evil' };
    expect(await both(app, '/feeds/items/7', headers)).toMatchObject({ lane: undefined });
    const { lane } = await both(app, '/feeds/items/7');
    expect(lane!.headers[lane!.headers.indexOf('X-Trace') + 1]).toBe('none');
  });

  it('the fast lane never replays a cookie', async () => {
    const { app } = await start(platform, { http: { fastLane: { skipMiddleware: true } } }, (configured) => {
      configured.use((_: unknown, response: { setHeader(name: string, value: string): void }, next: () => void) => {
        response.setHeader('Set-Cookie', 'sid=1');
        next();
      });
    });
    expect(await both(app, '/feeds/items/7')).toMatchObject({ lane: undefined });
  });

  it('the fast lane serves under a global prefix and URI versions', async () => {
    @Controller({ path: 'versioned', version: '2' })
    class VersionedController {
      @Get()
      @Cached('versioned:*', LANE)
      all() {
        return { version: 2 };
      }
    }
    const { app } = await start(
      platform,
      {},
      (configured) => configured.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI }),
      [VersionedController],
    );
    const { full: slow, lane } = await both(app, '/api/v2/versioned');
    expect(lane).toEqual(slow);
  });

  it('the fast lane detaches from the server when the application closes', async () => {
    const { app, close } = await start(platform);
    const server = app.getHttpServer() as Server;
    const front = server.listeners('request');
    await both(app, '/feeds/items/7');
    await close();
    expect(server.listeners('request')).not.toEqual(front);
    expect(server.listeners('request')).toHaveLength(front.length);
  });

  it('the fast lane refuses to start if a guard, an interceptor or a key of a body is in between, and names each', async () => {
    class Guard implements CanActivate {
      canActivate = () => true;
    }
    class Interceptor {
      intercept(_: unknown, next: { handle(): never }) {
        return next.handle();
      }
    }
    @Controller('refused')
    class RefusedController {
      @Get('guarded')
      @UseGuards(Guard)
      @Cached('guarded:*', LANE)
      guarded() {
        return 1;
      }

      @Get('mapped')
      @UseInterceptors(Interceptor)
      @Cached('mapped:*', LANE)
      mapped() {
        return 1;
      }

      @Post('named')
      @Cached('named:*', { key: () => 'x', methods: ['POST'], ...LANE })
      named() {
        return 1;
      }

      @Get('unnamed')
      @Cached('unnamed:*', { fastLane: true })
      unnamed() {
        return 1;
      }
    }
    const refused = start(platform, {}, undefined, [RefusedController]);
    await expect(refused).rejects.toMatchObject({ code: 'FAST_LANE_REFUSED' });
    const message = await refused.catch((error: Error) => error.message);
    for (const reason of ['a guard protects it', 'another interceptor', 'its own `key`', "skipMiddleware: ['Helmet']"])
      expect(message).toContain(reason);
  });

  it('the fast lane accepts a handler that reads a body if `ignore` names the body by its root or number', async () => {
    @Controller('ignored')
    class IgnoredController {
      @Get('root')
      @Cached('root:*', { ignore: ['body'], ...LANE })
      root(@Body('note') note: string) {
        return { note };
      }

      @Get('number')
      @Cached('number:*', { ignore: ['0'], ...LANE })
      number(@Body('note') note: string) {
        return { note };
      }

      @Get('read')
      @Cached('read:*', LANE)
      read(@Body('note') note: string) {
        return { note };
      }
    }
    const message = await start(platform, {}, undefined, [IgnoredController]).catch((error: Error) => error.message);
    expect(message).toMatch(
      /^IgnoredController\.read\(\) cannot answer before the framework: its key holds @Body\('note'\)/,
    );
  });

  it('the fast lane refuses header versioning and host routes', async () => {
    @Controller({ path: 'hosted', host: 'shop.example' })
    class HostedController {
      @Get()
      @Cached('hosted:*', LANE)
      all() {
        return 1;
      }
    }
    const refused = start(
      platform,
      {},
      (configured) => configured.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' }),
      [HostedController],
    );
    const message = await refused.catch((error: Error) => error.message);
    expect(message).toContain("the host 'shop.example'");
    expect(message).toContain('API versions are not part of the URL');
  });
});
