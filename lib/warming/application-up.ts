import type { Server } from 'node:http';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Clock, systemClock } from '../cache/base/clock.js';
import { CACHE_CLOCK } from '../cache/base/tokens.js';

/** If an initialised application does not listen (tests, workers), it counts as started after this time, milliseconds. */
const GRACE_MS = 250;

/** The part of a Fastify instance that reports when every plugin and hook is loaded. */
interface Readiable {
  addHook(name: 'onReady', hook: (done: () => void) => void): unknown;
}

/** Detects when the application accepts requests. */
@Injectable()
export class ApplicationUp {
  readonly #clock: Clock;

  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Optional() @Inject(CACHE_CLOCK) clock?: Clock,
  ) {
    this.#clock = clock ?? systemClock;
  }

  /**
   * Calls back once when the application has started: when it listens, or a quarter of a second after it was initialised. With Fastify,
   * when it is ready. This method does not make Fastify ready, because the application could then add no more hooks.
   * @returns a function that cancels the callback.
   */
  whenUp(callback: () => void): () => void {
    let waiting = true;
    const go = () => {
      if (!waiting) return;
      stop();
      callback();
    };
    const server = this.host.httpAdapter?.getHttpServer?.() as Server | undefined;
    const fastify = this.#fastify();
    const cancelGrace = fastify === undefined ? this.#clock.after(GRACE_MS, go) : () => undefined;
    const stop = () => {
      waiting = false;
      cancelGrace();
      server?.removeListener?.('listening', go);
    };
    if (fastify === undefined) server?.once?.('listening', go);
    else whenReady(fastify, go);
    return stop;
  }

  #fastify(): Readiable | undefined {
    const { httpAdapter } = this.host;
    return httpAdapter?.getType?.() === 'fastify' ? (httpAdapter.getInstance() as Readiable) : undefined;
  }
}

function whenReady(fastify: Readiable, go: () => void): void {
  try {
    fastify.addHook('onReady', (done) => {
      // Fastify waits for this hook before it is ready, so continue after the hook.
      setImmediate(go);
      done();
    });
  } catch {
    // The application is already ready.
    setImmediate(go);
  }
}
