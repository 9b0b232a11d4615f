import { type TIMED_OUT, within } from '../bounded-wait.js';
import type { CacheEvents } from '../contract/cache-events.js';
import type { Clock } from '../clock.js';
import { LoadLock } from '../coordination/load-lock.js';
import type { Entry } from '../entry.js';
import { CacheError } from '../errors.js';
import type { Invalidations } from '../invalidations.js';
import type { Keeping } from './keeping.js';
import type { LayerChain, Located } from '../layers/layer-chain.js';
import type { LoadTicket } from '../layers/layer.js';
import { Load } from './load.js';
import { type CacheObserver, Operation, Outcome, Result } from '../observer.js';
import type { OnceLog } from '../once-log.js';
import { OriginThrottle } from './origin-throttle.js';
import type { AnnotatedLoader, ReadPlan } from '../read-plan.js';
import type { RunningLoads } from './running-loads.js';
import { Flight, type Landed, type SingleFlight } from './single-flight.js';
import type { CacheTracer, SpanHandle, SpanLink } from '../tracer.js';

/** What a flight is about. */
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

/** Starts and runs flights: far layers first, then the origin, alone or under a lock, and what happens when it fails. */
export class ReadThrough {
  readonly #chain: LayerChain;
  readonly #flights: SingleFlight;
  readonly #invalidations: Invalidations;
  readonly #keeping: Keeping;
  readonly #running: RunningLoads;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #log: OnceLog;
  readonly #tracer: CacheTracer | undefined;
  readonly #events: CacheEvents;
  readonly #lock: LoadLock | undefined;
  readonly #throttle = new OriginThrottle();

  constructor(parts: {
    chain: LayerChain;
    flights: SingleFlight;
    invalidations: Invalidations;
    keeping: Keeping;
    running: RunningLoads;
    observer: CacheObserver;
    clock: Clock;
    log: OnceLog;
    tracer: CacheTracer | undefined;
    events: CacheEvents;
  }) {
    this.#chain = parts.chain;
    this.#flights = parts.flights;
    this.#invalidations = parts.invalidations;
    this.#keeping = parts.keeping;
    this.#running = parts.running;
    this.#observer = parts.observer;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#tracer = parts.tracer;
    this.#events = parts.events;
    const coordination = parts.chain.layers.find((layer) => layer.coordination !== undefined)?.coordination;
    this.#lock = coordination === undefined ? undefined : new LoadLock(coordination, parts.clock);
  }

  /** A flight for the errand, which later callers for its key join until it lands or is fenced. */
  depart<V>(errand: Errand<V>): Flight {
    const flight = new Flight(this.#invalidations.begin(), errand.plan.policy.tags);
    this.#flights.enter(errand.key, flight);
    flight.landed = this.#fly(flight, errand);
    const done = () => {
      this.#invalidations.end();
      this.#flights.leave(errand.key, flight);
    };
    flight.landed.then(done, done);
    return flight;
  }

  /** Loads in the background unless that is under way or its origin failed just now. */
  refresh<V>(errand: Errand<V>): void {
    if (this.#flights.get(errand.key) !== undefined) return;
    if (this.#throttle.holds(errand.key, this.#clock.now())) return;
    const { key, candidate } = errand;
    this.depart(errand).landed.then(
      ({ value, outcome }) => {
        if (outcome === Outcome.miss) this.#events.emit('refresh', { key, value });
      },
      // Told to the observer and the log where it failed; nobody waits for it.
      (error: unknown) => this.#events.emit('refresh', { key, value: candidate?.value, error }),
    );
  }

  /** A load of its own for a caller that cannot or will not wait for another's. */
  async alone<V>(errand: Errand<V>): Promise<Landed> {
    const epoch = this.#invalidations.begin();
    try {
      return await this.#load(errand, epoch, undefined, undefined, errand.candidate);
    } finally {
      this.#invalidations.end();
    }
  }

  async #fly<V>(flight: Flight, errand: Errand<V>): Promise<Landed> {
    let { candidate } = errand;
    let ticket: LoadTicket | undefined;
    if (this.#chain.hasFar) {
      ticket = new Map();
      flight.located = this.#chain.locate(errand.key, ticket);
      const located = await flight.located;
      const found = this.#usable(located, flight.epoch, errand.key);
      if (found !== undefined && (candidate === undefined || found.freshUntil > candidate.freshUntil)) {
        if (found.freshUntil > this.#clock.now()) return this.#landed(errand.key, found, located.layer, flight.epoch);
        candidate = this.#chain.backfill(errand.key, found, located.layer, flight.epoch);
      }
    }
    if (candidate !== undefined && this.#throttle.holds(errand.key, this.#clock.now())) return stale(candidate);
    if (errand.plan.policy.lock && this.#lock !== undefined) {
      return this.#loadLocked(flight, errand, ticket, candidate, this.#lock);
    }
    return this.#load(errand, flight.epoch, flight, ticket, candidate);
  }

  /** What was found, unless one of its tags or its key was invalidated while it was on its way. */
  #usable(located: Located, epoch: number, key: string): Entry | undefined {
    const { entry } = located;
    if (entry === undefined || entry.goneAt <= this.#clock.now()) return undefined;
    return this.#invalidations.lastSince(epoch, key, entry.tags) === 0 ? entry : undefined;
  }

  #landed(key: string, entry: Entry, layer: number, epoch: number): Landed {
    const near = this.#chain.backfill(key, entry, layer, epoch);
    return { value: near.value, entry: near, shareable: true, tags: near.tags, outcome: Outcome.hit, layer };
  }

  async #loadLocked<V>(
    flight: Flight,
    errand: Errand<V>,
    ticket: LoadTicket | undefined,
    candidate: Entry | undefined,
    lock: LoadLock,
  ): Promise<Landed> {
    const { policy, series } = errand.plan;
    const waitMs = Math.min(policy.waitTimeoutMs, policy.hardTimeoutMs);
    const wait = () =>
      lock.turn(errand.key, waitMs, async () => {
        const located = await this.#chain.locate(errand.key, ticket);
        const found = this.#usable(located, flight.epoch, errand.key);
        const newer = found !== undefined && (candidate === undefined || found.freshUntil > candidate.freshUntil);
        return newer && found.freshUntil > this.#clock.now() ? { entry: found, layer: located.layer } : undefined;
      });
    const turn = await (this.#tracer === undefined
      ? wait()
      : this.#tracer.span('lock.wait', series, errand.key, async (span) => {
          const result = await wait();
          span.outcome(result.kind);
          return result;
        }));
    switch (turn.kind) {
      case 'found':
        return this.#landed(errand.key, turn.found.entry, turn.found.layer, flight.epoch);
      case 'mine':
        return this.#load(errand, flight.epoch, flight, ticket, candidate, turn.release);
      case 'timeout':
        this.#observer.waitTimeout(series);
        break;
      case 'unreachable':
        this.#log.say('warn', 'LOCK_UNREACHABLE', series.pattern, `Loads of ${series.pattern} go on without their lock between processes: its layer cannot be reached.`, turn.cause); // prettier-ignore
    }
    return this.#load(errand, flight.epoch, flight, ticket, candidate);
  }

