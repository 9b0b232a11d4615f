import { type CallHandler, type ExecutionContext, GatewayTimeoutException } from '@nestjs/common';
import { from, lastValueFrom, type Observable, of } from 'rxjs';
import type { Entry } from '../../cache/entry.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import { BypassReason, Outcome } from '../../cache/observer.js';
import type { AnnotatedLoadContext, ReadPlan } from '../../cache/read-plan.js';
import type { HandlerRunner } from '../decoration/class-host.js';
import type { Invalidation } from '../handlers/invalidation.js';
import type { Probe } from '../handlers/probe.js';
import type { TagTemplates } from '../handlers/tag-templates.js';
import { type Call, handlerCall } from '../inputs/call.js';
import type { SafeKeys } from '../keys/safe-keys.js';
import { type RequestDirectives, requestDirectives } from './request-directives.js';
import { isStorable, responseBefore, setByHandler } from './response-capture.js';
import type { HttpRequest } from './http-request.js';
import type { RouteFailures } from './route-failures.js';
import type { AnswerParts, StoredAnswers } from './stored-answers.js';
import { isStreaming } from './streaming.js';
import type { WarmingRequests, WarmingVisit } from './warming-requests.js';

/** Everything that was decided of one HTTP handler. */
export interface HttpHandlerParts extends AnswerParts {
  readonly keys: SafeKeys;
  readonly methods: ReadonlySet<string>;
  readonly answersAuthorization: boolean;
  readonly honorRequestDirectives: boolean;
  readonly tags: TagTemplates | undefined;
  readonly invalidations: readonly Invalidation[];
  readonly probe: Probe | undefined;
  readonly warming: WarmingRequests;
  readonly failures: RouteFailures;
  readonly now: () => number;
  /** What a serialising interceptor outside needs of class instances before they become plain objects. */
  readonly prepare: ((value: unknown) => unknown) | undefined;
}

/** What became of a request's own run of the handler. */
interface OwnRun {
  ran: boolean;
  /** A stream or the like, which only this request may have. */
  unsharable: unknown;
}

/** Answers one HTTP handler from the cache: everything that can be decided before a request was. */
export class HttpHandler implements HandlerRunner {
  readonly #parts: HttpHandlerParts;
  readonly #cache: LayeredCache;
  readonly #plan: ReadPlan;
  readonly #keys: SafeKeys;
  readonly #answers: StoredAnswers;
  /** Answers of this handler have been found to belong to one request: cookies, streams, a status that is not kept. */
  #ownAnswers = false;

  constructor(parts: HttpHandlerParts, answers: StoredAnswers) {
    this.#parts = parts;
    this.#answers = answers;
    this.#cache = parts.cache;
    this.#plan = parts.plan;
    this.#keys = parts.keys;
  }

  answer(execution: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>> {
    const parts = this.#parts;
    const call = handlerCall(execution);
    const request = call.args[0] as HttpRequest;
    parts.failures.tell(request);
    const visit = parts.warming.visitOf(request);
    if (visit !== undefined) return this.#visited(call, next, visit);
    if (!parts.methods.has(request.method)) return this.#bypass(call, next, BypassReason.method, 'fwd=method');
    if (!this.#cache.enabled) return this.#bypass(call, next, BypassReason.disabled, 'fwd=bypass; detail=disabled');
    if (request.headers.authorization !== undefined && !parts.answersAuthorization) {
      return this.#bypass(call, next, BypassReason.authorization, 'fwd=bypass; detail=authorization');
    }
    const key = this.#keys.keyOf(call);
    if (typeof key !== 'string') return this.#withoutKey(call, next, key);
    return this.#withKey(call, next, key);
  }

  #withKey(call: Call, next: CallHandler, key: string): Observable<unknown> | Promise<Observable<unknown>> {
    if (this.#parts.honorRequestDirectives) {
      const { headers } = call.args[0] as HttpRequest;
      const directives = requestDirectives(headers['cache-control'], headers.pragma);
      if (directives !== undefined) return this.#directed(call, next, key, directives);
    }
    const entry = this.#cache.fresh(key, this.#plan);
    return entry === undefined ? this.#through(call, next, key) : this.#hit(call, next, key, entry);
  }

  #withoutKey(
    call: Call,
    next: CallHandler,
    later: Promise<string | undefined> | undefined,
  ): Observable<unknown> | Promise<Observable<unknown>> {
    if (later === undefined) {
      return this.#bypass(call, next, BypassReason.condition, 'fwd=bypass; detail=unidentified');
    }
    return later.then((key) =>
      key === undefined ? this.#withoutKey(call, next, undefined) : this.#withKey(call, next, key),
    );
  }

  #hit({ args }: Call, next: CallHandler, key: string, entry: Entry): Observable<unknown> {
    this.#parts.probe?.offer(entry.value, next);
    return of(this.#answers.hit(args[0] as HttpRequest, args[1] as object, key, entry));
  }

