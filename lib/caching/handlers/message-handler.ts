import type { CallHandler, ExecutionContext } from '@nestjs/common';
import { concatAll, from, lastValueFrom, type Observable, of, toArray } from 'rxjs';
import type { Entry } from '../../cache/entry.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import { BypassReason } from '../../cache/observer.js';
import type { AnnotatedLoadContext, ReadPlan } from '../../cache/read-plan.js';
import type { HandlerRunner } from '../decoration/class-host.js';
import { isStreaming } from '../http/streaming.js';
import { type Call, handlerCall, requestOf, type Transport } from '../inputs/call.js';
import type { SafeKeys } from '../keys/safe-keys.js';
import type { Invalidation } from './invalidation.js';
import type { Probe } from './probe.js';
import type { TagTemplates } from './tag-templates.js';

export interface MessageHandlerParts {
  readonly cache: LayeredCache;
  readonly plan: ReadPlan;
  readonly transport: Transport;
  readonly keys: SafeKeys;
  readonly answersAuthorization: boolean;
  readonly tags: TagTemplates | undefined;
  readonly invalidations: readonly Invalidation[];
  readonly probe: Probe | undefined;
  readonly prepare: ((value: unknown) => unknown) | undefined;
}

/** What a request's own run of the handler gave that only it may have: a stream, or several values. */
interface OwnRun {
  ran: boolean;
  values: readonly unknown[] | undefined;
}

/** Answers one RPC, WebSocket or GraphQL handler from the cache. */
export class MessageHandler implements HandlerRunner {
  readonly #parts: MessageHandlerParts;
  /** Some answers of this handler were several values or streams: they are not shared. */
  #ownAnswers = false;

  constructor(parts: MessageHandlerParts) {
    this.#parts = parts;
  }

  answer(execution: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>> {
    const { cache, transport, answersAuthorization, keys } = this.#parts;
    const call = handlerCall(execution);
    if (!cache.enabled) return this.#bypass(call, next, BypassReason.disabled);
    if (!answersAuthorization && requestOf(call.args, transport)?.headers?.authorization !== undefined) {
      return this.#bypass(call, next, BypassReason.authorization);
    }
    const key = keys.keyOf(call);
    return typeof key === 'object' ? key.then((found) => this.#keyed(call, next, found)) : this.#keyed(call, next, key);
  }

  #keyed(call: Call, next: CallHandler, key: string | undefined): Observable<unknown> | Promise<Observable<unknown>> {
    if (key === undefined) return this.#bypass(call, next, BypassReason.condition);
    const { cache, plan, probe } = this.#parts;
    const entry = cache.fresh(key, plan);
    if (entry === undefined) return this.#through(call, next, key);
    probe?.offer(entry.value, next);
    return of(this.#value(entry));
  }

  async #through(call: Call, next: CallHandler, key: string): Promise<Observable<unknown>> {
    const own: OwnRun = { ran: false, values: undefined };
    const { cache, plan } = this.#parts;
    const answer = await cache.through(key, (context) => this.#run(call, next, context, own), plan);
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
    if (values.length !== 1 || isStreaming(result)) {
      own.values = values;
      this.#ownAnswers = true;
      context.skip();
      return undefined;
    }
    const { tags, prepare } = this.#parts;
    if (tags !== undefined) context.setTags(...tags.of(call, result));
    return prepare === undefined ? result : prepare(result);
  }

  #value(entry: Entry): unknown {
    return this.#parts.cache.valueOf(entry, this.#parts.plan);
  }

  #bypass(call: Call, next: CallHandler, reason: BypassReason): Observable<unknown> {
    const { cache, plan, invalidations } = this.#parts;
    cache.bypass(plan, reason);
    return invalidations.length === 0 ? next.handle() : invalidatingAfter(next, call, invalidations);
  }

  async #invalidate(call: Call, result: unknown): Promise<void> {
    for (const invalidation of this.#parts.invalidations) await invalidation.after(call, result);
  }
}

/** A handler that is not cached, and invalidates after it succeeded. */
export class InvalidatingHandler implements HandlerRunner {
  readonly #invalidations: readonly Invalidation[];

  constructor(invalidations: readonly Invalidation[]) {
    this.#invalidations = invalidations;
  }

  answer(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    return invalidatingAfter(next, handlerCall(execution), this.#invalidations);
  }
}

/** The handler's own values, handed on once everything it makes invalid is. */
function invalidatingAfter(next: CallHandler, call: Call, invalidations: readonly Invalidation[]): Observable<unknown> {
  const run = async (): Promise<unknown[]> => {
    const values: unknown[] = await lastValueFrom(next.handle().pipe(toArray()));
    for (const invalidation of invalidations) await invalidation.after(call, values.at(-1));
    return values;
  };
  return from(run()).pipe(concatAll());
}
