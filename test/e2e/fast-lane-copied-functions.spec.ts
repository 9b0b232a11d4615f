import { createRequire } from 'node:module';
import { Controller, Get, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { ExpressAdapter, NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { platforms } from '../support/apps.js';
import { type Adapter, bare, closeLaneApps, countRequests, type LaneSetup, startLane } from '../support/lane-app.js';

/*
 * Promise: a function before a handler counts as the framework's own only if the framework added that very function.
 * The same code with another closure belongs to the application.
 */

type Factory = (options?: unknown) => unknown;
const require = createRequire(createRequire(import.meta.url).resolve('@nestjs/platform-express'));
const cors = require('cors') as Factory;
const express = require('express') as Record<'json' | 'urlencoded', Factory>;

afterEach(closeLaneApps);

/** Creates a function with the same code and another `this`. */
function copyOf(subject: unknown, self: object): () => void {
  const code = Function.prototype.toString.call(subject);
  return (new Function(`return ${code}`) as () => () => void).call(self);
}

interface Layers {
  readonly router: { readonly stack: { readonly handle: unknown }[] };
}
const expressOf = (adapter: Adapter) => (adapter as ExpressAdapter).getInstance<Layers>();
/** A hook that every adapter of Fastify adds. */
const hookOfFastify = async () => {
  const adapter = new FastifyAdapter();
  await adapter.init();
  const instance = adapter.getInstance();
  const symbol = Object.getOwnPropertySymbols(instance).find(({ description }) => description === 'fastify.hooks')!;
  const [hook] = (instance as unknown as Record<symbol, Record<string, unknown[]>>)[symbol]!.onRequest!;
  await adapter.close();
  return hook;
};

/** A delegate that allows a network. */
function delegate(request: { headers: Record<string, string> }, done: (error: null, options: object) => void): void {
  done(null, { origin: request.headers['x-real-ip'] === '10.0.0.1' });
}

const refused: Record<
  (typeof platforms)[number],
  Record<string, [string, (adapter: Adapter) => LaneSetup | Promise<LaneSetup>]>
> = {
  express: {
    'an own cors() with a delegate': ['corsMiddleware', (adapter) => (adapter.use(cors(delegate)), {})],
    'an own cors() with options': ['corsMiddleware', (adapter) => (adapter.use(cors({ origin: true })), {})],
    'enableCors() with a delegate': ['delegate', () => ({ configure: (app) => app.enableCors(delegate as never) })],
    'an own body parser with a type': [
      'jsonParser',
      (adapter) => (adapter.use(express.json({ type: () => true })), {}),
    ],
    'an own body parser with verify': [
      'urlencodedParser',
      (adapter) => (adapter.use(express.urlencoded({ extended: true, verify: () => {} })), {}),
    ],
    "a copy of the adapter's own function": [
      'anonymous',
      (adapter) => {
        const [{ handle }] = expressOf(adapter).router.stack as [{ handle: unknown }];
        adapter.use(copyOf(handle, { onRequestHook: () => {} }));
        return {};
      },
    ],
  },
  fastify: {
    'enableCors() with a delegate': ['delegate', () => ({ configure: (app) => app.enableCors(delegate as never) })],
    'enableCors() with an option delegator': [
      'delegate',
      () => ({ configure: (app) => app.enableCors({ delegator: delegate } as never) }),
    ],
    "a copy of the adapter's own function": [
      'anonymous',
      async (adapter) => {
        const hook = copyOf(await hookOfFastify(), { onRequestHook: () => {} });
        (adapter as FastifyAdapter).getInstance().addHook('onRequest', hook as never);
        return {};
      },
    ],
    'a custom security hook': [
      'securityHook',
      (adapter) => {
        const securityHook = () => undefined;
        (adapter as FastifyAdapter).registerSecurityHook(securityHook);
        return {};
      },
    ],
  },
};

describe.each(platforms)('the fast lane on %s', (platform) => {
  it.each(Object.entries(refused[platform]))('the fast lane is refused behind %s', async (_, [name, put]) => {
    const adapter = bare(platform);
    const started = startLane(adapter, await put(adapter));
    await expect(started).rejects.toMatchObject({ code: 'FAST_LANE_REFUSED' });
    await expect(started).rejects.toThrow(`skipMiddleware: ['${name}']`);
  });

  it('the fast lane answers behind CORS of Nest with options, and with a function for origins', async () => {
    const origin = (said: string | undefined, done: (error: null, allowed: boolean) => void) =>
      done(null, said === 'https://one.example');
    for (const options of [{ origin: true }, { origin, credentials: true }, undefined]) {
      const lane = await startLane(bare(platform), { configure: (app) => app.enableCors(options as never) });
      const one = await lane.lastOfSix('/feed', { origin: 'https://one.example' });
      expect(one).toMatchObject({ path: 'lane', headers: { 'access-control-allow-origin': expect.any(String) } });
      expect(lane.warned).toEqual([]);
    }
  });

  it('the fast lane answers behind CORS for all origins if a caller accepts all languages', async () => {
    const lane = await startLane(bare(platform), { configure: (app) => app.enableCors() });
    const answer = await lane.lastOfSix('/feed', { 'accept-language': '*' });
    expect(answer).toMatchObject({ path: 'lane', headers: { 'access-control-allow-origin': '*' } });
  });

  it('the fast lane answers in an application that NestFactory creates', async () => {
    const app = await made(platform);
    try {
      app.enableCors({ origin: 'https://one.example' });
      app.useSecurityHeaders();
      let full = 0;
      countRequests(app.getHttpAdapter() as unknown as Adapter, () => ++full);
      await app.listen(0, '127.0.0.1');
      const url = await app.getUrl();
      for (let turn = 0; turn < 6; turn++) expect(await (await fetch(`${url}/quick`)).json()).toEqual({ quick: true });
      // One request loads, and the lane learns from two.
      expect(full).toBe(3);
    } finally {
      await app.close();
    }
  });
});

@Controller()
class Quick {
  @Get('quick')
  @Cached('quick:*', { ttl: '5m', fastLane: true })
  quick() {
    return { quick: true };
  }
}

@Module({
  imports: [CacheObservabilityModule.forRoot({ prometheus: false, monitoring: false })],
  controllers: [Quick],
})
class QuickModule {}

function made(platform: (typeof platforms)[number]): Promise<INestApplication> {
  const options = { logger: false, abortOnError: false, forceCloseConnections: true } as const;
  return platform === 'express'
    ? NestFactory.create<NestExpressApplication>(QuickModule, options)
    : NestFactory.create<NestFastifyApplication>(QuickModule, new FastifyAdapter(), options);
}
