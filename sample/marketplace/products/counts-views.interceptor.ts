import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { tap, type Observable } from 'rxjs';
import { ViewJournal } from './view-journal.js';

/** Writes down which product was looked at, once its page has been answered. */
@Injectable()
export class CountsViews implements NestInterceptor {
  constructor(private readonly journal: ViewJournal) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { params } = context.switchToHttp().getRequest<{ params: { id: string } }>();
    return next.handle().pipe(tap(() => this.journal.add(Number(params.id))));
  }
}
