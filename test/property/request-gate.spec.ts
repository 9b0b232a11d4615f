import 'reflect-metadata';
import { Agent, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { All, Controller, type Type, Query as UrlQuery, UseGuards } from '@nestjs/common';
import { Args, GraphQLModule, Int, Query, Resolver } from '@nestjs/graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { CachingRuntime } from '../../lib/caching/caching-runtime.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import type { CachedOptions } from '../../lib/caching/options/cached.options.js';
import { FastLane } from '../../lib/caching/fast-lane/fast-lane.js';
import { RouteAnswer } from '../../lib/caching/http/route-answer.js';
import { CacheMetrics } from '../../lib/metrics/cache-metrics.js';
import { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { boot, closeApps, type Platform } from '../support/apps.js';
import { Open } from '../support/guards.js';

/** Options of handlers that decide who may get their responses. Each exists on every path. */
const variants: Record<string, CachedOptions> = {
  plain: {},
  shared: { shared: true },
  tenant: { vary: 'headers.x-tenant' },
  optional: { vary: 'headers.x-tenant?' },
  directed: { honorRequestDirectives: true },
  directedShared: { honorRequestDirectives: true, shared: true },
  directedTenant: { honorRequestDirectives: true, vary: 'headers.x-tenant' },
};
const names = Object.keys(variants);

/** Calls of a handler, by path and variant. */
const calls = new Map<string, number>();
function called(name: string): { call: number } {
  const call = (calls.get(name) ?? 0) + 1;
  calls.set(name, call);
  return { call };
}

/** A controller for one path with one handler per variant. */
function controllerOf(path: string, options: CachedOptions, guarded: boolean): Type {
  class Handlers {}
  const { prototype } = Handlers as { prototype: object };
  for (const [name, variant] of Object.entries(variants)) {
    Object.defineProperty(prototype, name, {
      value: () => called(`${path}:${name}`),
      configurable: true,
      writable: true,
    });
    UrlQuery('run')(prototype, name, 0);
    const decorators = [All(name), Cached(`${path}-${name}:*`, { ...variant, ...options })];
    const descriptor = () => Object.getOwnPropertyDescriptor(prototype, name)!;
    for (const decorate of decorators.reverse()) {
      const current = descriptor();
      decorate(prototype, name, current);
      Object.defineProperty(prototype, name, current);
    }
    if (guarded) UseGuards(Open)(prototype, name, descriptor());
  }
  Controller(path)(Handlers);
  return Handlers;
}

/** The same handlers as a resolver, for messages. */
function resolver(): Type {
  class Messages {}
  const { prototype } = Messages as { prototype: object };
  for (const [name, variant] of Object.entries(variants)) {
    Object.defineProperty(prototype, name, {
      value: () => called(`messages:${name}`).call,
      configurable: true,
      writable: true,
    });
    Args('run')(prototype, name, 0);
    Reflect.defineMetadata('design:paramtypes', [String], prototype, name);
    const current = Object.getOwnPropertyDescriptor(prototype, name)!;
    Cached(`messages-${name}:*`, variant)(prototype, name, current);
    Object.defineProperty(prototype, name, current);
    Query(() => Int)(prototype, name, current);
  }
  Resolver()(Messages);
  return Messages;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const agent = new Agent({ keepAlive: true });
let port: number;

function ask(method: string, path: string, headers: Record<string, string>, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = send({ port, host: '127.0.0.1', method, path, headers, agent }, (message) => {
      let text = '';
      message.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      message.on('end', () => resolve({ status: message.statusCode!, headers: message.headers, body: text }));
    });
    sent.on('error', reject).end(body);
  });
}

const http = ['lane', 'route', 'chain'] as const;

async function start(platform: Platform) {
  const graphql = platform === 'express';
  const { app } = await boot(platform, {
    imports: [
      CacheObservabilityModule.forRoot({ prometheus: false, http: { headers: 'standard' } }),
      ...(graphql ? [GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true })] : []),
    ],
    controllers: [
      controllerOf('lane', { fastLane: { skipMiddleware: true } }, false),
      controllerOf('route', {}, false),
      controllerOf('chain', {}, true),
    ],
    providers: graphql ? [resolver()] : [],
  });
  const server = app.getHttpServer() as Server;
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  ({ port } = server.address() as AddressInfo);
  return app;
}

