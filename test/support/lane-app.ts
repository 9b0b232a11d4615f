import { Agent, type IncomingMessage, request as send, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, type INestApplication, type NestApplicationOptions, Param, type Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import type { FastLaneOptions } from '../../lib/caching/options/fast-lane.options.js';
import type { Platform } from './apps.js';

/** Handlers in the fast lane. */
@Controller()
export class Feed {
  @Get('feed')
  @Cached('feed:*', { ttl: '5m', fastLane: true })
  feed() {
    return { feed: 'open' };
  }

  @Get('items/:id')
  @Cached('item:*', { ttl: '5m', fastLane: true })
  item(@Param('id') id: string) {
    return { id };
  }

  @Get('shared')
  @Cached('shared:*', { ttl: '5m', fastLane: true, shared: true })
  shared() {
    return { shared: true };
  }
}

export type Adapter = ExpressAdapter | FastifyAdapter;
export type Next = () => void;
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

export interface LaneSetup {
  readonly fastLane?: FastLaneOptions;
  readonly controllers?: Type[];
  readonly options?: NestApplicationOptions;
  readonly configure?: (app: INestApplication) => void;
  readonly modules?: Type[];
}

export interface LaneAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** `lane` if the framework did not get the request. */
  readonly path: 'lane' | 'full';
}

export interface LaneApp {
  readonly app: INestApplication;
  readonly server: Server;
  /** Warnings of the log, each with its code. */
  readonly warned: readonly string[];
  /** The number of requests that the framework got. */
  full(): number;
  /** Sends one request while no other is running. */
  ask(path?: string, headers?: Record<string, string>, method?: string, from?: string): Promise<LaneAnswer>;
  /** Sends six equal requests and returns the last response: three are enough for the lane to learn. */
  lastOfSix(...request: Parameters<LaneApp['ask']>): Promise<LaneAnswer>;
}

const open = new Set<() => Promise<void>>();

/** For `afterEach`. */
export async function closeLaneApps(): Promise<void> {
  const closing = [...open];
  open.clear();
  await Promise.all(closing.map((close) => close()));
}

/** An adapter without additions. */
export const bare = (platform: Platform): Adapter =>
  platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();

/** An application that listens and counts the requests which its framework gets. */
export async function startLane(
  adapter: Adapter,
  { fastLane, controllers = [Feed], options, configure, modules = [] }: LaneSetup = {},
): Promise<LaneApp> {
  const warned: string[] = [];
  let full = 0;
  const warn = (one: { code?: string; message?: string }) => void warned.push(`${one.code}: ${one.message}`);
  const module = await Test.createTestingModule({
    imports: [
      CacheObservabilityModule.forRoot({ prometheus: false, monitoring: false, http: { fastLane } }),
      ...modules,
    ],
    controllers,
  })
    .setLogger({ log() {}, error() {}, warn })
    .compile();
  const app: INestApplication = module.createNestApplication(adapter as ExpressAdapter, options);
  const agents = new Map<string, Agent>();
  open.add(async () => {
    for (const agent of agents.values()) agent.destroy();
    await app.close();
  });
  configure?.(app);
  countRequests(adapter, () => ++full);
  await app.listen(0, '127.0.0.1');
  const server = app.getHttpServer() as Server;
  const { port } = server.address() as AddressInfo;
  const agentOf = (localAddress: string) => {
    const agent = agents.get(localAddress) ?? new Agent({ keepAlive: true, localAddress });
    agents.set(localAddress, agent);
    return agent;
  };
  const ask: LaneApp['ask'] = (path = '/feed', headers = {}, method = 'GET', from = '127.0.0.1') => {
    const before = full;
    return new Promise<LaneAnswer>((resolve, reject) => {
      const sent = send({ port, host: '127.0.0.1', path, headers, method, agent: agentOf(from) }, (message) => {
        let body = '';
        message.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        message.on('end', () => {
          const way = full === before ? 'lane' : 'full';
          resolve({ status: message.statusCode!, headers: message.headers, body, path: way });
        });
      });
      sent.on('error', reject).end();
    });
  };
  const lastOfSix: LaneApp['lastOfSix'] = async (...request) => {
    for (let turn = 0; turn < 5; turn++) await ask(...request);
    return ask(...request);
  };
  return { app, server, warned, full: () => full, ask, lastOfSix };
}

/** Counts the requests of the framework without another listener to the server's requests, which would close the lane. */
export function countRequests(adapter: Adapter, count: () => unknown): void {
  if (adapter instanceof FastifyAdapter) {
    adapter.getInstance().setGenReqId(() => String(count()));
    return;
  }
  const express = adapter.getInstance<{ handle(...args: unknown[]): void }>();
  const { handle } = express;
  express.handle = (...args) => {
    count();
    handle.apply(express, args);
  };
}

/** Adds a function before all handlers, in each possible way. */
export const additions: Record<Platform, Record<string, (adapter: Adapter, middleware: Middleware) => void>> = {
  express: {
    'by use()': (adapter, middleware) => void adapter.use(middleware),
    'as a parameter check': (adapter, middleware) => {
      (adapter as ExpressAdapter)
        .getInstance<{ param(name: string, check: Middleware): void }>()
        .param('id', middleware);
    },
  },
  fastify: {
    'as an onRequest hook': (adapter, middleware) => {
      const hook = (request: { raw: IncomingMessage }, reply: { raw: ServerResponse }, done: Next) =>
        middleware(request.raw, reply.raw, done);
      Object.defineProperty(hook, 'name', { value: middleware.name });
      (adapter as FastifyAdapter).getInstance().addHook('onRequest', hook as never);
    },
    'as an onSend hook': (adapter, middleware) => {
      const hook = (
        request: { raw: IncomingMessage },
        reply: { raw: ServerResponse },
        payload: unknown,
        done: (e: null, p: unknown) => void,
      ) => middleware(request.raw, reply.raw, () => done(null, payload));
      Object.defineProperty(hook, 'name', { value: middleware.name });
      (adapter as FastifyAdapter).getInstance().addHook('onSend', hook as never);
    },
  },
};

/** Middleware that does nothing, under a name. */
export function named(name: string): Middleware {
  const middleware: Middleware = (_request, _response, next) => next();
  return Object.defineProperty(middleware, 'name', { value: name });
}
