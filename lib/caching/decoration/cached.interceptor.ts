import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  Optional,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { Observable } from 'rxjs';
import { CachingLink, type HandlerRunner } from './class-host.js';
import { warnWithoutModule } from './without-module.js';

/** Answers decorated handlers from the cache. If no module provides the cache, it passes every call on. */
@Injectable()
export class CachedInterceptor implements NestInterceptor {
  readonly #link: CachingLink | undefined;

  constructor(
    @Optional() @Inject(CachingLink) link?: CachingLink,
    @Optional() @Inject(ModulesContainer) modules?: ModulesContainer,
  ) {
    this.#link = link;
    if (link === undefined && modules !== undefined) warnWithoutModule(modules);
  }

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>> {
    const handler = this.runnerOf(execution.getHandler(), execution.getClass(), execution.getType());
    return handler === undefined ? next.handle() : handler.answer(execution, next);
  }

  /** Returns what answers a handler; undefined if it runs uncached. */
  runnerOf(implementation: unknown, cls: unknown, transport: string): HandlerRunner | undefined {
    return this.#link?.runtime?.handlerOf(implementation, cls, transport);
  }
}