  #load<V>(
    errand: Errand<V>,
    epoch: number,
    flight: Flight | undefined,
    ticket: LoadTicket | undefined,
    candidate: Entry | undefined,
    release?: () => Promise<void>,
  ): Promise<Landed> {
    const tracer = this.#tracer;
    if (tracer === undefined) return this.#loadNow(errand, epoch, ticket, candidate, release, undefined);
    const operation = errand.operation === Operation.refresh ? 'refresh' : 'load';
    return tracer.span(operation, errand.plan.series, errand.key, (span) => {
      if (flight !== undefined) flight.link = span.link;
      if (errand.cause !== undefined) span.linkTo(errand.cause);
      return this.#loadNow(errand, epoch, ticket, candidate, release, span);
    });
  }

  async #loadNow<V>(
    errand: Errand<V>,
    epoch: number,
    ticket: LoadTicket | undefined,
    candidate: Entry | undefined,
    release: (() => Promise<void>) | undefined,
    span: SpanHandle | undefined,
  ): Promise<Landed> {
    const { key, plan, operation } = errand;
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
      void release?.();
      if (candidate === undefined) throw error;
      this.#throttle.failed(key, now);
      this.#log.say('warn', 'ORIGIN_FAILED', series.pattern, `A load for ${series.pattern} failed; the last value is served as long as its policy allows.`, error); // prettier-ignore
      if (candidate.goneAt <= now) throw error;
      return stale(candidate);
    } finally {
      this.#observer.inFlight(-1);
    }
    const loadedAt = clock.now();
    this.#observer.load(series, operation, Result.ok, loadedAt - startedAt);
    span?.phase('origin', loadedAt - startedAt);
    this.#throttle.recovered(key);
    this.#log.over('ORIGIN_FAILED', series.pattern);
    const kept = this.#keeping.keep(key, value, load, plan, { epoch, startedAt, ticket });
    span?.phase('write', clock.now() - loadedAt);
    if (release !== undefined) void (kept.written ?? Promise.resolve()).then(release);
    // Without a near layer the next caller looks in the far one: it must have the value first.
    if (kept.written !== undefined && this.#chain.near === undefined) await kept.written;
    span?.outcome('ok');
    return {
      value: kept.value,
      entry: kept.entry,
      shareable: kept.shareable,
      tags: kept.tags,
      outcome: Outcome.miss,
      layer: -1,
    };
  }

  /** Whether a caller that came aboard at `joinedAt` must not have what the flight brings: invalidated before it asked. */
  tooOldFor(joinedAt: number, flight: Flight, key: string, tags: readonly string[]): boolean {
    if (joinedAt === flight.epoch) return false;
    const last = this.#invalidations.lastSince(flight.epoch, key, tags);
    return last !== 0 && last <= joinedAt;
  }

  /** The flight's end, or {@link TIMED_OUT}. */
  wait(flight: Flight, ms: number): Promise<Landed | typeof TIMED_OUT> {
    return within(flight.landed, ms, this.#clock);
  }
}

function stale(candidate: Entry): Landed {
  return {
    value: candidate.value,
    entry: candidate,
    shareable: true,
    tags: candidate.tags,
    outcome: Outcome.stale,
    layer: 0,
  };
}
