import { TIMED_OUT } from '../bounded-wait.js';
import type { Clock } from '../clock.js';
import type { Entry } from '../entry.js';
import type { Invalidations } from '../invalidations.js';
import type { LayerChain } from '../layers/layer-chain.js';
import type { MissReasons } from '../reading/miss-reasons.js';
import { type CacheObserver, MissReason, Operation, Outcome } from '../observer.js';
import type { AnnotatedLoader, Answer, ReadPlan } from '../read-plan.js';
import { Load } from './load.js';
import type { Errand } from './origin-load.js';
import type { ReadThrough } from './read-through.js';
import { refreshIsDue } from './refresh-ahead.js';
import type { RunningLoads } from './running-loads.js';
import { type Flight, type Landed, valueLanded } from './flight.js';
import type { SingleFlight } from './single-flight.js';
import type { CacheTracer, SpanHandle } from '../tracer.js';
import { valueOf } from '../entries/value-of.js';

const OUTCOMES = ['hit', 'stale', 'miss', 'coalesced', 'error'] as const;

/** What one caller knows while its question is open. */
interface Question<V> {
  readonly key: string;
  readonly loader: AnnotatedLoader<V>;
  readonly plan: ReadPlan<V>;
  readonly startedAt: number;
  /** A stale entry that may be served: memory's, or a far layer's once it has been found. */
  candidate: Entry | undefined;
  /** Why there is nothing fresh. */
  reason: MissReason;
  /** When the cache knew that it had nothing fresh. */
  knownAt: number;
  /** It waited for another's flight. */
  joined: boolean;
  cacheFailed: boolean;
  readonly span: SpanHandle | undefined;
}

/** Answers one question: from memory, stale, from a far layer, from another's load or its own. Every question is told once. */
export class Answering {
  readonly #chain: LayerChain;
  readonly #flights: SingleFlight;
  readonly #readThrough: ReadThrough;
  readonly #invalidations: Invalidations;
  readonly #reasons: MissReasons;
  readonly #running: RunningLoads;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #tracer: CacheTracer | undefined;
  readonly #random: () => number;

  constructor(parts: {
    chain: LayerChain;
    flights: SingleFlight;
    readThrough: ReadThrough;
    invalidations: Invalidations;
    reasons: MissReasons;
    running: RunningLoads;
    observer: CacheObserver;
    clock: Clock;
    tracer: CacheTracer | undefined;
    random: () => number;
  }) {
    this.#chain = parts.chain;
    this.#flights = parts.flights;
    this.#readThrough = parts.readThrough;
    this.#invalidations = parts.invalidations;
    this.#reasons = parts.reasons;
    this.#running = parts.running;
    this.#observer = parts.observer;
    this.#clock = parts.clock;
    this.#tracer = parts.tracer;
    this.#random = parts.random;
  }

