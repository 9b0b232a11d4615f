import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { present } from './presenter.js';

/** How long a connection stays open for the next request of a client that polls, milliseconds. */
const KEEP_OPEN_MS = 65_000;
/** The server waits this much longer than it announces, as Node does: otherwise a request could arrive while it closes the connection. */
const LATER_MS = 1_000;

/**
 * Sends the answers of the routes through the adapter, because an application's global interceptors, which wrap, map or cache
 * the results of handlers, must not change them.
 */
@Injectable()
export class Reply {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  json(response: unknown, answer: unknown, statusCode = 200): void {
    this.host.httpAdapter.reply(response, present(answer), statusCode);
  }

  /** Sends JSON of a foreign format: field names are not converted. */
  document(response: unknown, answer: object): void {
    this.host.httpAdapter.reply(response, answer, 200);
  }

  text(response: unknown, answer: string, contentType: string, statusCode = 200): void {
    this.header(response, 'Content-Type', contentType);
    this.host.httpAdapter.reply(response, answer, statusCode);
  }

  /** Sends bytes unchanged: both platforms accept them. */
  bytes(response: unknown, bytes: Buffer, contentType: string): void {
    this.header(response, 'Content-Type', contentType);
    (response as { send(bytes: Buffer): unknown }).send(bytes);
  }

  /**
   * Keeps the connection open for a client that polls every few seconds. By default Node closes it after five seconds, and a new
   * connection costs the process as much as an answer, or more with TLS. Call it before the answer is sent.
   */
  keepOpen(response: unknown): void {
    const raw = rawOf(response);
    const socket = raw.socket as (Socket & { readonly server?: Server }) | null;
    const { keepAliveTimeout = 0 } = socket?.server ?? {};
    if (raw.req.httpVersionMajor !== 1 || !raw.shouldKeepAlive) return;
    // 0 means that there is no limit.
    if (keepAliveTimeout === 0 || keepAliveTimeout >= KEEP_OPEN_MS) return;
    this.header(response, 'Keep-Alive', `timeout=${KEEP_OPEN_MS / 1_000}`);
    // Node's own listener runs first and sets the server's timeout; this one replaces it.
    raw.once('finish', () => socket?.setTimeout(KEEP_OPEN_MS + LATER_MS));
  }

  header(response: unknown, name: string, value: string): void {
    this.host.httpAdapter.setHeader(response, name, value);
  }
}

/** Node's response; Fastify's reply holds it as `raw`. */
function rawOf(response: unknown): ServerResponse {
  return (response as { readonly raw?: ServerResponse }).raw ?? (response as ServerResponse);
}
