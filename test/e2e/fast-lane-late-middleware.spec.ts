import type { ExpressAdapter } from '@nestjs/platform-express';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it } from '@jest/globals';
import { platforms } from '../support/apps.js';
import { bare, closeLaneApps, type LaneApp, type Middleware, named, startLane } from '../support/lane-app.js';

/* Promise: code that is added before a handler after the lane has learned its responses runs for the next request. */

afterEach(closeLaneApps);

/** Express' own parts, which an application can change at any time. */
interface Express {
  param(name: string, check: Middleware): void;
  use(middleware: unknown): void;
  readonly router: { readonly stack: { handle: unknown }[]; readonly params: Record<string, unknown[]> };
}

const expressOf = ({ app }: LaneApp) => (app.getHttpAdapter() as ExpressAdapter).getInstance<Express>();
const fastifyOf = ({ app }: LaneApp) => (app.getHttpAdapter() as FastifyAdapter).getInstance();

type Late = (lane: LaneApp, middleware: Middleware) => void;

const late: Record<(typeof platforms)[number], Record<string, Late>> = {
  express: {
    'app.param()': (lane, middleware) => expressOf(lane).param('id', middleware),
    'a second check of one parameter': (lane, middleware) => {
      expressOf(lane).router.params.id!.push(middleware);
    },
    'middleware that is moved to the front': (lane, middleware) => {
      const express = expressOf(lane);
      express.use(middleware);
      const { stack } = express.router;
      stack.unshift(stack.pop()!);
    },
    'a function put in place of another': (lane, middleware) => {
      expressOf(lane).router.stack[0]!.handle = middleware;
    },
    'a hook of the adapter': (lane, middleware) => {
      (lane.app.getHttpAdapter() as ExpressAdapter).setOnRequestHook(middleware as never);
    },
  },
  fastify: {
    'app.use()': (lane, middleware) => void lane.app.use(middleware),
    'use() of the instance': (lane, middleware) => {
      (fastifyOf(lane) as unknown as { use(one: Middleware): void }).use(middleware);
    },
    'a hook of the adapter': (lane, middleware) => {
      const hook = (_request: never, _reply: never, done: () => void) => middleware({} as never, {} as never, done);
      (lane.app.getHttpAdapter() as FastifyAdapter).setOnRequestHook(hook as never);
    },
  },
};

describe.each(platforms)('the fast lane on %s', (platform) => {
  it.each(Object.entries(late[platform]))('the fast lane closes for %s after its first hits', async (_, add) => {
    const adapter = bare(platform);
    if (platform === 'express') (adapter as ExpressAdapter).getInstance<Express>().param('id', named('known'));
    const lane = await startLane(adapter, { fastLane: { skipMiddleware: ['known'] } });
    expect((await lane.lastOfSix('/items/1')).path).toBe('lane');
    let seen = 0;
    add(lane, function late(_request, _response, next) {
      seen++;
      next();
    });
    for (let turn = 1; turn <= 5; turn++) {
      expect((await lane.ask('/items/1')).path).toBe('full');
      expect(seen).toBe(turn);
    }
    expect(lane.warned).toEqual([
      expect.stringMatching(/^FAST_LANE_CLOSED: Feed\.item\(\): .* turned out to come before it/),
    ]);
  });

  it('the fast lane answers again after a late function that is named in skipMiddleware', async () => {
    const lane = await startLane(bare(platform), { fastLane: { skipMiddleware: ['late'] } });
    expect((await lane.lastOfSix('/items/1')).path).toBe('lane');
    const [, add] = Object.entries(late[platform])[0]!;
    add(lane, named('late'));
    expect((await lane.ask('/items/1')).path).toBe('full');
    expect((await lane.lastOfSix('/items/1')).path).toBe('lane');
  });
});
