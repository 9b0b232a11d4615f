import { createRequire } from 'node:module';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import {
  Controller,
  Get,
  Headers,
  type INestApplication,
  type MiddlewareConsumer,
  Module,
  Param,
  Query,
} from '@nestjs/common';
import type { ExpressAdapter } from '@nestjs/platform-express';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { Cached } from '../../lib/caching/cached.decorator.js';
import type { Platform } from './apps.js';
import type { Adapter, LaneSetup, Middleware } from './lane-app.js';

/* Applications in which code before the handlers, which hits may skip, treats two callers differently. */

@Controller()
export class Shop {
  @Get('feed')
  @Cached('feed:*', { ttl: '5m' })
  feed() {
    return { feed: 'open' };
  }

  @Get('items/:id')
  @Cached('item:*', { ttl: '5m' })
  item(@Param('id') id: string, @Query('page') page = '1') {
    return { id, page };
  }

  @Get('language')
  @Cached('language:*', { ttl: '5m' })
  language(@Headers('accept-language') language: string) {
    return { language: language ?? null };
  }

  @Get('shared')
  @Cached('shared:*', { ttl: '5m', shared: true })
  shared() {
    return { shared: true };
  }
}

/** The same URL for one host only. */
@Controller({ host: 'one.example' })
class ShopOfOne {
  @Get('feed')
  feed() {
    return { feed: 'of one' };
  }
}

interface Caller {
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly from?: string;
}

export interface Application {
  /** Added before the handlers before the application starts. */
  readonly put?: (adapter: Adapter) => void;
  readonly configure?: (app: INestApplication) => void;
  readonly modules?: LaneSetup['modules'];
  readonly controllers?: LaneSetup['controllers'];
  readonly skip?: true | readonly string[];
  readonly callers: readonly [Caller, Caller];
  /** True if the lane answers some of the requests. */
  readonly answers: boolean;
}

const made = (said: unknown) => `of ${[...String(said)].reverse().join('')}`;

/** Middleware with a name that sends a header derived from the request. */
function sends(of: (request: IncomingMessage) => unknown, header = 'X-Made'): Middleware {
  return function sends(request, response, next) {
    const value = of(request);
    if (value !== undefined) response.setHeader(header, made(value));
    next();
  };
}

/** Changes a request before it reaches its handler. */
function changes(change: (request: IncomingMessage) => void): Middleware {
  return function changes(request, _response, next) {
    change(request);
    next();
  };
}

/** An application behind middleware that Express' and Fastify's `app.use()` add. */
const behind = (
  middleware: Middleware,
  callers: Application['callers'],
  more: Partial<Application> = {},
): Application => ({
  configure: (app) => void app.use(middleware),
  skip: [middleware.name],
  callers,
  answers: true,
  ...more,
});

const said = (name: string, one: string, two: string): Application['callers'] => [
  { headers: { [name]: one } },
  { headers: { [name]: two } },
];
const ips = (name: string) => said(name, '192.0.2.1', '198.51.100.2');
const header = (name: string) => (request: IncomingMessage) => request.headers[name];

class Country {
  use(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    response.setHeader('X-Country', made(request.headers['cf-ipcountry']));
    next();
  }
}
@Module({})
class CountryModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(Country).forRoutes('*path');
  }
}

