import { AsyncLocalStorage } from 'node:async_hooks';
import { request as ask, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Injectable,
  type NestInterceptor,
  Query,
  RequestTimeoutException,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { from, lastValueFrom, mergeMap, type Observable, raceWith, Subject, throwError } from 'rxjs';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';
import { settle } from '../support/manual-clock.js';

/** Gates that handlers wait at, by name. */
let gates: Map<string, () => void>;
let calls: number;
/** Triggers the timeouts. */
let impatience: Subject<void>;
let warned: { code?: string; message?: string }[];

interface Reply {
  header(name: string, value: string): unknown;
}
const responses = new AsyncLocalStorage<{ setHeader(name: string, value: string): void }>();

/** Sets a header on the response of both adapters. */
function setHeader(response: object, name: string, value: string): void {
  if ('raw' in response) (response as unknown as Reply).header(name, value);
  else (response as { setHeader(name: string, value: string): void }).setHeader(name, value);
}

function wait(name: string): Promise<void> {
  return new Promise((resolve) => gates.set(name, resolve));
}

/** Times out as `timeout()` of rxjs does: unsubscribes, then fails. */
@Injectable()
class Impatient implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    if (headers['x-impatient'] === undefined) return next.handle();
    const over = impatience.pipe(mergeMap(() => throwError(() => new RequestTimeoutException())));
    return next.handle().pipe(raceWith(over));
  }
}

/** Times out without unsubscribing. */
@Injectable()
class Hasty implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    if (headers['x-impatient'] === undefined) return next.handle();
    const over = new Promise((_, reject) => impatience.subscribe(() => reject(new RequestTimeoutException())));
    return from(Promise.race([lastValueFrom(next.handle()), over]));
  }
}

@Injectable()
class CookieBefore implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    setHeader(context.switchToHttp().getResponse<object>(), 'set-cookie', 'seen=1');
    return next.handle();
  }
}

@Controller()
class Feeds {
  @Get('plain')
  @Cached('plain:*')
  plain() {
    return { call: ++calls };
  }

  @Get('cookie')
  @Cached('cookie:*', { shared: true })
  cookie(@Res({ passthrough: true }) response: object) {
    setHeader(response, 'set-cookie', `own=${calls}`);
    return { call: ++calls };
  }

  @Get('hidden')
  @Cached('hidden:*')
  hidden() {
    responses.getStore()?.setHeader('set-cookie', 'hidden=1');
    return { call: ++calls };
  }

  @Get('intercepted')
  @UseInterceptors(CookieBefore)
  @Cached('intercepted:*')
  intercepted() {
    return { call: ++calls };
  }

  @Get('impatient')
  @UseInterceptors(Impatient)
  @Cached('impatient:*')
  async impatient(@Query('page') page = '1') {
    const call = ++calls;
    await wait(page);
    return { page, call };
  }

  @Get('hasty')
  @UseInterceptors(Hasty)
  @Cached('hasty:*')
  async hasty(@Query('page') page = '1') {
    const call = ++calls;
    await wait(page);
    return { page, call };
  }

  @Get('held')
  @UseInterceptors(Impatient)
  @Cached('held:*', { shared: true })
  async held(@Res({ passthrough: true }) response: object) {
    const call = ++calls;
    await wait(`held ${call}`);
    setHeader(response, 'x-call', String(call));
    return { call };
  }

  @Get('stale')
  @Cached('stale:GET /stale', { staleWhileRevalidate: '1h' })
  stale() {
    return { call: ++calls };
  }
}

let visits: number;

async function start(platform: Platform, configure: (app: INestApplication) => void = () => {}) {
  const warn = (said: { code?: string; message?: string }) => void warned.push(said);
  const booted = await boot(
    platform,
    { imports: [CacheObservabilityModule.forRoot({ prometheus: false })], controllers: [Feeds] },
    { configure, logger: { log() {}, error() {}, warn } as never },
  );
  const server = booted.app.getHttpServer() as Server;
  if (!server.listening) await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  /** Sends a request on its own connection. */
  const send = (path: string, headers: Record<string, string> = {}) => {
    const sent = ask({ port, host: '127.0.0.1', path, headers, agent: false });
    const answer = new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
      (resolve, reject) => {
        sent.on('response', (message) => {
          let body = '';
          message.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
          message.on('end', () => resolve({ status: message.statusCode!, headers: message.headers, body }));
        });
        sent.on('error', reject).end();
      },
    );
    return { answer, leave: () => sent.destroy() };
  };
  const get = (path: string, headers: Record<string, string> = {}) => send(path, headers).answer;
  return { ...booted, get, send };
}

/** Waits until a handler waits at a gate. */
async function reached(name: string): Promise<void> {
  while (!gates.has(name)) await settle();
}

const codes = () => warned.map(({ code }) => code).filter((code) => code === 'NOT_CACHED');

