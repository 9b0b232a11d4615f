import type { Clock } from '../clock.js';
import type { Entry } from '../entry.js';
import { CacheError } from '../errors.js';
import type { LayerChain } from '../layers/layer-chain.js';
import type { LoadTicket } from '../layers/layer.js';
import { type CacheObserver, Operation, Outcome, Result } from '../observer.js';
import type { OnceLog } from '../once-log.js';
import type { AnnotatedLoader, ReadPlan } from '../read-plan.js';
import type { CacheTracer, SpanHandle, SpanLink } from '../tracer.js';
import { type Flight, type Landed, landedWith } from './flight.js';
import type { Keeping } from './keeping.js';
import { Load } from './load.js';
import type { OriginThrottle } from './origin-throttle.js';
import type { RunningLoads } from './running-loads.js';

/** What is to be loaded. */
export interface Errand<V> {
  readonly key: string;
  readonly loader: AnnotatedLoader<V>;
  readonly plan: ReadPlan<V>;
  /** What memory still has, stale or about to be. */
  readonly candidate: Entry | undefined;
  /** `load`, or `refresh` where nobody waits. */
  readonly operation: typeof Operation.load | typeof Operation.refresh;
  /** The span that caused a refresh. */
  readonly cause?: SpanLink;
}

/** From where an errand is run. */
export interface Departure {
  /** The order of invalidations when it began. */
  readonly epoch: number;
  readonly flight?: Flight | undefined;
  /** What the far layers told when they were asked. */
  readonly ticket?: LoadTicket | undefined;
  /** To be called once the value has been stored, or cannot be. */
  readonly release?: (() => Promise<void>) | undefined;
}

/** One run of an errand's loader: told, kept, and where it fails answered with what is still allowed. */
export class OriginLoad {
  readonly #chain: LayerChain;
  readonly #keeping: Keeping;
  readonly #running: RunningLoads;
  readonly #throttle: OriginThrottle;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #log: OnceLog;
  readonly #tracer: CacheTracer | undefined;

  constructor(parts: {
    chain: LayerChain;
    keeping: Keeping;
    running: RunningLoads;
    throttle: OriginThrottle;
    observer: CacheObserver;
    clock: Clock;
    log: OnceLog;
    tracer: CacheTracer | undefined;
  }) {
    this.#chain = parts.chain;
    this.#keeping = parts.keeping;
    this.#running = parts.running;
    this.#throttle = parts.throttle;
    this.#observer = parts.observer;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#tracer = parts.tracer;
  }

  /** @throws what the loader throws, unchanged, or `LOAD_TIMEOUT`, where no stale value may stand in. */
  run<V>(errand: Errand<V>, departure: Departure): Promise<Landed> {
    const tracer = this.#tracer;
    if (tracer === undefined) return this.#run(errand, departure, undefined);
    const operation = errand.operation === Operation.refresh ? 'refresh' : 'load';
    return tracer.span(operation, errand.plan.series, errand.key, (span) => {
      if (departure.flight !== undefined) departure.flight.link = span.link;
      if (errand.cause !== undefined) span.linkTo(errand.cause);
      return this.#run(errand, departure, span);
    });
  }

  async #run<V>(errand: Errand<V>, departure: Departure, span: SpanHandle | undefined): Promise<Landed> {
    const { key, plan, operation, candidate } = errand;
    const { series, policy } = plan;
    const clock = this.#clock;
    const startedAt = clock.now();
    const load = new Load<V>(candidate?.value as V | undefined, this.#running);
    this.#observer.inFlight(1);
    let value: V;
    try {
      value = await load.run([key], errand.loader, policy.hardTimeoutMs, series.pattern, clock);
    } catch (error) {
      const now = clock.now();
      const timedOut = error instanceof CacheError && error.code === 'LOAD_TIMEOUT';
      this.#observer.load(series, operation, timedOut ? Result.timeout : Result.error, now - startedAt);
      span?.outcome(timedOut ? 'timeout' : 'error');
      void departure.release?.();
      if (candidate === undefined) throw error;
      this.failed(key, plan, error);
      if (candidate.goneAt <= now) throw error;
      return landedWith(candidate, Outcome.stale, 0);
    } finally {
      this.#observer.inFlight(-1);
    }
    const loadedAt = clock.now();
    this.#observer.load(series, operation, Result.ok, loadedAt - startedAt);
    span?.phase('origin', loadedAt - startedAt);
    this.succeeded(key, plan);
    const { epoch, ticket } = departure;
    const kept = this.#keeping.prepare(key, value, load, plan, { epoch, startedAt });
    const preparedAt = clock.now();
    span?.phase('encode', preparedAt - loadedAt);
    const written = kept.entry === undefined ? undefined : this.#keeping.store(key, kept.entry, plan, ticket);
    span?.phase('write', clock.now() - preparedAt);
    if (departure.release !== undefined) void (written ?? Promise.resolve()).then(departure.release);
    // Without a near layer the next caller looks in the far one: it must have the value first.
    if (written !== undefined && this.#chain.near === undefined) await written;
    span?.outcome('ok');
    return { ...kept, outcome: Outcome.miss, layer: -1 };
  }

  /** An origin failed for a key that has a stale value: it is left alone for a while. */
  failed(key: string, { series }: ReadPlan<never>, error: unknown): void {
    this.#throttle.failed(key, this.#clock.now());
    const message = `A load for ${series.pattern} failed; the last value is served as long as its policy allows.`;
    this.#log.say('warn', 'ORIGIN_FAILED', series.pattern, message, error);
  }

  succeeded(key: string, { series }: ReadPlan<never>): void {
    this.#throttle.recovered(key);
    this.#log.over('ORIGIN_FAILED', series.pattern);
  }
}
