import { valueLanded, valueOf } from './answering.js';
import type { Clock } from '../clock.js';
import type { Entry } from '../entry.js';
import { CacheError } from '../errors.js';
import type { Invalidations } from '../invalidations.js';
import type { Keeping, Kept } from './keeping.js';
import type { LayerChain, Located } from '../layers/layer-chain.js';
import type { LoadTicket } from '../layers/layer.js';
import { Load } from './load.js';
import type { MissReasons } from '../reading/miss-reasons.js';
import { type CacheObserver, MissReason, Operation, Outcome, Result } from '../observer.js';
import type { AnnotatedLoader, ReadPlan } from '../read-plan.js';
import type { RunningLoads } from './running-loads.js';
import { Flight, type Landed, type SingleFlight } from './single-flight.js';

/** What a batch's loader may answer: values in the order of the keys, or by key. A key left out counts as undefined. */
export type LoadedMany<V> = readonly (V | undefined)[] | ReadonlyMap<string, V> | Readonly<Record<string, V>>;

/** Loads what is missing of a batch. */
export type ManyLoader<V> = (
  missing: string[],
  context: { readonly signal: AbortSignal },
) => LoadedMany<V> | Promise<LoadedMany<V>>;

/** One key of a batch that this call takes on itself. */
interface Mine<V> {
  readonly key: string;
  readonly plan: ReadPlan<V>;
  readonly flight: Flight;
  readonly ticket: LoadTicket | undefined;
  candidate: Entry | undefined;
  reason: MissReason;
  land(landed: Landed): void;
  fail(error: unknown): void;
}

/** Loads the missing keys of a batch together: one lookup a layer, one call of the loader, one write a layer. */
export class BatchLoad {
  readonly #chain: LayerChain;
  readonly #flights: SingleFlight;
  readonly #invalidations: Invalidations;
  readonly #keeping: Keeping;
  readonly #running: RunningLoads;
  readonly #reasons: MissReasons;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;

  constructor(parts: {
    chain: LayerChain;
    flights: SingleFlight;
    invalidations: Invalidations;
    keeping: Keeping;
    running: RunningLoads;
    reasons: MissReasons;
    observer: CacheObserver;
    clock: Clock;
  }) {
    this.#chain = parts.chain;
    this.#flights = parts.flights;
    this.#invalidations = parts.invalidations;
    this.#keeping = parts.keeping;
    this.#running = parts.running;
    this.#reasons = parts.reasons;
    this.#observer = parts.observer;
    this.#clock = parts.clock;
  }

  /**
   * Values by key: from memory, from another's flight, or together with all others that are missing.
   * @param nearHit a fresh entry of memory, counted.
   * @param single asks for one key as any single caller would.
   */
  async answer<V>(
    keys: readonly string[],
    loader: ManyLoader<V>,
    planOf: (key: string) => ReadPlan<V>,
    nearHit: (key: string) => Entry | undefined,
    single: (key: string, load: AnnotatedLoader<V>) => Promise<V>,
  ): Promise<Map<string, unknown>> {
    const values = new Map<string, unknown>();
    const mine: string[] = [];
    const others: Promise<void>[] = [];
    const one = (key: string) =>
      single(key, async (context) => lookup(await loader([key], context), 1, planOf(key).series.pattern)(key, 0) as V);
    for (const key of new Set(keys)) {
      const entry = nearHit(key);
      if (entry !== undefined) values.set(key, valueOf(entry, planOf(key)));
      else if (this.#flights.get(key) === undefined && !this.#running.within(key) && !this.#servable(key))
        mine.push(key);
      else others.push(one(key).then((value) => void values.set(key, value)));
    }
    const [loaded] = await Promise.all([mine.length > 0 ? this.load(mine, loader, planOf) : undefined, ...others]);
    for (const [key, value] of loaded ?? []) values.set(key, value);
    return values;
  }

  /** Straight to the origin. */
  async past<V>(keys: readonly string[], loader: ManyLoader<V>, context: Load<V>): Promise<(V | undefined)[]> {
    const valueAt = lookup(await loader([...keys], context), keys.length, 'this batch');
    return keys.map((key, index) => valueAt(key, index));
  }

  /** Stale in memory and to be served while it is refreshed: that is a single key's business. */
  #servable(key: string): boolean {
    const entry = this.#chain.near?.get(key);
    return entry !== undefined && entry.staleUntil > this.#clock.now();
  }

  /** Values by key; single callers of a key join meanwhile. Every key is told as one access. */
  async load<V>(
    keys: readonly string[],
    loader: ManyLoader<V>,
    planOf: (key: string) => ReadPlan<V>,
  ): Promise<Map<string, unknown>> {
    const startedAt = this.#clock.now();
    const epoch = this.#invalidations.begin();
    const mine = keys.map((key) => this.#take(key, planOf(key), epoch, startedAt));
    try {
      const open = await this.#locate(mine, startedAt);
      const values = new Map<string, unknown>();
      const knownAt = this.#clock.now();
      if (open.length > 0) await this.#run(open, loader, epoch);
      for (const one of mine) {
        const landed = await one.flight.landed;
        values.set(one.key, valueLanded(landed, one.plan));
        if (landed.outcome === Outcome.hit) continue;
        const totalMs = this.#clock.now() - startedAt;
        this.#observer.access(one.plan.series, landed.outcome, -1, knownAt - startedAt, totalMs, one.reason);
      }
      return values;
    } catch (error) {
      const totalMs = this.#clock.now() - startedAt;
      for (const one of mine) {
        if (one.reason !== MissReason.none) {
          this.#observer.access(one.plan.series, Outcome.miss, -1, totalMs, totalMs, one.reason);
        }
        one.fail(error);
      }
      throw error;
    } finally {
      this.#invalidations.end();
      for (const one of mine) this.#flights.leave(one.key, one.flight);
    }
  }

  #take<V>(key: string, plan: ReadPlan<V>, epoch: number, now: number): Mine<V> {
    const flight = new Flight(epoch, plan.policy.tags);
    let land!: (landed: Landed) => void;
    let fail!: (error: unknown) => void;
    flight.landed = new Promise((resolve, reject) => {
      land = resolve;
      fail = reject;
    });
    flight.landed.catch(() => {
      // Whoever waits for this key is told where it waits.
    });
    this.#flights.enter(key, flight);
    const near = this.#chain.near?.get(key);
    const candidate = near !== undefined && near.goneAt > now ? near : undefined;
    this.#chain.countNear(candidate !== undefined, 0);
    const ticket: LoadTicket | undefined = this.#chain.hasFar ? new Map() : undefined;
    const reason = candidate === undefined ? this.#reasons.of(key, now) : MissReason.expired;
    return { key, plan, flight, ticket, candidate, reason, land, fail };
  }

