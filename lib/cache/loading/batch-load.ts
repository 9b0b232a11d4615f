import type { Clock } from '../clock.js';
import { valueOf } from '../entries/value-of.js';
import type { Invalidations } from '../invalidations.js';
import type { LayerChain, Located } from '../layers/layer-chain.js';
import type { LoadTicket } from '../layers/layer.js';
import { type CacheObserver, MissReason, Operation, Outcome } from '../observer.js';
import type { AnnotatedLoader, ReadPlan } from '../read-plan.js';
import type { MissReasons } from '../reading/miss-reasons.js';
import type { NearHits } from '../reading/near-hits.js';
import type { BatchOrigin, Mine } from './batch-origin.js';
import { Flight, type Landed, landedWith, valueLanded } from './flight.js';
import { Load } from './load.js';
import { type ManyLoader, valuesOf } from './loaded-many.js';
import type { ReadThrough } from './read-through.js';
import type { RunningLoads } from './running-loads.js';
import type { SingleFlight } from './single-flight.js';

/** Answers many keys together: one lookup a layer, one call of the loader for all that are missing, one write a layer. */
export class BatchLoad {
  readonly #nearHits: NearHits;
  readonly #chain: LayerChain;
  readonly #flights: SingleFlight;
  readonly #readThrough: ReadThrough;
  readonly #origin: BatchOrigin;
  readonly #invalidations: Invalidations;
  readonly #running: RunningLoads;
  readonly #reasons: MissReasons;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;

  constructor(parts: {
    nearHits: NearHits;
    chain: LayerChain;
    flights: SingleFlight;
    readThrough: ReadThrough;
    batchOrigin: BatchOrigin;
    invalidations: Invalidations;
    running: RunningLoads;
    reasons: MissReasons;
    observer: CacheObserver;
    clock: Clock;
  }) {
    this.#nearHits = parts.nearHits;
    this.#chain = parts.chain;
    this.#flights = parts.flights;
    this.#readThrough = parts.readThrough;
    this.#origin = parts.batchOrigin;
    this.#invalidations = parts.invalidations;
    this.#running = parts.running;
    this.#reasons = parts.reasons;
    this.#observer = parts.observer;
    this.#clock = parts.clock;
  }

