import { type CallHandler, type ExecutionContext, GatewayTimeoutException } from '@nestjs/common';
import { concatAll, from, lastValueFrom, type Observable, of, toArray } from 'rxjs';
import type { Entry } from '../../cache/entries/entry.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import { NotKept } from '../../cache/base/observer.js';
import type { AnnotatedLoadContext, ReadPlan } from '../../cache/policies/read-plan.js';
import type { HandlerRunner } from '../decoration/class-host.js';
import { type Call, handlerCall } from '../inputs/call.js';
import {
  type Admission,
  Bypass,
  conditionalAnswer,
  ConditionalRead,
  ONLY_IF_CACHED,
  type RequestGate,
} from '../gate/request-gate.js';
import type { Invalidation } from '../invalidation/invalidation.js';
import type { Probe } from '../inputs/probe.js';
import type { TagTemplates } from '../invalidation/tag-templates.js';

/** A result that only its own request may get: a stream or several values. */
interface OwnRun {
  ran: boolean;
  values: readonly unknown[] | undefined;
}

/** Answers one RPC, WebSocket or GraphQL handler from the cache. */
export class MessageHandler implements HandlerRunner {
  /** True once a result of this handler was several values or a stream: such results are not shared. */
  #ownAnswers = false;

  constructor(
    private readonly cache: LayeredCache,
    private readonly plan: ReadPlan,
    private readonly gate: RequestGate,
    private readonly now: () => number,
    private readonly tags: TagTemplates | undefined,
    private readonly invalidations: readonly Invalidation[],
    private readonly probe: Probe | undefined,
  ) {}

  answer(execution: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>> {
    const call = handlerCall(execution);
    const admission = this.gate.decide(call);
    return admission instanceof Promise
      ? admission.then((found) => this.#admitted(call, next, found))
      : this.#admitted(call, next, admission);
  }

  #admitted(call: Call, next: CallHandler, admission: Admission): Observable<unknown> | Promise<Observable<unknown>> {
    if (typeof admission === 'string') return this.#stored(call, next, admission);
    if (admission instanceof Bypass) return this.#bypass(call, next, admission);
    // Warming sends requests only to HTTP handlers. A message that such a handler sends is handled like any other message.
    if (admission instanceof ConditionalRead) return this.#conditional(call, next, admission);
    return admission.key === undefined ? next.handle() : this.#stored(call, next, admission.key);
  }

  #stored(call: Call, next: CallHandler, key: string): Observable<unknown> | Promise<Observable<unknown>> {
    const { cache, plan, probe } = this;
    const entry = cache.fresh(key, plan);
    if (entry === undefined) return this.#load(call, next, key, false);
    probe?.offer(() => this.#value(entry), next);
    return of(this.#value(entry));
  }

  async #conditional(call: Call, next: CallHandler, read: ConditionalRead): Promise<Observable<unknown>> {
    const { cache, plan, now } = this;
    switch (await conditionalAnswer(cache, read, now)) {
      case 'stored':
        return this.#stored(call, next, read.key);
      case 'reload':
        return this.#load(call, next, read.key, true);
      case 'none':
        cache.bypass(plan, ONLY_IF_CACHED.reason);
        throw new GatewayTimeoutException('only-if-cached: there is no stored answer');
    }
  }

  async #load(call: Call, next: CallHandler, key: string, reload: boolean): Promise<Observable<unknown>> {
    const own: OwnRun = { ran: false, values: undefined };
    const { cache, plan } = this;
    const loader = (context: AnnotatedLoadContext) => this.#run(call, next, context, own);
    const answer = await (reload ? cache.reload(key, loader, plan) : cache.through(key, loader, plan));
    if (answer.entry === undefined) {
      if (own.values !== undefined) return from(own.values);
      if (!own.ran && this.#ownAnswers) return next.handle();
    }
    return of(answer.value);
  }

  async #run(call: Call, next: CallHandler, context: AnnotatedLoadContext, own: OwnRun): Promise<unknown> {
    own.ran = true;
    const values: unknown[] = await lastValueFrom(next.handle().pipe(toArray()));
    const result = values.at(-1);
    await this.#invalidate(call, result);
    if (values.length !== 1) {
      own.values = values;
      this.#ownAnswers = true;
      context.drop(NotKept.stream);
      return undefined;
    }
    const { tags } = this;
    if (tags !== undefined) await tags.setOn(context, call, result);
    return result;
  }

  #value(entry: Entry): unknown {
    return this.cache.valueOf(entry, this.plan);
  }

  #bypass(call: Call, next: CallHandler, { reason }: Bypass): Observable<unknown> {
    const { cache, plan, invalidations } = this;
    cache.bypass(plan, reason);
    return invalidations.length === 0 ? next.handle() : invalidatingAfter(next, call, invalidations);
  }

  async #invalidate(call: Call, result: unknown): Promise<void> {
    for (const invalidation of this.invalidations) await invalidation.after(call, result);
  }
}

/** Runs a handler that is not cached, and invalidates when it succeeded. */
export class InvalidatingHandler implements HandlerRunner {
  constructor(private readonly invalidations: readonly Invalidation[]) {}

  answer(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    return invalidatingAfter(next, handlerCall(execution), this.invalidations);
  }
}

/** Emits the handler's values after its invalidations are done. */
function invalidatingAfter(next: CallHandler, call: Call, invalidations: readonly Invalidation[]): Observable<unknown> {
  const run = async (): Promise<unknown[]> => {
    const values: unknown[] = await lastValueFrom(next.handle().pipe(toArray()));
    for (const invalidation of invalidations) await invalidation.after(call, values.at(-1));
    return values;
  };
  return from(run()).pipe(concatAll());
}
