import type { Server } from 'node:http';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Clock, systemClock } from '../cache/clock.js';
import { WARMING_CLOCK } from './warming-target.js';

/** An application that was initialised and never listens (tests, workers) is up after this long. */
const GRACE_MS = 250;

/** The part of a Fastify instance that says when every plugin and hook is in place. */
interface Readiable {
  addHook(name: 'onReady', hook: (done: () => void) => void): unknown;
}

/** Tells when the application takes requests. */
@Injectable()
export class ApplicationUp {
  readonly #clock: Clock;

  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Optional() @Inject(WARMING_CLOCK) clock?: Clock,
  ) {
    this.#clock = clock ?? systemClock;
  }

  /**
   * Calls back once when it is up: listening; or initialised for a quarter of a second. With Fastify it is up when it is
   * ready, and never made ready from here, since it takes no hooks of the application's any more then.
   * Returns how to give up waiting.
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
      // The hook stands in the way of readiness: what waits for that comes after it.
      setImmediate(go);
      done();
    });
  } catch {
    // It is ready already.
    setImmediate(go);
  }
}