  /** Lands what far layers have fresh; the others are still open. */
  async #locate<V>(mine: readonly Mine<V>[], startedAt: number): Promise<Mine<V>[]> {
    if (!this.#chain.hasFar) return [...mine];
    const locating = this.#chain.locateMany(
      mine.map(({ key }) => key),
      mine.map(({ ticket }) => ticket!),
    );
    mine.forEach((one, index) => {
      one.flight.located = locating.then((all) => all[index]!);
    });
    const located = await locating;
    return mine.filter((one, index) => !this.#found(one, located[index]!, startedAt));
  }

  #found<V>(one: Mine<V>, { entry, layer, failed, refused }: Located, startedAt: number): boolean {
    const now = this.#clock.now();
    if (failed || refused) one.reason = MissReason.error;
    if (entry === undefined || entry.goneAt <= now) return false;
    if (this.#invalidations.lastSince(one.flight.epoch, one.key, entry.tags) !== 0) return false;
    if (one.candidate !== undefined && one.candidate.freshUntil >= entry.freshUntil) return false;
    const near = this.#chain.backfill(one.key, entry, layer, one.flight.epoch);
    one.reason = MissReason.expired;
    one.candidate = near;
    if (entry.freshUntil <= now) return false;
    one.reason = MissReason.none;
    const tookMs = now - startedAt;
    this.#observer.access(one.plan.series, Outcome.hit, layer, tookMs, tookMs, MissReason.none);
    one.land({ value: near.value, entry: near, shareable: true, tags: near.tags, outcome: Outcome.hit, layer });
    return true;
  }

  async #run<V>(open: readonly Mine<V>[], loader: ManyLoader<V>, epoch: number): Promise<void> {
    const startedAt = this.#clock.now();
    const keys = open.map(({ key }) => key);
    const { policy, series } = open[0]!.plan;
    const load = new Load<V>(undefined, this.#running);
    const told = (result: Result) => {
      const tookMs = this.#clock.now() - startedAt;
      for (const one of open) this.#observer.load(one.plan.series, Operation.load, result, tookMs);
    };
    this.#observer.inFlight(1);
    let valueAt: (key: string, index: number) => V | undefined;
    try {
      const loaded = await load.run(
        keys,
        (context) => loader([...keys], context),
        policy.hardTimeoutMs,
        series.pattern,
        this.#clock,
      );
      valueAt = lookup(loaded, keys.length, series.pattern);
    } catch (error) {
      told(error instanceof CacheError && error.code === 'LOAD_TIMEOUT' ? Result.timeout : Result.error);
      const now = this.#clock.now();
      if (open.some(({ candidate }) => candidate === undefined || candidate.goneAt <= now)) throw error;
      for (const one of open) {
        const entry = one.candidate!;
        one.land({ value: entry.value, entry, shareable: true, tags: entry.tags, outcome: Outcome.stale, layer: -1 });
      }
      return;
    } finally {
      this.#observer.inFlight(-1);
    }
    told(Result.ok);
    const kept = open.map((one, index) => ({
      one,
      kept: this.#keeping.prepare(one.key, valueAt(one.key, index) as V, load, one.plan, {
        epoch,
        startedAt,
        ticket: one.ticket,
      }),
    }));
    const written = this.#keeping.keepMany(
      kept.flatMap(({ one: { key, ticket, plan }, kept: { entry } }) =>
        entry === undefined ? [] : [{ key, entry, ticket, plan }],
      ),
    );
    if (this.#chain.near === undefined) await written;
    for (const { one, kept: result } of kept) one.land(landedOf(result));
  }
}

function landedOf({ value, entry, shareable, tags }: Kept): Landed {
  return { value, entry, shareable, tags, outcome: Outcome.miss, layer: -1 };
}

function lookup<V>(
  loaded: LoadedMany<V>,
  expected: number,
  pattern: string,
): (key: string, index: number) => V | undefined {
  if (Array.isArray(loaded)) {
    const values = loaded as readonly (V | undefined)[];
    if (values.length === expected) return (_, index) => values[index];
    throw new CacheError(
      'INVALID_OPTIONS',
      `The loader of a batch for ${pattern} answered ${values.length} values for ${expected} keys; ` +
        'answer one value a key in their order, or a Map or an object by key.',
    );
  }
  if (loaded instanceof Map) return (key) => (loaded as ReadonlyMap<string, V>).get(key);
  const record = loaded as Readonly<Record<string, V>>;
  return (key) => (Object.hasOwn(record, key) ? record[key] : undefined);
}
