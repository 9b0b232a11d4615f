import { type TIMED_OUT, within } from '../bounded-wait.js';
import type { Clock } from '../clock.js';
import type { CacheEvents } from '../contract/cache-events.js';
import { LoadLock, type LockTurn } from '../coordination/load-lock.js';
import type { Entry } from '../entry.js';
import type { Invalidations } from '../invalidations.js';
import type { LayerChain, Located } from '../layers/layer-chain.js';
import type { LoadTicket } from '../layers/layer.js';
import { type CacheObserver, Outcome } from '../observer.js';
import type { OnceLog } from '../once-log.js';
import type { CacheTracer } from '../tracer.js';
import { Flight, type Landed, landedWith } from './flight.js';
import type { Departure, Errand, OriginLoad } from './origin-load.js';
import type { OriginThrottle } from './origin-throttle.js';
import type { SingleFlight } from './single-flight.js';

/** Starts and runs flights: far layers first, then the origin, alone or under a lock. */
export class ReadThrough {
  readonly #chain: LayerChain;
  readonly #flights: SingleFlight;
  readonly #invalidations: Invalidations;
  readonly #originLoad: OriginLoad;
  readonly #throttle: OriginThrottle;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #log: OnceLog;
  readonly #tracer: CacheTracer | undefined;
  readonly #events: CacheEvents;
  readonly #lock: LoadLock | undefined;

  constructor(parts: {
    chain: LayerChain;
    flights: SingleFlight;
    invalidations: Invalidations;
    originLoad: OriginLoad;
    throttle: OriginThrottle;
    observer: CacheObserver;
    clock: Clock;
    log: OnceLog;
    tracer: CacheTracer | undefined;
    events: CacheEvents;
  }) {
    this.#chain = parts.chain;
    this.#flights = parts.flights;
    this.#invalidations = parts.invalidations;
    this.#originLoad = parts.originLoad;
    this.#throttle = parts.throttle;
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
      ({ value, entry, outcome }) => {
        // Fenced, skipped or refused, it has refreshed nothing.
        if (outcome === Outcome.miss && entry !== undefined) this.#events.emit('refresh', { key, value });
      },
      // Told to the observer and the log where it failed; nobody waits for it.
      (error: unknown) => this.#events.emit('refresh', { key, value: candidate?.value, error }),
    );
  }

  /** A load of its own for a caller that cannot or will not wait for another's. */
  async alone<V>(errand: Errand<V>): Promise<Landed> {
    const epoch = this.#invalidations.begin();
    try {
      return await this.#originLoad.run(errand, { epoch, ticket: this.#chain.hasFar ? new Map() : undefined });
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
      const found = this.usable(located, flight.epoch, errand.key, candidate);
      if (found !== undefined) {
        candidate = this.#chain.backfill(errand.key, found, located.layer, flight.epoch);
        if (found.freshUntil > this.#clock.now()) return landedWith(candidate, Outcome.hit, located.layer);
      }
    }
    return this.load({ ...errand, candidate }, { epoch: flight.epoch, flight, ticket });
  }

  /** Loads what no layer has fresh: not at all while its origin rests, alone, or in its turn where the policy has a lock. */
  async load<V>(errand: Errand<V>, departure: Departure): Promise<Landed> {
    const { key, candidate, plan } = errand;
    if (candidate !== undefined && this.#throttle.holds(key, this.#clock.now())) {
      return landedWith(candidate, Outcome.stale, 0);
    }
    if (!plan.policy.lock || this.#lock === undefined) return this.#originLoad.run(errand, departure);
    const { series } = plan;
    const turn = await this.#turn(this.#lock, errand, departure);
    switch (turn.kind) {
      case 'found': {
        const { entry, layer } = turn.found;
        return landedWith(this.#chain.backfill(key, entry, layer, departure.epoch), Outcome.hit, layer);
      }
      case 'mine':
        return this.#originLoad.run(errand, { ...departure, release: turn.release });
      case 'timeout':
        this.#observer.waitTimeout(series);
        break;
      case 'unreachable':
        this.#log.say('warn', 'LOCK_UNREACHABLE', series.pattern, `Loads of ${series.pattern} go on without their lock between processes: its layer cannot be reached.`, turn.cause); // prettier-ignore
    }
    return this.#originLoad.run(errand, departure);
  }

  #turn<V>(
    lock: LoadLock,
    { key, plan, candidate }: Errand<V>,
    { epoch, ticket }: Departure,
  ): Promise<LockTurn<{ readonly entry: Entry; readonly layer: number }>> {
    const waitMs = Math.min(plan.policy.waitTimeoutMs, plan.policy.hardTimeoutMs);
    const wait = () =>
      lock.turn(key, waitMs, async () => {
        const located = await this.#chain.locate(key, ticket);
        const found = this.usable(located, epoch, key, candidate);
        const fresh = found !== undefined && found.freshUntil > this.#clock.now();
        return fresh ? { entry: found, layer: located.layer } : undefined;
      });
    if (this.#tracer === undefined) return wait();
    return this.#tracer.span('lock.wait', plan.series, key, async (span) => {
      const turn = await wait();
      span.outcome(turn.kind);
      return turn;
    });
  }

  /** What was found, where it is newer than the candidate and neither it nor its tags were invalidated on its way. */
  usable({ entry }: Located, epoch: number, key: string, candidate: Entry | undefined): Entry | undefined {
    if (entry === undefined || entry.goneAt <= this.#clock.now()) return undefined;
    if (candidate !== undefined && candidate.freshUntil >= entry.freshUntil) return undefined;
    return this.#invalidations.concernedSince(epoch, key, entry.tags) ? undefined : entry;
  }

  /** Whether a caller that came aboard at `joinedAt` must not have what the flight brings: perhaps invalidated before it asked. */
  tooOldFor(joinedAt: number, flight: Flight, key: string, tags: readonly string[]): boolean {
    if (joinedAt === flight.epoch) return false;
    // Only the last one is known: it may hide one from before the caller came, so that every one counts.
    return this.#invalidations.concernedSince(flight.epoch, key, tags);
  }

  /** The flight's end, or {@link TIMED_OUT}. */
  wait(flight: Flight, ms: number): Promise<Landed | typeof TIMED_OUT> {
    return within(flight.landed, ms, this.#clock);
  }
}
