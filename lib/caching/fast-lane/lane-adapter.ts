import { AbstractHttpAdapter } from '@nestjs/core';

/** The common part of all HTTP adapters. */
export interface LaneAdapter {
  getType(): string;
  getInstance(): unknown;
  getHttpServer(): unknown;
  getOnRouteTriggered?(): unknown;
  readonly onRequestHook?: unknown;
  readonly onResponseHook?: unknown;
  readonly onRouteTriggered?: unknown;
  /** Nest's adapter of Fastify. */
  readonly corsHook?: unknown;
  readonly securityHook?: unknown;
  readonly pendingMiddlewares?: readonly { readonly args: readonly unknown[] }[];
}

/** The prototype of the platform's own class; an application may have derived a class from it. */
export function platformOf(adapter: object): object | undefined {
  for (let level: unknown = adapter; level instanceof AbstractHttpAdapter; level = Object.getPrototypeOf(level)) {
    const parent: unknown = Object.getPrototypeOf(level);
    if (parent === AbstractHttpAdapter.prototype) return level;
  }
  return undefined;
}
