import type { Server } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { optionalPackage } from '../cache/optional-package.js';

/** A request to the application itself. */
export interface InProcessRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface InProcessAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly bytes: number;
}

/** The part of light-my-request's API that is used; Fastify's own `inject` has the same. */
interface InjectOptions {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: unknown;
  readonly signal: AbortSignal;
}
interface InjectAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly rawPayload: { readonly length: number };
}
type Inject = (options: InjectOptions) => Promise<InjectAnswer>;

/**
 * Runs a request through the whole application (middleware, guards, interceptors, pipes, handler) without a socket: with
 * Fastify's own `inject`, otherwise with light-my-request, which calls the request listeners of the HTTP server.
 */
@Injectable()
export class InProcessRequests {
  #inject: Promise<Inject> | undefined;

  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  /** Loads the packages for requests. @throws CacheError `MISSING_PACKAGE` if light-my-request is needed and not installed. */
  async prepare(): Promise<void> {
    await (this.#inject ??= this.#findInject());
  }

  /** @throws CacheError as {@link prepare}. */
  async send({ method, url, headers, body }: InProcessRequest, signal: AbortSignal): Promise<InProcessAnswer> {
    this.#inject ??= this.#findInject();
    const inject = await this.#inject;
    const payload = body === undefined ? {} : { payload: body };
    const answer = await inject({ method, url, headers, signal, ...payload });
    return { status: answer.statusCode, headers: answer.headers, bytes: answer.rawPayload.length };
  }

  async #findInject(): Promise<Inject> {
    const { httpAdapter } = this.host;
    if (httpAdapter.getType() === 'fastify') {
      const fastify = httpAdapter.getInstance() as { inject: Inject };
      return (options) => fastify.inject(options);
    }
    const load = () => import('light-my-request');
    const lightMyRequest = await optionalPackage(
      'light-my-request',
      'Warming the handlers of an application on Express',
      load,
    );
    const server = httpAdapter.getHttpServer() as Server;
    return (options) =>
      lightMyRequest.inject(
        (request, response) => void server.emit('request', keepingMethods(request), keepingMethods(response)),
        options as Parameters<typeof lightMyRequest.inject>[1] & object,
      );
  }
}

/** Express replaces the prototypes of requests and responses. Copies the methods that replace a socket to the object itself. */
function keepingMethods<T extends object>(message: T): T {
  const { constructor: _, ...methods } = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(message) as object);
  return Object.defineProperties(message, methods);
}
