import 'reflect-metadata';
import { Agent, type IncomingMessage, request as send, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Headers,
  type INestApplication,
  Query,
  Req,
  type Type,
  UseGuards,
} from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import type { CachedOptions } from '../../lib/caching/options/cached.options.js';
import { FastLane } from '../../lib/caching/fast-lane/fast-lane.js';
import { RouteAnswer } from '../../lib/caching/http/route-answer.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';

/*
 * Promise: no caller gets another caller's response, for every kind of identity, on every path of a hit, and through
 * any cache between the application and its callers. Handlers return the identity that they read, so the expected
 * response is known.
 */

/** The identity of a caller. */
interface Caller {
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
  readonly tenant: string | undefined;
  readonly apiKey: string | undefined;
  readonly token: string | undefined;
  readonly host: string;
}

/** The request that a handler gets, after middleware and guards. */
interface Seen {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly query: Readonly<Record<string, unknown>>;
  user?: { readonly id: string };
  session?: { readonly user: string };
  cookies?: Readonly<Record<string, string>>;
}

interface Source {
  /** The option `vary`. */
  readonly vary: NonNullable<CachedOptions['vary']>;
  /** Reads the identity in a handler. */
  readonly read: (request: Seen) => unknown;
  /** The expected response for a caller. */
  readonly of: (caller: Caller) => unknown;
  /** True if the fast lane accepts such handlers. */
  readonly lane?: true;
}

const nameIn = (text: string | undefined) => /(?:Bearer |sid=)(\w+)/.exec(text ?? '')?.[1];

const sources = {
  user: { vary: 'user.id?', read: ({ user }) => user?.id, of: ({ authorization }) => nameIn(authorization) },
  required: { vary: 'user.id', read: ({ user }) => user?.id, of: ({ authorization }) => nameIn(authorization) },
  found: {
    vary: ({ request }) => (request?.user as Seen['user'])?.id,
    read: ({ user }) => user?.id,
    of: ({ authorization }) => nameIn(authorization),
  },
  session: { vary: ['session.user?'], read: ({ session }) => session?.user, of: ({ cookie }) => nameIn(cookie) },
  cookie: { vary: 'cookies.sid', read: ({ cookies }) => cookies?.['sid'], of: ({ cookie }) => nameIn(cookie) },
  authorization: {
    vary: 'headers.authorization?',
    read: ({ headers }) => headers['authorization'],
    of: ({ authorization }) => authorization,
  },
  tenant: {
    vary: 'headers.X-Tenant?',
    read: ({ headers }) => headers['x-tenant'],
    of: ({ tenant }) => tenant,
    lane: true,
  },
  apiKey: {
    vary: 'headers.x-api-key',
    read: ({ headers }) => headers['x-api-key'],
    of: ({ apiKey }) => apiKey,
    lane: true,
  },
  token: { vary: 'query.token?', read: ({ query }) => query['token'], of: ({ token }) => token, lane: true },
  host: { vary: 'headers.host', read: ({ headers }) => headers['host'], of: ({ host }) => host, lane: true },
} satisfies Record<string, Source>;
type SourceName = keyof typeof sources;

/** Each source alone, and combinations. */
const mixes: readonly (readonly SourceName[])[] = [
  ...(Object.keys(sources) as SourceName[]).map((name) => [name]),
  ['user', 'session'],
  ['session', 'tenant'],
  ['cookie', 'apiKey', 'token'],
  ['authorization', 'host'],
  ['tenant', 'host'],
  ['tenant', 'token', 'host'],
  ['found', 'tenant'],
];

interface Variant {
  readonly name: string;
  readonly lane: boolean;
  readonly of: (caller: Caller) => unknown;
  readonly options: CachedOptions;
  /** If undefined, the handler has its request. */
  readonly parameters?: readonly ParameterDecorator[];
  readonly read: (...args: never[]) => unknown;
}

function mixOf(names: readonly SourceName[]): Variant {
  const mixed: readonly Source[] = names.map((name) => sources[name]);
  return {
    name: names.join('-'),
    lane: mixed.every(({ lane }) => lane === true),
    of: (caller) => mixed.map((source) => source.of(caller) ?? null),
    options: { vary: mixed.flatMap(({ vary }) => vary) },
    read: (request: Seen) => mixed.map(({ read }) => read(request) ?? null),
  };
}

const variants: readonly Variant[] = [
  ...mixes.map(mixOf),
  {
    name: 'declared',
    lane: true,
    of: ({ tenant, token }) => [tenant ?? null, token ?? null],
    options: {},
    parameters: [Headers('x-tenant'), Query('token')],
    read: (tenant: unknown, token: unknown) => [tenant ?? null, token ?? null],
  },
  { name: 'nothing', lane: true, of: () => 'all', options: {}, parameters: [], read: () => 'all' },
  { name: 'shared', lane: true, of: () => 'all', options: { shared: true }, parameters: [], read: () => 'all' },
];