  /**
   * Values in the order of the keys: from memory, from another's flight, or together with all others that are missing.
   * A key asked for twice is one access.
   * @param single asks for one key as any single caller would.
   */
  async answer<V>(
    keys: readonly string[],
    loader: ManyLoader<V>,
    planOf: (key: string) => ReadPlan<V>,
    single: (key: string, load: AnnotatedLoader<V>) => Promise<V>,
  ): Promise<(V | undefined)[]> {
    const values = new Map<string, unknown>();
    const mine: string[] = [];
    const others: Promise<void>[] = [];
    for (const key of new Set(keys)) {
      const entry = this.#nearHits.hit(key);
      if (entry !== undefined) values.set(key, valueOf(entry, planOf(key).policy));
      else if (this.#flights.get(key) === undefined && !this.#running.within(key) && !this.#servable(key)) {
        mine.push(key);
      } else
        others.push(single(key, loaderOfOne(key, loader, planOf(key))).then((value) => void values.set(key, value)));
    }
    await Promise.all([mine.length > 0 ? this.#load(mine, loader, planOf, values) : undefined, ...others]);
    return keys.map((key) => values.get(key) as V | undefined);
  }

  /** Straight to the origin; the caller counts. */
  async past<V>(keys: readonly string[], loader: ManyLoader<V>): Promise<(V | undefined)[]> {
    const valueAt = valuesOf(await loader([...keys], new Load<V>(undefined, this.#running)), keys.length, 'this batch');
    return keys.map((key, index) => valueAt(key, index));
  }

  /** Stale in memory and to be served while it is refreshed: that is a single key's business. */
  #servable(key: string): boolean {
    const entry = this.#chain.near?.get(key);
    return entry !== undefined && entry.staleUntil > this.#clock.now();
  }

  /** Single callers of one of the keys come aboard meanwhile. Every key is told as one access. */
  async #load<V>(
    keys: readonly string[],
    loader: ManyLoader<V>,
    planOf: (key: string) => ReadPlan<V>,
    values: Map<string, unknown>,
  ): Promise<void> {
    const startedAt = this.#clock.now();
    const epoch = this.#invalidations.begin();
    const mine = keys.map((key) => this.#take(key, planOf(key), epoch, startedAt));
    this.#fly(mine, loader, epoch)
      .catch((error: unknown) => {
        for (const one of mine) one.fail(error);
      })
      .finally(() => this.#invalidations.end());
    await Promise.all(
      mine.map(async (one) => {
        values.set(one.key, await this.#board(one, startedAt));
      }),
    );
  }

  #take<V>(key: string, plan: ReadPlan<V>, epoch: number, now: number): Mine<V> {
    const flight = new Flight(epoch, plan.policy.tags);
    let land!: (landed: Landed | Promise<Landed>) => void;
    let fail!: (error: unknown) => void;
    flight.landed = new Promise((resolve, reject) => {
      land = resolve;
      fail = reject;
    });
    this.#flights.enter(key, flight);
    // Whoever waits for this key is told where it waits.
    const leave = () => this.#flights.leave(key, flight);
    flight.landed.then(leave, leave);
    const near = this.#chain.near?.get(key);
    const candidate = near !== undefined && near.goneAt > now ? near : undefined;
    this.#chain.countNear(candidate !== undefined, 0);
    const ticket: LoadTicket | undefined = this.#chain.hasFar ? new Map() : undefined;
    const reason = candidate === undefined ? this.#reasons.of(key, now) : MissReason.expired;
    return { key, plan, flight, ticket, candidate, reason, knownAt: now, failed: false, land, fail };
  }

  /** Lands every key: with what far layers have, or with what the origin answers. */
  async #fly<V>(mine: readonly Mine<V>[], loader: ManyLoader<V>, epoch: number): Promise<void> {
    const open = await this.#locate(mine);
    const together: Mine<V>[] = [];
    for (const one of open) {
      // In its turn, or not at all: what a lock or a resting origin decides is decided for each key by itself.
      if (one.plan.policy.lock || this.#origin.rests(one)) one.land(this.#loadApart(one, loader));
      else together.push(one);
    }
    if (together.length > 0) await this.#origin.load(together, loader, epoch);
    await Promise.allSettled(mine.map(({ flight }) => flight.landed));
  }

  #loadApart<V>({ key, plan, candidate, flight, ticket }: Mine<V>, loader: ManyLoader<V>): Promise<Landed> {
    return this.#readThrough.load(
      { key, plan, candidate, loader: loaderOfOne(key, loader, plan), operation: Operation.load },
      { epoch: flight.epoch, flight, ticket },
    );
  }

  /** Lands what far layers have fresh; the others are still open. */
  async #locate<V>(mine: readonly Mine<V>[]): Promise<Mine<V>[]> {
    if (!this.#chain.hasFar) return [...mine];
    const locating = this.#chain.locateMany(
      mine.map(({ key }) => key),
      mine.map(({ ticket }) => ticket!),
    );
    mine.forEach((one, index) => {
      one.flight.located = locating.then((all) => all[index]!);
    });
    const located = await locating;
    return mine.filter((one, index) => !this.#found(one, located[index]!));
  }

  #found<V>(one: Mine<V>, located: Located): boolean {
    const now = this.#clock.now();
    one.knownAt = now;
    one.failed = located.failed;
    if (located.failed || located.refused) one.reason = MissReason.error;
    const found = this.#readThrough.usable(located, one.flight.epoch, one.key, one.candidate);
    if (found === undefined) return false;
    one.reason = MissReason.expired;
    one.candidate = this.#chain.backfill(one.key, found, located.layer, one.flight.epoch);
    if (found.freshUntil <= now) return false;
    one.land(landedWith(one.candidate, Outcome.hit, located.layer));
    return true;
  }

  /** The value of one key, told as one access. */
  async #board<V>(one: Mine<V>, startedAt: number): Promise<unknown> {
    let landed: Landed;
    try {
      landed = await this.#origin.landed(one, startedAt);
    } catch (error) {
      this.#tell(one, Outcome.miss, -1, startedAt);
      throw error;
    }
    this.#tell(one, landed.outcome, landed.outcome === Outcome.hit ? landed.layer : -1, startedAt);
    return valueLanded(landed, one.plan);
  }

  #tell<V>({ plan, reason, knownAt, failed }: Mine<V>, outcome: Outcome, layer: number, startedAt: number): void {
    const told = outcome === Outcome.miss && failed ? Outcome.error : outcome;
    const why = outcome === Outcome.hit ? MissReason.none : outcome === Outcome.stale ? MissReason.expired : reason;
    this.#observer.access(plan.series, told, layer, knownAt - startedAt, this.#clock.now() - startedAt, why);
  }
}

function loaderOfOne<V>(key: string, loader: ManyLoader<V>, { series }: ReadPlan<V>): AnnotatedLoader<V> {
  return async (context) => valuesOf(await loader([key], context), 1, series.pattern)(key, 0) as V;
}
