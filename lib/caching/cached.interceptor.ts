import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  Optional,
} from '@nestjs/common';
import type { Observable } from 'rxjs';
import { CachingLink } from './decoration/class-host.js';

/** Answers decorated handlers from the cache. Without the module it lets everything through. */
@Injectable()
export class CachedInterceptor implements NestInterceptor {
  readonly #link: CachingLink | undefined;

  constructor(@Optional() @Inject(CachingLink) link?: CachingLink) {
    this.#link = link;
  }

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>> {
    const handler = this.#link?.runtime?.handlerOf(execution);
    return handler === undefined ? next.handle() : handler.answer(execution, next);
  }
}