/** Applications on both platforms, by the code before their handlers. */
export const onBoth: Record<string, Application> = {
  'no other code': { callers: ips('x-forwarded-for'), answers: true },
  'a country of CF-Connecting-IP': behind(sends(header('cf-connecting-ip')), ips('cf-connecting-ip')),
  'a plan of Fastly-Client-IP': behind(sends(header('fastly-client-ip')), ips('fastly-client-ip'), { answers: false }),
  'a flag for one caller only': behind(
    sends(({ headers }) => (headers['x-real-ip'] === '192.0.2.1' ? 'staff' : undefined)),
    ips('x-real-ip'),
  ),
  'the address of the connection': behind(
    sends(({ socket }) => socket.remoteAddress),
    [{ from: '127.0.0.1' }, { from: '127.0.0.2' }],
  ),
  'the spelling of headers': behind(
    sends(({ rawHeaders }) => rawHeaders.find((name) => /^user-agent$/i.test(name))),
    [{ headers: { 'user-agent': 'one' } }, { headers: { 'User-Agent': 'one' } }],
  ),
  'a tenant of the host': behind(sends(header('host')), said('host', 'one.example', 'two.example')),
  'a session': behind(sends(header('cookie')), said('cookie', 'sid=1', 'sid=2'), { answers: false }),
  'an account of a key': behind(sends(header('x-api-key')), said('x-api-key', 'one', 'two'), { answers: false }),
  'the scope of a token': behind(sends(header('authorization')), [
    { path: '/shared', headers: { authorization: 'Bearer one' } },
    { path: '/shared', headers: { authorization: 'Bearer two' } },
  ]),
  'a token in the URL': behind(
    sends(({ url }) => url),
    [{ path: '/items/1?token=one' }, { path: '/items/1?token=two' }],
  ),
  'another URL for another language': behind(
    changes((request) => {
      if (request.headers['accept-language'] === 'fr') request.url = '/items/fr';
    }),
    said('accept-language', 'de', 'fr'),
  ),
  'another URL for another network': behind(
    changes((request) => {
      request.url = request.socket.remoteAddress === '127.0.0.2' ? '/items/two' : '/items/one';
    }),
    [{ from: '127.0.0.1' }, { from: '127.0.0.2' }],
  ),
  'a declared header that the middleware sets': behind(
    changes(({ headers }) => {
      headers['accept-language'] = headers['cf-ipcountry'] === 'FR' ? 'fr' : 'de';
    }),
    [
      { path: '/language', headers: { 'cf-ipcountry': 'FR' } },
      { path: '/language', headers: { 'cf-ipcountry': 'DE' } },
    ],
  ),
  'a header that the middleware removes': behind(
    function strips(request, response, next) {
      const ip = request.headers['true-client-ip'];
      if (ip !== undefined) response.setHeader('X-Made', made(ip));
      delete request.headers['true-client-ip'];
      next();
    },
    [{ headers: { 'true-client-ip': '192.0.2.1' } }, {}],
  ),
  'custom CORS for one network': behind(function ownCors({ headers }, response, next) {
    if (headers['x-forwarded-for'] === '192.0.2.1') response.setHeader('Access-Control-Allow-Origin', '*');
    next();
  }, ips('x-forwarded-for')),
  'Vary and a header that it names': behind(
    function varies({ headers }, response, next) {
      response.setHeader('Vary', 'X-Device');
      response.setHeader('X-Made', made(headers['x-device']));
      next();
    },
    said('x-device', 'phone', 'desk'),
    { answers: false },
  ),
  'a language of the caller': behind(
    sends(header('accept-language'), 'Content-Language'),
    said('accept-language', 'de', 'fr'),
  ),
  'a header that is set when the response begins': behind(
    function onHeaders(request, response, next) {
      const { writeHead } = response;
      response.writeHead = function (this: ServerResponse, ...args: unknown[]) {
        this.setHeader('X-Made', made(request.headers['user-agent']));
        return (writeHead as (...all: unknown[]) => ServerResponse).apply(this, args);
      } as typeof writeHead;
      next();
    },
    said('user-agent', 'one', 'two'),
  ),
  'a cookie for each caller': behind(
    function tracks({ headers }, response, next) {
      response.setHeader('Set-Cookie', `id=${made(headers['user-agent']).slice(3)}`);
      next();
    },
    said('user-agent', 'one', 'two'),
    { answers: false },
  ),
  'middleware of a module': {
    modules: [CountryModule],
    skip: ['Country'],
    callers: said('cf-ipcountry', 'DE', 'FR'),
    answers: true,
  },
  'several, all skipped': {
    configure: (app) => {
      app.use(sends(header('referer'), 'X-One'));
      app.use((request: IncomingMessage, response: ServerResponse, next: () => void) =>
        sends(header('dnt'), 'X-Two')(request, response, next),
      );
    },
    skip: true,
    callers: [
      { headers: { referer: 'https://one.example', dnt: '1' } },
      { headers: { referer: 'https://two.example' } },
    ],
    answers: true,
  },
  'a listener of the server': {
    configure: (app) => {
      const listener = sends(header('x-forwarded-for'));
      (app.getHttpServer() as Server).prependListener('request', (request: IncomingMessage, response: ServerResponse) =>
        listener(request, response, () => {}),
      );
    },
    skip: ['anonymous'],
    callers: ips('x-forwarded-for'),
    answers: true,
  },
  'a hook of the adapter': {
    put: (adapter) => {
      const hook = sends(header('via'));
      adapter.setOnRequestHook(((
        request: { raw?: IncomingMessage },
        reply: { raw?: ServerResponse },
        done: () => void,
      ) => hook(request.raw ?? (request as IncomingMessage), reply.raw ?? (reply as ServerResponse), done)) as never);
    },
    skip: ['onRequestHook'],
    callers: said('via', '1.1 one', '1.1 two'),
    answers: true,
  },
  'headers for HEAD': behind(sends(header('user-agent')), [
    { method: 'HEAD', headers: { 'user-agent': 'one' } },
    { method: 'HEAD', headers: { 'user-agent': 'two' } },
  ]),
  'a header of If-None-Match': behind(sends(header('if-none-match')), said('if-none-match', '"one"', '"two"'), {
    answers: false,
  }),
  'CORS of Nest for two origins': {
    configure: (app) => {
      app.enableCors({ origin: ['https://one.example', 'https://two.example'], credentials: true });
      app.useSecurityHeaders();
    },
    callers: said('origin', 'https://one.example', 'https://two.example'),
    answers: true,
  },
};