  /** Finds or loads. */
  answer<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Answer<V>> | Answer<V> {
    const startedAt = this.#clock.now();
    const near = this.#chain.near?.lookup(key);
    if (near !== undefined && near.freshUntil > startedAt && this.#invalidations.current(near)) {
      return this.#hit(key, near, loader, plan, startedAt);
    }
    if (this.#tracer === undefined) return this.#ask(key, loader, plan, near, startedAt, undefined);
    return this.#tracer.span('get', plan.series, key, (span) => this.#ask(key, loader, plan, near, startedAt, span));
  }

  /** Loads a key anew before it expires, unless a load is under way. @returns how that ended. */
  async renew<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Outcome> {
    const candidate = this.#chain.near?.lookup(key);
    const joined = this.#flights.get(key);
    const flight = joined ?? this.#readThrough.depart({ key, loader, plan, candidate, operation: Operation.refresh });
    return (await flight.landed).outcome;
  }

  /** Straight to the origin; the caller counts. */
  async past<V>(loader: AnnotatedLoader<V>): Promise<Answer<V>> {
    const value = await loader(new Load<V>(undefined, this.#running));
    return { value, entry: undefined, outcome: Outcome.miss };
  }

  /** A fresh entry of memory that may want refreshing: told as a hit, refreshed in the background where that is due. */
  #hit<V>(key: string, entry: Entry, loader: AnnotatedLoader<V>, plan: ReadPlan<V>, startedAt: number): Answer<V> {
    if (plan.policy.refreshesAhead && refreshIsDue(entry, plan.policy, startedAt, this.#random)) {
      this.#readThrough.refresh({ key, loader, plan, candidate: entry, operation: Operation.refresh });
    }
    this.#observer.hit(plan.series, 0, startedAt);
    return { value: valueOf(entry, plan.policy) as V, entry, outcome: Outcome.hit };
  }

  /** Everything else. @param near what memory has, whatever its times. */
  async #ask<V>(
    key: string,
    loader: AnnotatedLoader<V>,
    plan: ReadPlan<V>,
    near: Entry | undefined,
    startedAt: number,
    span: SpanHandle | undefined,
  ): Promise<Answer<V>> {
    const current = near !== undefined && this.#invalidations.current(near);
    const candidate = current && near.goneAt > startedAt ? near : undefined;
    const reason =
      near === undefined ? this.#reasons.of(key, startedAt) : current ? MissReason.expired : MissReason.invalidated;
    const knownAt = this.#clock.now();
    const question: Question<V> = {
      key, loader, plan, startedAt, candidate, reason, knownAt, joined: false, cacheFailed: false, span,
    }; // prettier-ignore
    this.#chain.countNear(candidate !== undefined, knownAt - startedAt);
    span?.phase('near', knownAt - startedAt);
    if (candidate !== undefined && candidate.staleUntil > startedAt) {
      this.#readThrough.refresh(this.#errand(question, Operation.refresh));
      return this.#answerStale(question, candidate, 0);
    }
    if (this.#running.within(key)) return this.#alone(question);
    for (;;) {
      const joined = this.#flights.get(key);
      const joinedAt = this.#invalidations.epoch;
      const flight = joined ?? this.#readThrough.depart(this.#errand(question, Operation.load));
      if (joined !== undefined) question.joined = true;
      const answer = await this.#board(question, flight, joinedAt);
      if (answer !== undefined) return answer;
      // Too old for this question, it is too old for every later one.
      this.#flights.leave(key, flight);
    }
  }

  /** Waits for a flight. Undefined: what it brought was invalidated before this question was asked. */
  async #board<V>(question: Question<V>, flight: Flight, joinedAt: number): Promise<Answer<V> | undefined> {
    const { key, plan } = question;
    if (question.joined && flight.link !== undefined) question.span?.linkTo(flight.link);
    if (flight.located !== undefined) {
      const askedAt = this.#clock.now();
      const located = await flight.located;
      const { entry } = located;
      question.knownAt = this.#clock.now();
      question.span?.phase('far', question.knownAt - askedAt, this.#chain.name(located.layer));
      question.cacheFailed = located.failed;
      if (located.failed || located.refused) question.reason = MissReason.error;
      const now = question.knownAt;
      if (entry !== undefined && entry.goneAt > now && !this.#tooOld(question, flight, joinedAt, entry.tags)) {
        question.reason = MissReason.expired;
        const newer = question.candidate === undefined || entry.freshUntil > question.candidate.freshUntil;
        if (newer && !this.#invalidations.concernedSince(flight.epoch, key, entry.tags)) question.candidate = entry;
        if (newer && entry.freshUntil <= now && entry.staleUntil > now) {
          flight.landed.catch(ignore);
          return this.#answerStale(question, entry, located.layer);
        }
      }
    }
    let landed: Landed | typeof TIMED_OUT;
    try {
      landed = await this.#readThrough.wait(flight, this.#patience(question));
    } catch (error) {
      this.#tell(question, question.joined ? Outcome.coalesced : Outcome.miss, -1);
      throw error;
    }
    if (landed === TIMED_OUT) {
      flight.landed.catch(ignore);
      return this.#giveUpWaiting(question);
    }
    if (this.#tooOld(question, flight, joinedAt, landed.tags)) return undefined;
    const { entry, outcome } = landed;
    if (outcome === Outcome.stale) return this.#answerStale(question, entry!, landed.layer);
    if (outcome === Outcome.hit) {
      question.knownAt = this.#clock.now();
      question.cacheFailed = false;
      question.reason = MissReason.none;
      this.#tell(question, Outcome.hit, landed.layer);
    } else this.#tell(question, question.joined ? Outcome.coalesced : Outcome.miss, -1);
    return { value: valueLanded(landed, plan) as V, entry, outcome };
  }

  #tooOld<V>(question: Question<V>, flight: Flight, joinedAt: number, tags: readonly string[]): boolean {
    return question.joined && this.#readThrough.tooOldFor(joinedAt, flight, question.key, tags);
  }

  /** How long this caller waits for the flight: until a stale value is better, or until it would rather load itself. */
  #patience<V>({ plan, candidate, joined, startedAt }: Question<V>): number {
    const { softTimeoutMs, waitTimeoutMs } = plan.policy;
    const soft = candidate === undefined ? Infinity : softTimeoutMs;
    const wait = joined ? waitTimeoutMs : Infinity;
    const patience = Math.min(soft, wait);
    return patience === Infinity ? Infinity : startedAt + patience - this.#clock.now();
  }

  #giveUpWaiting<V>(question: Question<V>): Promise<Answer<V>> | Answer<V> {
    const { candidate, plan } = question;
    const now = this.#clock.now();
    if (candidate !== undefined && candidate.goneAt > now && now - question.startedAt >= plan.policy.softTimeoutMs) {
      return this.#answerStale(question, candidate, -1);
    }
    this.#observer.waitTimeout(plan.series);
    question.joined = false;
    return this.#alone(question);
  }

  async #alone<V>(question: Question<V>): Promise<Answer<V>> {
    try {
      const landed = await this.#readThrough.alone(this.#errand(question, Operation.load));
      if (landed.outcome === Outcome.stale) return this.#answerStale(question, landed.entry!, -1);
      this.#tell(question, Outcome.miss, -1);
      return { value: valueLanded(landed, question.plan) as V, entry: landed.entry, outcome: Outcome.miss };
    } catch (error) {
      this.#tell(question, Outcome.miss, -1);
      throw error;
    }
  }

  #answerStale<V>(question: Question<V>, entry: Entry, layer: number): Answer<V> {
    question.knownAt = this.#clock.now();
    question.cacheFailed = false;
    question.reason = MissReason.expired;
    this.#tell(question, Outcome.stale, layer);
    return { value: valueOf(entry, question.plan.policy) as V, entry, outcome: Outcome.stale };
  }

  #tell<V>(question: Question<V>, outcome: Outcome, layer: number): void {
    const { plan, reason, startedAt, knownAt, span } = question;
    const told = outcome === Outcome.miss && question.cacheFailed ? Outcome.error : outcome;
    span?.outcome(OUTCOMES[told], this.#chain.name(layer));
    this.#observer.access(plan.series, told, layer, knownAt - startedAt, this.#clock.now() - startedAt, reason);
  }

  #errand<V>(question: Question<V>, operation: Errand<V>['operation']): Errand<V> {
    const { key, loader, plan, candidate } = question;
    return { key, loader, plan, candidate, operation, cause: question.span?.link };
  }
}

function ignore(): void {
  // Whoever started it has been told.
}
