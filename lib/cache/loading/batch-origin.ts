import { TIMED_OUT, within } from '../bounded-wait.js';
import type { Clock } from '../clock.js';
import type { Entry } from '../entry.js';
import { CacheError } from '../errors.js';
import type { LayerChain } from '../layers/layer-chain.js';
import type { LoadTicket } from '../layers/layer.js';
import { type CacheObserver, type MissReason, Operation, Outcome, Result } from '../observer.js';
import type { ReadPlan } from '../read-plan.js';
import type { CacheTracer, SpanHandle } from '../tracer.js';
import { type Flight, type Landed, landedWith } from './flight.js';
import type { Keeping } from './keeping.js';
import { Load } from './load.js';
import { type ManyLoader, valuesOf } from './loaded-many.js';
import type { OriginLoad } from './origin-load.js';
import type { OriginThrottle } from './origin-throttle.js';
import type { RunningLoads } from './running-loads.js';

/** One key of a batch that its caller takes on itself. */
export interface Mine<V> {
  readonly key: string;
  readonly plan: ReadPlan<V>;
  readonly flight: Flight;
  readonly ticket: LoadTicket | undefined;
  candidate: Entry | undefined;
  reason: MissReason;
  /** When the cache knew that it had nothing fresh. */
  knownAt: number;
  /** A layer failed, so that absence proves nothing. */
  failed: boolean;
  land(landed: Landed | Promise<Landed>): void;
  fail(error: unknown): void;
}

/** One run of a batch's loader for all keys that no layer has fresh. */
export class BatchOrigin {
  readonly #chain: LayerChain;
  readonly #keeping: Keeping;
  readonly #originLoad: OriginLoad;
  readonly #throttle: OriginThrottle;
  readonly #running: RunningLoads;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #tracer: CacheTracer | undefined;

  constructor(parts: {
    chain: LayerChain;
    keeping: Keeping;
    originLoad: OriginLoad;
    throttle: OriginThrottle;
    running: RunningLoads;
    observer: CacheObserver;
    clock: Clock;
    tracer: CacheTracer | undefined;
  }) {
    this.#chain = parts.chain;
    this.#keeping = parts.keeping;
    this.#originLoad = parts.originLoad;
    this.#throttle = parts.throttle;
    this.#running = parts.running;
    this.#observer = parts.observer;
    this.#clock = parts.clock;
    this.#tracer = parts.tracer;
  }

  /** Whether the key's origin failed just now and there is a stale value to serve instead. */
  rests<V>({ key, candidate }: Mine<V>): boolean {
    return candidate !== undefined && this.#throttle.holds(key, this.#clock.now());
  }

  /** How one key's flight ended, or its stale value once the soft timeout has passed. */
  async landed<V>(one: Mine<V>, startedAt: number): Promise<Landed> {
    const { flight, plan } = one;
    // A stale value may come from a far layer, whose answer is read into `one` before this goes on.
    if (flight.located !== undefined) await flight.located;
    const { candidate } = one;
    const { softTimeoutMs } = plan.policy;
    if (candidate === undefined || softTimeoutMs === Infinity) return flight.landed;
    const landed = await within(flight.landed, startedAt + softTimeoutMs - this.#clock.now(), this.#clock);
    if (landed !== TIMED_OUT) return landed;
    return candidate.goneAt > this.#clock.now() ? landedWith(candidate, Outcome.stale, -1) : flight.landed;
  }

  /** Lands every key, with its value, its stale one, or what the loader threw, unchanged. */
  load<V>(open: readonly Mine<V>[], loader: ManyLoader<V>, epoch: number): Promise<void> {
    const tracer = this.#tracer;
    if (tracer === undefined) return this.#load(open, loader, epoch, undefined);
    const [first] = open;
    return tracer.span('load', first!.plan.series, first!.key, (span) => {
      for (const { flight } of open) flight.link = span.link;
      return this.#load(open, loader, epoch, span);
    });
  }

  async #load<V>(
    open: readonly Mine<V>[],
    loader: ManyLoader<V>,
    epoch: number,
    span: SpanHandle | undefined,
  ): Promise<void> {
    const startedAt = this.#clock.now();
    const load = new Load<V>(undefined, this.#running);
    let valueAt: (key: string, index: number) => V | undefined;
    try {
      valueAt = await this.#run(open, loader, load);
    } catch (error) {
      const timedOut = error instanceof CacheError && error.code === 'LOAD_TIMEOUT';
      span?.outcome(timedOut ? 'timeout' : 'error');
      this.#told(open, timedOut ? Result.timeout : Result.error, startedAt);
      this.#standIn(open, error);
      return;
    }
    this.#told(open, Result.ok, startedAt);
    const loadedAt = this.#clock.now();
    span?.phase('origin', loadedAt - startedAt);
    const kept = open.map((one, index) => {
      this.#originLoad.succeeded(one.key, one.plan);
      const value = valueAt(one.key, index) as V;
      return { one, kept: this.#keeping.prepare(one.key, value, load, one.plan, { epoch, startedAt }) };
    });
    const preparedAt = this.#clock.now();
    span?.phase('encode', preparedAt - loadedAt);
    const written = this.#keeping.storeMany(
      kept.flatMap(({ one: { key, ticket, plan }, kept: { entry } }) =>
        entry === undefined ? [] : [{ key, entry, ticket, plan }],
      ),
    );
    if (this.#chain.near === undefined) await written;
    span?.phase('write', this.#clock.now() - preparedAt);
    span?.outcome('ok');
    for (const { one, kept: result } of kept) one.land({ ...result, outcome: Outcome.miss, layer: -1 });
  }

  async #run<V>(
    open: readonly Mine<V>[],
    loader: ManyLoader<V>,
    load: Load<V>,
  ): Promise<(key: string, index: number) => V | undefined> {
    const keys = open.map(({ key }) => key);
    const { policy, series } = open[0]!.plan;
    this.#observer.inFlight(1);
    try {
      const loaded = await load.run(
        keys,
        (context) => loader([...keys], context),
        policy.hardTimeoutMs,
        series.pattern,
        this.#clock,
      );
      return valuesOf(loaded, keys.length, series.pattern);
    } finally {
      this.#observer.inFlight(-1);
    }
  }

  /** Every key's stale value takes the place of what failed to load; a key that has none fails alone. */
  #standIn<V>(open: readonly Mine<V>[], error: unknown): void {
    const now = this.#clock.now();
    for (const one of open) {
      if (one.candidate === undefined) one.fail(error);
      else {
        this.#originLoad.failed(one.key, one.plan, error);
        if (one.candidate.goneAt > now) one.land(landedWith(one.candidate, Outcome.stale, -1));
        else one.fail(error);
      }
    }
  }

  #told<V>(open: readonly Mine<V>[], result: Result, startedAt: number): void {
    const tookMs = this.#clock.now() - startedAt;
    for (const { plan } of open) this.#observer.load(plan.series, Operation.load, result, tookMs);
  }
}