interface ExpressLike {
  param(name: string, check: Middleware): void;
}
const require = createRequire(createRequire(import.meta.url).resolve('@nestjs/platform-express'));
const { Router } = require('express') as { Router(): { use(one: Middleware): void } };
const express = (adapter: Adapter) => (adapter as ExpressAdapter).getInstance<ExpressLike & (() => void)>();
const fastify = (adapter: Adapter) => (adapter as FastifyAdapter).getInstance();
/** Marks a plugin that changes the instance it is registered with, as `fastify-plugin` does. */
const shared = <T extends object>(plugin: T): T => Object.assign(plugin, { [Symbol.for('skip-override')]: true });
/** A hook with the same effect as middleware. */
const hookOf = (middleware: Middleware, name: string) =>
  Object.defineProperty(
    (request: { raw: IncomingMessage }, reply: { raw: ServerResponse }, done: () => void) =>
      middleware(request.raw, reply.raw, done),
    'name',
    { value: name },
  ) as never;

/** Applications on one platform. */
export const onOne: Record<Platform, Record<string, Application>> = {
  express: {
    'a router with its own middleware': {
      configure: (app) => {
        const nested = Router();
        nested.use(sends(header('x-real-ip')));
        app.use('/items', nested);
      },
      skip: ['router'],
      callers: [
        { path: '/items/1', headers: { 'x-real-ip': '192.0.2.1' } },
        { path: '/items/1', headers: { 'x-real-ip': '192.0.2.2' } },
      ],
      answers: true,
    },
    'a check of a parameter': {
      put: (adapter) => express(adapter).param('id', sends(header('user-agent'))),
      skip: ['sends'],
      callers: [
        { path: '/items/1', headers: { 'user-agent': 'one' } },
        { path: '/items/1', headers: { 'user-agent': 'two' } },
      ],
      answers: true,
    },
    'an earlier handler of errors': {
      configure: (app) =>
        void app.use((_error: unknown, _request: unknown, _response: unknown, next: () => void) => next()),
      callers: ips('x-real-ip'),
      answers: true,
    },
    'a host that a trusted proxy forwards': {
      put: (adapter) => {
        // One of the two addresses is a proxy.
        (adapter as ExpressAdapter).set('trust proxy', (address: string) => address === '127.0.0.1');
      },
      controllers: [ShopOfOne, Shop],
      callers: [
        { from: '127.0.0.2', headers: { 'x-forwarded-host': 'one.example' } },
        { from: '127.0.0.1', headers: { 'x-forwarded-host': 'one.example' } },
      ],
      answers: true,
    },
    'another query for another network': behind(
      changes((request) => {
        Object.defineProperty(request, 'query', {
          value: { page: request.socket.remoteAddress === '127.0.0.2' ? '2' : '1' },
          configurable: true,
        });
      }),
      [
        { path: '/items/1', from: '127.0.0.1' },
        { path: '/items/1', from: '127.0.0.2' },
      ],
    ),
  },
  fastify: {
    'a hook of an encapsulated plugin': {
      put: (adapter) =>
        void fastify(adapter).register(async (instance) => {
          instance.addHook('onRequest', hookOf(sends(header('user-agent')), 'inside'));
          instance.get('/inside', async () => ({ inside: true }));
        }),
      callers: said('user-agent', 'one', 'two'),
      answers: true,
    },
    'a hook of a plugin that is loaded late': {
      put: (adapter) =>
        void fastify(adapter).register(
          shared(async (instance: ReturnType<typeof fastify>) => {
            await new Promise((later) => setImmediate(later));
            instance.addHook('onRequest', hookOf(sends(header('user-agent')), 'late'));
          }) as never,
        ),
      skip: ['late'],
      callers: said('user-agent', 'one', 'two'),
      answers: true,
    },
    'a hook that a plugin puts on each route': {
      put: (adapter) =>
        void fastify(adapter).addHook('onRoute', (route) => {
          route.preHandler = hookOf(sends(header('user-agent')), 'onEach');
        }),
      skip: ['onEach'],
      callers: said('user-agent', 'one', 'two'),
      answers: true,
    },
    'a hook when the response is sent': {
      put: (adapter) =>
        void fastify(adapter).addHook('onSend', async function whenSent(request, reply) {
          reply.header('X-Made', made(request.headers['user-agent']));
        }),
      skip: ['whenSent'],
      callers: said('user-agent', 'one', 'two'),
      answers: true,
    },
    'a handler of errors': {
      put: (adapter) => void fastify(adapter).setErrorHandler((error, _request, reply) => void reply.send(error)),
      callers: ips('x-real-ip'),
      answers: true,
    },
  },
};