interface Asked {
  readonly variant: string;
  readonly method: string;
  readonly headers: Record<string, string>;
}

const sometimes = (value: fc.Arbitrary<string>) => fc.option(value, { nil: undefined, freq: 2 });
const headers: fc.Arbitrary<Asked['headers']> = fc
  .record({
    authorization: sometimes(fc.constantFrom('Bearer ann', 'Bearer bob')),
    'x-tenant': sometimes(fc.constantFrom('one', 'two', '')),
    'cache-control': sometimes(
      fc.constantFrom('no-cache', 'no-store', 'max-age=0', 'max-age=60', 'only-if-cached', 'NO-CACHE, only-if-cached', 'max-stale'), // prettier-ignore
    ),
    pragma: sometimes(fc.constant('no-cache')),
    cookie: sometimes(fc.constantFrom('sid=ann', 'sid=bob')),
    'x-cache-warming': sometimes(fc.constant('0b45a9f8-0000-4000-8000-000000000000')),
  })
  .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Asked['headers']);

/** Repeats requests of one kind, so that the lane learns and answers. */
const asked = (methods: readonly string[]) =>
  fc
    .array(
      fc.tuple(
        fc.record({
          variant: fc.constantFrom(...names),
          method: fc.constantFrom(...methods),
          headers: fc.oneof(fc.constant<Asked['headers']>({}), headers),
        }),
        fc.integer({ min: 1, max: 5 }),
      ),
      { minLength: 1, maxLength: 6 },
    )
    .map((groups) => groups.flatMap(([one, times]) => Array.from({ length: times }, () => one)));

/** One request for each decision. */
const each: Asked[] = [
  { variant: 'directed', method: 'GET', headers: { 'cache-control': 'no-store' } },
  { variant: 'directed', method: 'GET', headers: { 'cache-control': 'only-if-cached' } },
  { variant: 'tenant', method: 'GET', headers: {} },
  { variant: 'plain', method: 'GET', headers: { authorization: 'Bearer ann' } },
  { variant: 'plain', method: 'POST', headers: {} },
  { variant: 'plain', method: 'GET', headers: {} },
];

let run = 0;

/** Resets: new keys, and handlers that count from one. */
function begin(): void {
  run++;
  calls.clear();
}

/** The parts that must be equal on every path: `Cache-Status` and `Age` without their numbers, which change with time. */
function decisionOf({ status, headers: sent, body }: Answer): unknown {
  const steady = (value: unknown) => (value === undefined ? undefined : String(value).replace(/(ttl=|^)-?\d+/g, '$1#'));
  return {
    status,
    body,
    cache: sent['x-cache'],
    cacheStatus: steady(sent['cache-status']),
    age: steady(sent.age),
    tag: sent['x-cache'] === 'HIT' ? sent.etag : undefined,
    vary: sent.vary,
    control: sent['cache-control'],
  };
}

