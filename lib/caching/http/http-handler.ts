import { type CallHandler, type ExecutionContext, GatewayTimeoutException } from '@nestjs/common';
import { EMPTY, isObservable, Observable, of, type Subscription } from 'rxjs';
import type { Entry } from '../../cache/entries/entry.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import { Outcome } from '../../cache/base/observer.js';
import type { AnnotatedLoadContext, ReadPlan } from '../../cache/policies/read-plan.js';
import type { HandlerRunner } from '../decoration/class-host.js';
import type { ClassConstructor } from '../decoration/decorated-classes.js';
import type { Method } from '../decoration/method-site.js';
import type { Probe } from '../inputs/probe.js';
import { type Call, handlerCall } from '../inputs/call.js';
import {
  type Admission,
  Bypass,
  conditionalAnswer,
  type ConditionalRead,
  ONLY_IF_CACHED,
  type RequestGate,
  WarmingRead,
} from '../gate/request-gate.js';
import type { AnswerHeaders } from './answer-headers.js';
import { type HandlerCall, resultOf } from './handler-call.js';
import type { HandlerRun, HandlerRuns } from './handler-run.js';
import type { HttpRequest } from '../gate/http-request.js';
import { RouteCall } from './route-call.js';
import type { RouteDecisions } from './route-decisions.js';
import type { RouteFailures } from './route-failures.js';
import type { StoredAnswers } from './stored-answers.js';

/** Answers one HTTP handler from the cache. */
export class HttpHandler implements HandlerRunner {
  /** @param innermostOnly true if no other interceptor is outside ours. Such an interceptor could unsubscribe. */
  constructor(
    private readonly cache: LayeredCache,
    private readonly plan: ReadPlan,
    private readonly gate: RequestGate,
    private readonly headers: AnswerHeaders,
    private readonly answers: StoredAnswers,
    private readonly runs: HandlerRuns,
    private readonly probe: Probe | undefined,
    private readonly failures: RouteFailures,
    private readonly decisions: RouteDecisions,
    private readonly now: () => number,
    private readonly innermostOnly: boolean,
    private readonly cls: ClassConstructor,
    private readonly implementation: Method,
  ) {}

  answer(execution: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>> {
    const answer = this.#answer(handlerCall(execution), () => next.handle());
    return answer instanceof Promise ? answer.then(observableOf) : observableOf(answer);
  }

  answerAlone(args: readonly unknown[], run: () => Promise<unknown>): unknown {
    return this.#answer(new RouteCall(args, this.cls, this.implementation), run);
  }

  /** @returns an answer, an Observable of it, or a promise of either. */
  #answer(call: Call, next: HandlerCall): unknown {
    const request = call.args[0] as HttpRequest;
    this.failures.rethrow(request);
    const decided = this.decisions.take(request);
    if (typeof decided === 'string') return this.#load(call, next, decided, false);
    const admission = decided ?? this.gate.decide(call);
    return admission instanceof Promise
      ? admission.then((found) => this.#admitted(call, next, found))
      : this.#admitted(call, next, admission);
  }

  #admitted(call: Call, next: HandlerCall, admission: Admission): unknown {
    if (typeof admission === 'string') return this.#stored(call, next, admission);
    if (admission instanceof Bypass) return this.#bypass(call, next, admission);
    return admission instanceof WarmingRead
      ? this.#warmed(call, next, admission)
      : this.#conditional(call, next, admission);
  }