/** Sets the user in a guard, as authentication does. */
class Authenticates implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    setUser(context.switchToHttp().getRequest<Seen>());
    return true;
  }
}

function setUser(request: Seen): void {
  const id = nameIn(request.headers['authorization']);
  if (id !== undefined) request.user = { id };
}

const ways = ['uncached', 'route', 'chain', 'lane'] as const;
type Way = (typeof ways)[number];

function controllerOf(way: Way): Type {
  class Handlers {}
  const { prototype } = Handlers as { prototype: object };
  for (const { name, lane, options, parameters = [Req()], read } of variants) {
    if (way === 'lane' && !lane) continue;
    const method = async (...args: never[]) => {
      await new Promise((turn) => setImmediate(turn));
      return { name, seen: read(...args) };
    };
    Object.defineProperty(prototype, name, { value: method, configurable: true, writable: true });
    parameters.forEach((decorate, index) => decorate(prototype, name, index));
    const all: CachedOptions = {
      ttl: '5m',
      clientCache: true,
      ...options,
      ...(way === 'lane' && { fastLane: { skipMiddleware: ['identify'] } }),
    };
    const decorators = [Get(name), ...(way === 'uncached' ? [] : [Cached(`${way}-${name}:*`, all)])];
    for (const decorate of decorators.reverse()) {
      const current = Object.getOwnPropertyDescriptor(prototype, name)!;
      decorate(prototype, name, current);
      Object.defineProperty(prototype, name, current);
    }
    if (way === 'chain') UseGuards(Authenticates)(prototype, name, Object.getOwnPropertyDescriptor(prototype, name)!);
  }
  Controller(way)(Handlers);
  return Handlers;
}

/** Middleware of sessions that also sends the caller's identity in headers. */
function identifies(request: Seen & { readonly url: string }, setHeader: (name: string, value: string) => void): void {
  const { headers } = request;
  const sid = nameIn(headers['cookie']);
  request.cookies = sid === undefined ? {} : { sid };
  if (sid !== undefined) request.session = { user: sid };
  if (!request.url.startsWith('/chain')) setUser(request);
  setHeader('x-member', memberOf(headers['cookie'], headers['authorization'], headers['x-api-key']));
}

const memberOf = (...said: (string | undefined)[]) =>
  said.map((text) => text?.split('').reverse().join('') ?? '').join('.');