beforeEach(() => {
  gates = new Map();
  impatience = new Subject();
  calls = 0;
  visits = 0;
  warned = [];
});
afterEach(closeApps);

describe.each(platforms)('earlier response headers, on %s', (platform) => {
  /** Each visitor gets a separate cookie. */
  const cookies = (app: INestApplication) =>
    app.use((_: unknown, response: { setHeader(name: string, value: string): void }, next: () => void) => {
      response.setHeader('Set-Cookie', `visit=${++visits}`);
      response.setHeader('X-Visit', String(visits));
      next();
    });

  it('a cookie that middleware sets on each response does not prevent caching', async () => {
    const { get } = await start(platform, cookies);
    const answers = [await get('/plain'), await get('/plain')];
    expect(answers.map(({ body, headers }) => [body, headers['x-cache'], headers['set-cookie']])).toEqual([
      ['{"call":1}', 'MISS', ['visit=1']],
      ['{"call":1}', 'HIT', ['visit=2']],
    ]);
    expect(answers[1]!.headers['x-visit']).toBe('2');
    expect(codes()).toEqual([]);
  });

  it('a cookie that an outer interceptor sets does not prevent caching', async () => {
    const { get } = await start(platform);
    for (const state of ['MISS', 'HIT'])
      expect((await get('/intercepted')).headers).toMatchObject({ 'x-cache': state, 'set-cookie': ['seen=1'] });
  });

  it.each(['cookie', 'hidden'])('a cookie that the handler sets prevents caching: /%s', async (path) => {
    const { get } = await start(platform, (app) => {
      cookies(app);
      app.use((_: unknown, response: { setHeader(name: string, value: string): void }, next: () => void) =>
        responses.run(response, next),
      );
    });
    for (const call of [1, 2, 3]) {
      const { headers, body } = await get(`/${path}`);
      expect(headers['x-cache']).toBe('MISS');
      expect(body).toBe(`{"call":${call}}`);
    }
    expect(codes()).toEqual(['NOT_CACHED']);
    expect(warned.find(({ code }) => code === 'NOT_CACHED')!.message).toMatch(/^Feeds\.\w+\(\): .*cookie/);
  });
});

describe.each(platforms)('late loads on %s', (platform) => {
  it.each(['impatient', 'hasty'])('a late load is stored and answers the callers that joined it: /%s', async (path) => {
    const { get } = await start(platform);
    const first = get(`/${path}?page=2`, { 'x-impatient': 'yes' });
    await reached('2');
    const joined = get(`/${path}?page=2`);
    await settle();
    impatience.next();
    expect((await first).status).toBe(408);
    gates.get('2')!();
    const answer = await joined;
    expect([answer.status, answer.body]).toEqual([200, '{"page":"2","call":1}']);
    const later = await get(`/${path}?page=2`);
    expect([later.status, later.body, later.headers['x-cache']]).toEqual([200, answer.body, 'HIT']);
    expect(later.headers['content-type']).toMatch(/^application\/json/);
    expect(calls).toBe(1);
  });

  it('a late load is stored though its client has disconnected', async () => {
    const { get, send } = await start(platform);
    const { answer, leave } = send('/impatient?page=3');
    const gone = answer.catch((error: Error) => error.message);
    await reached('3');
    const joined = get('/impatient?page=3');
    await settle();
    leave();
    expect(await gone).toMatch(/hang up/);
    gates.get('3')!();
    expect((await joined).body).toBe('{"page":"3","call":1}');
    expect((await get('/impatient?page=3')).headers['x-cache']).toBe('HIT');
    expect(calls).toBe(1);
  });

  it('a late load that writes to its response is not shared: the joined callers load themselves', async () => {
    const { get } = await start(platform);
    const first = get('/held', { 'x-impatient': 'yes' });
    await reached('held 1');
    const joined = get('/held');
    await settle();
    impatience.next();
    expect((await first).status).toBe(408);
    gates.get('held 1')!();
    await reached('held 2');
    gates.get('held 2')!();
    const answer = await joined;
    expect([answer.status, answer.body, answer.headers['x-call']]).toEqual([200, '{"call":2}', '2']);
  });

  it('a late load stores no header of the stale response', async () => {
    const { get, app } = await start(platform);
    const old = await get('/stale');
    await app.get(ObservedCache).expire('stale:GET /stale');
    const stale = await get('/stale');
    expect([stale.headers['x-cache'], stale.body]).toEqual(['STALE', old.body]);
    await settle();
    const fresh = await get('/stale');
    expect([fresh.headers['x-cache'], fresh.body]).toEqual(['HIT', '{"call":2}']);
    expect(fresh.headers.etag).not.toBe(old.headers.etag);
    expect((await get('/stale', { 'if-none-match': String(fresh.headers.etag) })).status).toBe(304);
    expect((await get('/stale', { 'if-none-match': String(old.headers.etag) })).status).toBe(200);
  });
});