describe.each(['express', 'fastify'] as const)('the request gate on %s', (platform) => {
  let app: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    app = await start(platform);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  afterAll(async () => {
    agent.destroy();
    await closeApps();
  });

  it('the request gate makes the same decision for the lane, the route and the chain, which respond the same', async () => {
    const lane = jest.spyOn(FastLane.prototype, 'answer');
    const route = jest.spyOn(RouteAnswer.prototype, 'answer');
    const seen = new Set<unknown>();
    const switchable = fc.tuple(asked(['GET', 'GET', 'HEAD', 'POST']), fc.nat({ max: 30 }));
    await fc.assert(
      fc.asyncProperty(switchable, async ([requests, off]) => {
        const { cache } = app.get(CachingRuntime);
        begin();
        for (const [index, { variant, method, headers: sent }] of requests.entries()) {
          cache.enabled = index !== off;
          const answers: unknown[] = [];
          for (const path of http) {
            answers.push(decisionOf(await ask(method, `/${path}/${variant}?run=${run}`, sent)));
          }
          cache.enabled = true;
          expect(answers[1]).toEqual(answers[0]);
          expect(answers[2]).toEqual(answers[0]);
          seen.add((answers[0] as { cache: unknown }).cache);
        }
      }),
      {
        numRuns: 60,
        examples: [[[each, 5]]],
      },
    );
    expect(lane.mock.results.filter(({ value }) => value === true).length).toBeGreaterThan(10);
    expect(route.mock.results.filter(({ value }) => value === true).length).toBeGreaterThan(10);
    expect([...seen].sort()).toEqual([
      'BYPASS; reason=authorization',
      'BYPASS; reason=disabled',
      'BYPASS; reason=method',
      'BYPASS; reason=no-store',
      'BYPASS; reason=only-if-cached',
      'BYPASS; reason=vary',
      'HIT',
      'MISS',
    ]);
  }, 120_000);

  it('the request gate makes the same decision for requests of warming', async () => {
    const { warming } = app.get(CachingRuntime);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.constantFrom('GET', 'POST'),
        headers,
        async (name, method, sent) => {
          begin();
          const visits: unknown[] = [];
          for (const path of http) {
            for (let turn = 0; turn < 2; turn++) {
              const { answer, visit } = await warming.visit((token) =>
                ask(method, `/${path}/${name}?run=${run}`, { ...sent, ...token }),
              );
              visits.push([turn, visit.bypassed, visit.warmed, answer.status, answer.headers['x-cache']]);
            }
          }
          expect(visits.slice(2, 4)).toEqual(visits.slice(0, 2));
          expect(visits.slice(4, 6)).toEqual(visits.slice(0, 2));
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  // The development dependencies have no GraphQL driver for Fastify; messages do not depend on the adapter.
  if (platform === 'express') {
    it('the request gate makes the same decision for messages', async () => {
      const metrics = app.get(CacheMetrics);
      const countsOf = (path: string, name: string) => {
        const all = metrics.getAllPatternStats();
        const found = all.find(({ pattern }) => pattern === `${path}-${name}:*`);
        return { hits: found?.cacheHits ?? 0, misses: found?.cacheMisses ?? 0 };
      };
      await fc.assert(
        fc.asyncProperty(asked(['GET']), fc.nat({ max: 30 }), async (requests, off) => {
          begin();
          const cache = app.get(ObservedCache);
          for (const [index, { variant, headers: sent }] of requests.entries()) {
            cache.enabled = index !== off;
            const before = [countsOf('route', variant), countsOf('messages', variant)];
            const ran = [calls.get(`route:${variant}`) ?? 0, calls.get(`messages:${variant}`) ?? 0];
            const answer = await ask('GET', `/route/${variant}?run=${run}`, sent);
            const message = await ask(
              'POST',
              '/graphql',
              { ...sent, 'content-type': 'application/json' },
              JSON.stringify({ query: `{ ${variant}(run: "${run}") }` }),
            );
            cache.enabled = true;
            const after = [countsOf('route', variant), countsOf('messages', variant)];
            const change = after.map(({ hits, misses }, at) => [hits - before[at]!.hits, misses - before[at]!.misses]);
            expect(change[1]).toEqual(change[0]);
            expect((calls.get(`messages:${variant}`) ?? 0) - ran[1]!).toBe(
              (calls.get(`route:${variant}`) ?? 0) - ran[0]!,
            );
            const { data } = JSON.parse(message.body) as { data: Record<string, number> | null };
            expect(data?.[variant] === undefined).toBe(answer.status !== 200);
          }
        }),
        { numRuns: 40 },
      );
    }, 120_000);
  }
});