function configureOf(platform: Platform): (app: INestApplication) => void {
  if (platform === 'express') {
    return (app) =>
      void app.use(function identify(request: never, response: ServerResponse, next: () => void) {
        identifies(request, (name, value) => response.setHeader(name, value));
        next();
      });
  }
  return (app) =>
    void (app as NestFastifyApplication)
      .getHttpAdapter()
      .getInstance()
      .addHook('onRequest', function identify(request, reply, done) {
        identifies(request as never, (name, value) => void reply.header(name, value));
        done();
      });
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Asked {
  readonly variant: number;
  readonly way: Way;
  readonly caller: Caller;
  readonly method: 'GET' | 'HEAD';
  readonly conditional: boolean;
}

const sometimes = (...values: string[]) => fc.option(fc.constantFrom(...values), { nil: undefined, freq: 2 });
const named = {
  tenant: sometimes('one', 'two', 'one,two', ''),
  token: sometimes('t1', 't2', ''),
  host: fc.constantFrom('one.example', 'two.example'),
};
const never = fc.constant(undefined);
const caller: fc.Arbitrary<Caller> = fc.oneof(
  fc.record({
    authorization: sometimes('Bearer ann', 'Bearer bob'),
    cookie: sometimes('sid=ann', 'sid=bob', 'theme=dark; sid=ann', 'theme=dark'),
    apiKey: sometimes('key1', 'key2'),
    ...named,
  }),
  // The lane answers few requests with other credentials.
  fc.record({ authorization: never, cookie: never, apiKey: never, ...named }),
);

/** Groups of concurrent requests; each request is repeated, so that the lane learns and answers. */
const requests = fc.array(
  fc.tuple(
    fc.array(
      fc.record<Asked>({
        variant: fc.nat({ max: variants.length - 1 }),
        way: fc.constantFrom(...ways, 'lane'),
        caller,
        method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD'),
        conditional: fc.boolean(),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    fc.integer({ min: 1, max: 5 }),
  ),
  { minLength: 1, maxLength: 8 },
);

/** A cache between the application and its callers that stores and reuses everything RFC 9111 allows. */
class SharedCache {
  readonly #stored = new Map<
    string,
    { readonly vary: readonly string[]; readonly asked: Sent; readonly body: string }[]
  >();

  /** The stored bodies that may answer a request. */
  *reusable(url: string, asked: Sent): Iterable<string> {
    for (const { vary, asked: before, body } of this.#stored.get(url) ?? [])
      if (vary.every((name) => before[name] === asked[name])) yield body;
  }

  store(url: string, asked: Sent, { status, headers, body }: Answer): void {
    const control = headers['cache-control'] ?? '';
    const vary = (headers.vary ?? '')
      .toLowerCase()
      .split(/\s*,\s*/)
      .filter((name) => name !== '');
    if (status !== 200 || body === '' || /private|no-store/.test(control) || vary.includes('*')) return;
    if (asked['authorization'] !== undefined && !/public|s-maxage|must-revalidate/.test(control)) return;
    if (!/max-age=[1-9]/.test(control)) return;
    this.#stored.set(url, [...(this.#stored.get(url) ?? []), { vary, asked, body }]);
  }
}

type Sent = Readonly<Record<string, string>>;

function sentBy({ authorization, cookie, tenant, apiKey, host }: Caller): Sent {
  const all = { authorization, cookie, 'x-tenant': tenant, 'x-api-key': apiKey, host };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Sent;
}

describe.each(platforms)('callers on %s', (platform) => {
  const agent = new Agent({ keepAlive: true });
  /** Entity tags by their body. */
  const tags = new Map<string, string>();
  const between = new SharedCache();
  let port: number;

  beforeAll(async () => {
    const { app } = await boot(
      platform,
      {
        imports: [CacheObservabilityModule.forRoot({ prometheus: false, monitoring: false })],
        controllers: ways.map(controllerOf),
      },
      { configure: configureOf(platform) },
    );
    const server = app.getHttpServer() as Server;
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(async () => {
    agent.destroy();
    await closeApps();
  });

  function ask(method: string, path: string, headers: Sent): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = send({ port, host: '127.0.0.1', method, path, headers, agent }, (message) => {
        let body = '';
        message.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        message.on('end', () => resolve({ status: message.statusCode!, headers: message.headers, body }));
      });
      sent.on('error', reject).end();
    });
  }

  async function check({ variant: index, way, caller: who, method, conditional }: Asked): Promise<void> {
    const { name, lane, of } = variants[index]!;
    if (way === 'lane' && !lane) return;
    const body = JSON.stringify({ name, seen: of(who) });
    const headers = sentBy(who);
    const path = `/${way}/${name}${who.token === undefined ? '' : `?token=${who.token}`}`;
    const url = `${method} ${who.host}${path}`;
    for (const reused of between.reusable(url, headers))
      expect({ url, headers, body: reused }).toEqual({ url, headers, body });
    // Also try the tag of another caller's response.
    const tag = conditional ? [...tags.values()][index % Math.max(tags.size, 1)] : undefined;
    const answer = await ask(method, path, { ...headers, ...(tag !== undefined && { 'if-none-match': tag }) });
    const context = { url, headers, tag };
    expect({ ...context, member: answer.headers['x-member'] }).toEqual({
      ...context,
      member: memberOf(who.cookie, who.authorization, who.apiKey),
    });
    if (answer.status === 304) {
      expect({ ...context, tag: tags.get(body) }).toEqual(context);
      return;
    }
    expect({ ...context, status: answer.status, body: answer.body }).toEqual({
      ...context,
      status: 200,
      body: method === 'HEAD' ? '' : body,
    });
    expect({ ...context, length: answer.headers['content-length'] }).toEqual({
      ...context,
      length: String(body.length),
    });
    if (way !== 'uncached' && answer.headers.etag !== undefined) tags.set(body, answer.headers.etag);
    between.store(url, headers, answer);
  }

  it('callers get their own responses, on every path and from caches in between', async () => {
    const lane = jest.spyOn(FastLane.prototype, 'answer');
    const route = jest.spyOn(RouteAnswer.prototype, 'answer');
    await fc.assert(
      fc.asyncProperty(requests, async (groups) => {
        for (const [group, times] of groups) {
          for (let turn = 0; turn < times; turn++) await Promise.all(group.map(check));
        }
      }),
      { numRuns: 80 },
    );
    const answered = (spy: { mock: { results: { value?: unknown }[] } }) =>
      spy.mock.results.filter(({ value }) => value === true).length;
    expect(answered(lane)).toBeGreaterThan(5);
    expect(answered(route)).toBeGreaterThan(50);
    jest.restoreAllMocks();
  }, 120_000);
});