  async #through(call: Call, next: CallHandler, key: string): Promise<Observable<unknown>> {
    const own: OwnRun = { ran: false, unsharable: undefined };
    const answer = await this.#cache.through(key, (context) => this.#run(call, next, context, own), this.#plan);
    const request = call.args[0] as HttpRequest;
    const response = call.args[1] as object;
    if (answer.entry === undefined) {
      // Nothing was kept. What this request's own handler made is its answer; another's may be for that caller alone.
      if (own.unsharable !== undefined) return of(own.unsharable);
      if (!own.ran && this.#ownAnswers) return next.handle();
      this.#parts.headers.miss(response, undefined, !own.ran);
      return of(this.#answers.encoded(request, response, answer.value, undefined));
    }
    const { entry, outcome } = answer;
    if (outcome === Outcome.miss || outcome === Outcome.coalesced || outcome === Outcome.error) {
      this.#parts.headers.miss(response, entry, outcome === Outcome.coalesced);
      if (own.ran) return of(this.#answers.encoded(request, response, answer.value, entry));
    } else this.#parts.headers.hit(response, entry, outcome === Outcome.stale);
    return of(this.#answers.stored(request, response, entry));
  }

  /** Runs the handler and decides from its response what is kept. */
  async #run(call: Call, next: CallHandler, context: AnnotatedLoadContext, own: OwnRun): Promise<unknown> {
    const { face, prepare, tags, invalidations } = this.#parts;
    const response = call.args[1] as object;
    own.ran = true;
    const before = responseBefore(face, response);
    const result: unknown = await lastValueFrom(next.handle());
    for (const invalidation of invalidations) await invalidation.after(call, result);
    if (isStreaming(result)) {
      own.unsharable = result;
      this.#ownAnswers = true;
      context.skip();
      return undefined;
    }
    if (face.header(response, 'set-cookie') !== undefined || !isStorable(face.status(response))) {
      this.#ownAnswers = true;
      context.skip();
      return prepare === undefined ? result : prepare(result);
    }
    const meta = setByHandler(face, response, before);
    if (meta !== undefined) {
      // Should this answer not be kept, others could not have its status and headers.
      this.#ownAnswers = true;
      context.annotate(meta);
    }
    if (tags !== undefined) context.setTags(...tags.of(call, result));
    return prepare === undefined ? result : prepare(result);
  }

  async #directed(
    call: Call,
    next: CallHandler,
    key: string,
    { noStore, noCache, onlyIfCached, maxAgeMs }: RequestDirectives,
  ): Promise<Observable<unknown>> {
    if (noStore) return this.#bypass(call, next, BypassReason.directive, 'fwd=request');
    if (onlyIfCached && (await this.#cache.freshEntry(key)) === undefined) {
      this.#cache.bypass(this.#plan, BypassReason.directive);
      throw new GatewayTimeoutException('only-if-cached: there is no stored answer');
    }
    const { now } = this.#parts;
    const entry = noCache ? undefined : this.#cache.fresh(key, this.#plan);
    if (entry !== undefined && (onlyIfCached || now() - entry.createdAt <= maxAgeMs))
      return this.#hit(call, next, key, entry);
    if (noCache || entry !== undefined) {
      // Merely expired, it could be served stale.
      await this.#cache.del(key);
    }
    return this.#through(call, next, key);
  }

  /** Warming's own request: loads what is not fresh, and is nobody's hit or miss. */
  async #visited(call: Call, next: CallHandler, visit: WarmingVisit): Promise<Observable<unknown>> {
    const { methods, answersAuthorization } = this.#parts;
    const { method, headers } = call.args[0] as HttpRequest;
    const key = await this.#keys.keyOf(call);
    const isPrivate = headers.authorization !== undefined && !answersAuthorization;
    visit.bypassed = key === undefined || isPrivate || !methods.has(method) || !this.#cache.enabled;
    if (visit.bypassed || key === undefined) return next.handle();
    visit.key = key;
    visit.warmed = false;
    const [request, response] = call.args as [HttpRequest, object];
    const fresh = await this.#cache.freshEntry(key);
    if (fresh !== undefined) return of(this.#answers.stored(request, response, fresh));
    const own: OwnRun = { ran: false, unsharable: undefined };
    let run: Promise<unknown> | undefined;
    await this.#cache.renew(key, (context) => (run = this.#run(call, next, context, own)), this.#plan);
    const value = await run;
    const entry = await this.#cache.freshEntry(key);
    visit.warmed = own.ran && entry !== undefined;
    if (own.ran) return of(own.unsharable ?? this.#answers.encoded(request, response, value, entry));
    return of(entry === undefined ? undefined : this.#answers.stored(request, response, entry));
  }

  #bypass(call: Call, next: CallHandler, reason: BypassReason, why: string): Observable<unknown> {
    this.#cache.bypass(this.#plan, reason);
    this.#parts.headers.bypass(call.args[1] as object, why);
    return this.#parts.invalidations.length === 0 ? next.handle() : from(this.#uncached(call, next));
  }

  async #uncached(call: Call, next: CallHandler): Promise<unknown> {
    const result: unknown = await lastValueFrom(next.handle());
    for (const invalidation of this.#parts.invalidations) await invalidation.after(call, result);
    return result;
  }
}
