import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { present, presentedText } from './presenter.js';

/**
 * Sends the routes' answers through the adapter: an application's global interceptors, which wrap, map or cache
 * what handlers return, must not change them.
 */
@Injectable()
export class Reply {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  json(response: unknown, answer: unknown, statusCode = 200): void {
    this.host.httpAdapter.reply(response, present(answer), statusCode);
  }

  /** As {@link json}, rendered in slices: an answer of a thousand patterns delays no other request. */
  async large(response: unknown, answer: unknown): Promise<void> {
    this.text(response, await presentedText(answer), 'application/json; charset=utf-8');
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

  header(response: unknown, name: string, value: string): void {
    this.host.httpAdapter.setHeader(response, name, value);
  }
}