  #stored(call: Call, next: HandlerCall, key: string): unknown {
    const entry = this.cache.fresh(key, this.plan);
    return entry === undefined ? this.#load(call, next, key, false) : this.#hit(call, next, key, entry);
  }

  #hit({ args }: Call, next: HandlerCall, key: string, entry: Entry): unknown {
    this.probe?.offerRun(
      () => this.cache.valueOf(entry, this.plan),
      () => resultOf(next),
    );
    return this.answers.hit(args[0] as HttpRequest, args[1] as object, key, entry);
  }

  /** Loads on subscription. Unsubscribing does not cancel the load, which others may have joined. */
  #load(call: Call, next: HandlerCall, key: string, reload: boolean): unknown {
    // Nest itself subscribes once and never unsubscribes.
    if (this.innermostOnly) return this.#loaded(call, next, key, this.runs.begin(call, next), reload);
    return new Observable((subscriber) => {
      const run = this.runs.begin(call, next);
      let answer: Subscription | undefined;
      this.#loaded(call, next, key, run, reload).then(
        (found) => {
          answer = observableOf(found).subscribe(subscriber);
        },
        (error: unknown) => subscriber.error(error),
      );
      return () => {
        run.leave();
        answer?.unsubscribe();
      };
    });
  }

  async #loaded(call: Call, next: HandlerCall, key: string, run: HandlerRun, reload: boolean): Promise<unknown> {
    const loader = (context: AnnotatedLoadContext) => run.run(context);
    const answer = await (reload
      ? this.cache.reload(key, loader, this.plan)
      : this.cache.through(key, loader, this.plan));
    if (run.left) return EMPTY;
    // A run that continues in the background or begins after this response must not change it.
    if (!run.ended) run.leave();
    const request = call.args[0] as HttpRequest;
    const response = call.args[1] as object;
    if (answer.entry === undefined) {
      // Nothing was stored. Use the result of this request's own run, because another request's result may be for its caller
      // only.
      if (run.unsharable !== undefined) return run.unsharable;
      if (!run.started && this.runs.ownAnswers) return next();
      this.headers.miss(response, undefined, { collapsed: !run.started, reload });
      return this.answers.encoded(request, response, answer.value, undefined);
    }
    const { entry, outcome } = answer;
    if (outcome === Outcome.miss || outcome === Outcome.coalesced || outcome === Outcome.error) {
      this.headers.miss(response, entry, { collapsed: outcome === Outcome.coalesced, reload });
      if (run.started) return this.answers.encoded(request, response, answer.value, entry);
    } else this.headers.hit(response, entry, outcome === Outcome.stale);
    return this.answers.stored(request, response, entry);
  }

  async #conditional(call: Call, next: HandlerCall, read: ConditionalRead): Promise<unknown> {
    switch (await conditionalAnswer(this.cache, read, this.now)) {
      case 'stored':
        return this.#stored(call, next, read.key);
      case 'reload':
        return this.#load(call, next, read.key, true);
      case 'none':
        this.cache.bypass(this.plan, ONLY_IF_CACHED.reason);
        this.headers.bypass(call.args[1] as object, ONLY_IF_CACHED);
        throw new GatewayTimeoutException('only-if-cached: there is no stored answer');
    }
  }

  /** Answers a request of warming: loads unless the entry is fresh, and counts neither as hit nor as miss. */
  async #warmed(call: Call, next: HandlerCall, { key, visit }: WarmingRead): Promise<unknown> {
    visit.bypassed = key === undefined;
    if (key === undefined) return next();
    visit.key = key;
    visit.warmed = false;
    const [request, response] = call.args as [HttpRequest, object];
    const fresh = await this.cache.freshEntry(key);
    if (fresh !== undefined) return this.answers.stored(request, response, fresh);
    const run = this.runs.begin(call, next);
    let ended: Promise<unknown> | undefined;
    await this.cache.renew(key, (context) => (ended = run.run(context)), this.plan);
    const value = await ended;
    const entry = await this.cache.freshEntry(key);
    visit.warmed = run.started && entry !== undefined;
    if (run.started) return run.unsharable ?? this.answers.encoded(request, response, value, entry);
    return entry === undefined ? undefined : this.answers.stored(request, response, entry);
  }

  #bypass(call: Call, next: HandlerCall, bypass: Bypass): unknown {
    this.cache.bypass(this.plan, bypass.reason);
    this.headers.bypass(call.args[1] as object, bypass);
    return this.runs.invalidations.length === 0 ? next() : this.#uncached(call, next);
  }

  async #uncached(call: Call, next: HandlerCall): Promise<unknown> {
    const result = await resultOf(next);
    for (const invalidation of this.runs.invalidations) await invalidation.after(call, result);
    return result;
  }
}

/** What the interceptors outside ours get: an answer in an Observable, or the handler's own. */
function observableOf(answer: unknown): Observable<unknown> {
  return isObservable(answer) ? answer : of(answer);
}
