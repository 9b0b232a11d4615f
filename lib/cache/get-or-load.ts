import type { LockTurn } from './loads/load-lock.js';
import type { Entry } from './entries/entry.js';
import { valueOf } from './entries/value-of.js';
import { isFresh, isNewer, isRetained, isServable, refreshIsDue } from './freshness/freshness.js';
import type { Located } from './layers/layer-chain.js';
import { LoadTicket } from './layers/load-ticket.js';
import { type InFlightLoad, type LoadRequest, type LoadResult, type LoadWaiter, resultOf, valueFor, valueOfResult } from './loads/in-flight-loads.js'; // prettier-ignore
import type { LoadParts } from './loads/load-parts.js';
import { loadTimeout } from './loads/load-timeout.js';
import { type LoadedMany, type ManyLoader, valuesInOrder } from './loads/many-loader.js';
import { OriginCall } from './loads/origin-call.js';
import { MissReason, Operation, Outcome } from './base/observer.js';
import { isReported } from './base/reported-errors.js';
import type { AnnotatedLoader, Answer, ReadPlan } from './policies/read-plan.js';
import { forEachInSlices, TimeSlice } from './base/slices.js';
import type { CacheTracer, SpanHandle, SpanLink } from './base/tracer.js';

/*
 * Finding or loading a value: the whole story, for one key and for many.
 *
 * The problem. Many callers ask for the same key at once; the origin is slow and sometimes fails; a remote layer is slow,
 * fails or freezes; entries are invalidated at the same time. Each caller must soon get a value that was correct when it
 * asked, and the origin must be called as rarely as possible.
 *
 * The steps, for each key:
 *   1. Memory. A fresh entry is returned at once. A stale one that may be served is returned at once, too, and refreshed in the background
 *      (stale-while-revalidate, RFC 5861 section 3).
 *   2. In-flight load. If a load of the key runs, the caller joins it: one load per key in a process.
 *   3. Remote layers, asked in turn. A fresh entry there is stored in memory and returned.
 *   4. Lock. If the policy requires it, one process loads and the others look for the value it stored.
 *   5. Origin. The loader is called (loads/origin-call.ts); its value is copied, stored and returned. If it fails, the
 *      last value is returned as long as the policy allows (stale-if-error, RFC 5861 section 4).
 *
 * Invariants:
 *   - A caller that asked after a value was invalidated never gets that value. A load has the epoch in which it began;
 *     if a load is older than an invalidation of its key, a caller that joined it starts another.
 *   - A load that began before an invalidation of its key stores nothing.
 *   - A loader that asks for its own key does not wait for itself: it starts a load that no caller joins.
 *   - Every access is reported once, with its outcome and, if no fresh entry was found, the reason.
 *   - A caller waits at most `softTimeout` if a stale value can be served, and at most `hardTimeout` in all, whatever
 *     layers, locks and loaders do. Late results are ignored.
 *
 * A waiting caller is a KeyRead, and the load calls its methods: one promise per caller, none if memory or a synchronous loader answers.
 *
 * Sources: single flight as in groupcache (Fitzpatrick, 2013); leases in Nishtala et al., Scaling Memcache at Facebook, NSDI
 * 2013, section 3.2; RFC 5861.
 */

/** The most keys in one request to a layer, when loads of one turn of the event loop are combined. */
const ASKED_AT_ONCE = 500;

/** How many keys of a batch begin between two checks of the elapsed time. */
const BEGUN_AT_ONCE = 16;

/** A load that asks the remote layers. */
interface Asking {
  readonly load: InFlightLoad<never>;
  readonly resolve: (located: Located) => void;
  readonly reject: (error: unknown) => void;
}

/** Finds or loads values through the layers. */
export class GetOrLoad {
  /** Loads that began in this turn of the event loop. */
  #asking: Asking[] = [];

  constructor(private readonly parts: LoadParts) {}

  /**
   * Finds or loads one key.
   * @param local what memory has, fresh or not: looked up by the caller, who may have asked for a hit before.
   * @throws what the loader throws, unchanged; CacheError `LOAD_TIMEOUT`
   */
  one<V>(
    key: string,
    loader: AnnotatedLoader<V>,
    plan: ReadPlan<V>,
    local: Entry | undefined,
  ): Promise<Answer<V>> | Answer<V> {
    const { invalidations, clock, tracer, observer, offer, random } = this.parts;
    const startedAt = clock.now();
    if (local !== undefined && isFresh(local, startedAt) && invalidations.current(local)) {
      observer.hit(plan.series, 0, startedAt);
      offer.hit(key, plan.series, local, startedAt);
      if (plan.policy.refreshesAhead && refreshIsDue(local, plan.policy, startedAt, random)) {
        this.refresh({ key, plan, candidate: local, operation: Operation.refresh }, loader);
      }
      return { value: valueFor(local, plan) as V, entry: local, outcome: Outcome.hit };
    }
    if (tracer === undefined) return new KeyRead(this, this.parts, key, loader, plan, local, startedAt).answer();
    return this.#traced(tracer, key, loader, plan, local, startedAt);
  }

  /**
   * Finds or loads many keys: one lookup per layer, one call of the loader for all missing keys, one write per layer. Values are in
   * the order of the keys. A key that occurs twice is one access.
   */
  async many<V>(
    keys: readonly string[],
    loader: ManyLoader<V>,
    planOf: (key: string) => ReadPlan<V>,
  ): Promise<(V | undefined)[]> {
    const { chain, clock, inFlight, nested, invalidations, observer, offer } = this.parts;
    const startedAt = clock.now();
    const values = new Map<string, unknown>();
    const waiting: Promise<unknown>[] = [];
    const started: InFlightLoad<V>[] = [];
    const slice = new TimeSlice();
    let begun = 0;
    for (const key of new Set(keys)) {
      // A small batch begins in one turn, however slow, so that single callers can join it.
      if (begun++ % BEGUN_AT_ONCE === BEGUN_AT_ONCE - 1 && slice.over) await slice.rest();
      const plan = planOf(key);
      const local = chain.local?.lookup(key);
      if (local !== undefined && isFresh(local, startedAt) && invalidations.current(local)) {
        observer.hit(plan.series, 0, startedAt);
        offer.hit(key, plan.series, local, startedAt);
        values.set(key, valueOf(local, plan.policy));
        continue;
      }
      const read = new KeyRead(this, this.parts, key, loaderOfOne(key, loader, plan), plan, local, startedAt);
      const joins = read.servable || inFlight.get(key) !== undefined || nested.isInside(key);
      const answer = joins ? read.answer() : read.wait(this.#add(started, read), false);
      const settled = Promise.resolve(answer).then(({ value }) => values.set(key, value));
      // Awaited below: a failure while other keys still begin is handled there.
      settled.catch(() => undefined);
      waiting.push(settled);
    }
    if (started.length > 0) void this.#findMany(started, loader, startedAt);
    await Promise.all(waiting);
    return keys.map((key) => values.get(key) as V | undefined);
  }

  /**
   * Loads a key again for a caller that refuses stored values, or joins the load in flight. The stored entry stays until the new value
   * replaces it, and is returned if the origin fails.
   */
  reload<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Answer<V>> | Answer<V> {
    const local = this.parts.chain.local?.lookup(key);
    const startedAt = this.parts.clock.now();
    return new KeyRead(this, this.parts, key, loader, plan, local, startedAt, undefined, true).answer();
  }

  /** Loads a key again before it expires, or joins the load in flight. @returns the outcome. */
  async renew<V>(key: string, loader: AnnotatedLoader<V>, plan: ReadPlan<V>): Promise<Outcome> {
    const candidate = this.parts.chain.local?.peek(key);
    const joined = this.parts.inFlight.get(key);
    const request = { key, plan, candidate, operation: Operation.refresh };
    const load = joined ?? this.start(request, loader, this.parts.clock.now());
    return (await load.end()).outcome;
  }

  /** Starts a load that later callers join. @param now the reading of the clock */
  start<V>(request: LoadRequest<V>, loader: AnnotatedLoader<V>, now: number): InFlightLoad<V> {
    const { inFlight, chain } = this.parts;
    const load = inFlight.start(request);
    const call = new OriginCall(this.parts, [load], request.plan.policy.hardTimeoutMs, now);
    if (chain.hasRemote) void this.#find(load, call, loader);
    // A refresh starts after its caller has the stale value.
    else if (request.operation === Operation.refresh) this.#loadSoon(load, call, loader);
    else this.#load(load, call, loader, now);
    return load;
  }

  /** Starts a load for a caller that cannot or will not wait for another's. @param timeoutMs the rest of its `hardTimeout` */
  startAlone<V>(request: LoadRequest<V>, loader: AnnotatedLoader<V>, timeoutMs: number): InFlightLoad<V> {
    const load = this.parts.inFlight.startAlone(request);
    const now = this.parts.clock.now();
    if (this.parts.chain.hasRemote) load.ticket = new LoadTicket();
    new OriginCall(this.parts, [load], timeoutMs, now).run(loader, now);
    return load;
  }

  /** Loads in the background, unless a load is in flight or the origin failed just now. */
  refresh<V>(request: LoadRequest<V>, loader: AnnotatedLoader<V>): void {
    const { inFlight, failedOrigins, clock, events } = this.parts;
    const { key, candidate } = request;
    const now = clock.now();
    if (inFlight.get(key) !== undefined || failedOrigins.holds(key, now)) return;
    this.start(request, loader, now).wait({
      located: () => undefined,
      loaded: ({ entry, outcome }) => {
        // A value that was not stored has refreshed nothing.
        if (outcome === Outcome.miss && entry !== undefined && events.heard('refresh'))
          events.emit('refresh', { key, value: valueOf(entry) });
      },
      failed: (error) => events.emit('refresh', { key, value: candidate && valueOf(candidate), error }),
    });
  }

  /** Apart from {@link one}, where the function would be allocated even without a tracer. */
  #traced<V>(
    tracer: CacheTracer,
    key: string,
    loader: AnnotatedLoader<V>,
    plan: ReadPlan<V>,
    local: Entry | undefined,
    startedAt: number,
  ): Promise<Answer<V>> | Answer<V> {
    return tracer.span('get', plan.series, key, (span) =>
      new KeyRead(this, this.parts, key, loader, plan, local, startedAt, span).answer(),
    );
  }

  #add<V>(loads: InFlightLoad<V>[], request: LoadRequest<V>): InFlightLoad<V> {
    const load = this.parts.inFlight.start(request);
    loads.push(load);
    return load;
  }

  /** Step 3 for one key: the remote layers, then the origin. */
  async #find<V>(load: InFlightLoad<V>, call: OriginCall<V>, loader: AnnotatedLoader<V>): Promise<void> {
    try {
      load.ticket = new LoadTicket();
      const located = await this.#locate(load as InFlightLoad<never>);
      if (this.#found(load, located)) call.cancel();
      else this.#load(load, call, loader, this.parts.clock.now());
    } catch (error) {
      call.fail(error);
    }
  }

  /**
   * Asks the remote layers. Loads of one turn ask each layer together; each has its own promise, so that its loader is called in the
   * asynchronous context of its own caller.
   */
  #locate(load: InFlightLoad<never>): Promise<Located> {
    return new Promise((resolve, reject) => {
      this.#asking.push({ load, resolve, reject });
      if (this.#asking.length === 1) queueMicrotask(() => this.#locateTurn());
    });
  }

  #locateTurn(): void {
    const turn = this.#asking;
    const { chain } = this.parts;
    this.#asking = [];
    if (turn.length === 1 || chain.spread) {
      for (const { load, resolve, reject } of turn) {
        chain.locate(load.key, load.ticket, load.plan.classes).then(resolve, reject);
      }
    } else {
      for (let from = 0; from < turn.length; from += ASKED_AT_ONCE) {
        void this.#locateTogether(turn.slice(from, from + ASKED_AT_ONCE));
      }
    }
  }

  async #locateTogether(turn: readonly Asking[]): Promise<void> {
    try {
      const keys = turn.map(({ load }) => load.key);
      const tickets = turn.map(({ load }) => load.ticket!);
      const classesAt = (index: number) => turn[index]!.load.plan.classes;
      const located = await this.parts.chain.locateMany(keys, tickets, classesAt, turn.length);
      for (let index = 0; index < turn.length; index++) turn[index]!.resolve(located[index]!);
    } catch (error) {
      for (const { reject } of turn) reject(error);
    }
  }

  /** Step 3 for many keys, then one call of the origin for all keys that the remote layers do not have. */
  async #findMany<V>(loads: readonly InFlightLoad<V>[], loader: ManyLoader<V>, now: number): Promise<void> {
    const { chain, failedOrigins, clock } = this.parts;
    const { series } = loads[0]!.plan;
    const hardTimeoutMs = loads.reduce((least, { plan }) => Math.min(least, plan.policy.hardTimeoutMs), Infinity);
    const call = new OriginCall(this.parts, loads, hardTimeoutMs, now);
    try {
      let open = loads;
      if (chain.hasRemote) {
        for (const load of loads) load.ticket = new LoadTicket();
        const located = await chain.locateMany(
          loads.map(({ key }) => key),
          loads.map(({ ticket }) => ticket!),
          (index) => loads[index]!.plan.classes,
        );
        const missing: InFlightLoad<V>[] = [];
        await forEachInSlices(loads.keys(), (index) => {
          if (!this.#found(loads[index]!, located[index]!)) missing.push(loads[index]!);
        });
        open = missing;
      }
      const apart = open.filter(
        ({ key, candidate, plan }) =>
          plan.policy.lock || (candidate !== undefined && failedOrigins.holds(key, clock.now())),
      );
      // Locks and failed origins are handled for each key separately.
      for (const load of apart) {
        const single = new OriginCall(this.parts, [load], load.plan.policy.hardTimeoutMs, now);
        this.#load(load, single, loaderOfOne(load.key, loader, load.plan), clock.now());
      }
      call.loads = apart.length === 0 ? open : open.filter((load) => !apart.includes(load));
      if (call.loads.length === 0) return call.cancel();
      const keys = call.loads.map(({ key }) => key);
      const valuesOf = (loaded: LoadedMany<V>) => valuesInOrder(loaded, keys, series.pattern);
      call.runMany((context) => loader([...keys], context), valuesOf, clock.now());
    } catch (error) {
      call.fail(error);
    }
  }

  /** Handles the answer of the remote layers. @returns true if it is fresh and ends the load. */
  #found<V>(load: InFlightLoad<V>, located: Located): boolean {
    const { chain, clock, invalidations } = this.parts;
    load.located(located);
    const { entry, layer } = located;
    const now = clock.now();
    if (entry === undefined || !isRetained(entry, now) || !isNewer(entry, load.candidate)) return false;
    // If the key was written or invalidated during the read, earlier callers may get the entry while it is fresh, but it is not stored.
    const overtaken = invalidations.concernedSince(load.epoch, load.key, entry.tags);
    if (overtaken && !isFresh(entry, now)) return false;
    load.candidate = overtaken ? chain.shared(entry) : this.#backfill(load, entry, layer);
    if (!isFresh(entry, now) || load.reload) return false;
    load.settle(resultOf(load.candidate, Outcome.hit, layer));
    return true;
  }

  /** Stores an entry of a remote layer in the nearer ones. */
  #backfill(load: InFlightLoad<never>, entry: Entry, layer: number): Entry {
    const { chain, offer, clock, reasons } = this.parts;
    const { key, plan } = load;
    reasons.kept(key, entry.freshUntil);
    const track = offer.stream?.backfilled(key, plan.series, clock.now());
    return chain.backfill(key, entry, layer, load.epoch, plan.policy, track);
  }

  /** Steps 4 and 5: skipped if the origin has failed just now; with a lock if the policy requires one. */
  #load<V>(load: InFlightLoad<V>, call: OriginCall<V>, loader: AnnotatedLoader<V>, now: number): void {
    const { failedOrigins, lock } = this.parts;
    const { key, candidate, plan } = load;
    // For a caller that refuses stored values, the origin is called anyway: it may have recovered.
    if (candidate !== undefined && !load.reload && failedOrigins.holds(key, now)) {
      call.cancel();
      load.settle(resultOf(candidate, Outcome.stale, 0));
    } else if (plan.policy.lock && lock !== undefined && isAnswered(load.remote)) {
      void this.#loadInTurn(load, call, loader);
    } else call.run(loader, now);
  }

  #loadSoon<V>(load: InFlightLoad<V>, call: OriginCall<V>, loader: AnnotatedLoader<V>): void {
    queueMicrotask(() => this.#load(load, call, loader, this.parts.clock.now()));
  }

  async #loadInTurn<V>(load: InFlightLoad<V>, call: OriginCall<V>, loader: AnnotatedLoader<V>): Promise<void> {
    const { observer, log } = this.parts;
    const { series } = load.plan;
    const turn = await this.#turn(load, call.expiresAt);
    if (turn.kind === 'mine' && load.ended) return void turn.release();
    switch (turn.kind) {
      case 'found':
        call.cancel();
        return load.settle(resultOf(turn.found.entry, Outcome.hit, turn.found.layer));
      case 'mine':
        load.release = turn.release;
        break;
      case 'timeout':
        observer.waitTimeout(series);
        break;
      case 'unreachable':
        if (isReported(turn.cause)) break;
        log.once('warn', 'LOCK_UNREACHABLE', series.pattern, `The layer that holds the lock for ${series.pattern} cannot be reached. Until it can, several processes may load the same key.`, turn.cause); // prettier-ignore
    }
    call.run(loader, this.parts.clock.now());
  }

  /** Waits for the lock, and looks for a value that another process stored meanwhile. */
  async #turn<V>(
    load: InFlightLoad<V>,
    deadline: number,
  ): Promise<LockTurn<{ readonly entry: Entry; readonly layer: number }>> {
    const { lock, chain, clock, invalidations, tracer } = this.parts;
    const { key, plan } = load;
    // Half of the remaining time, so that its own load can still follow.
    const waitMs = Math.min(plan.policy.waitTimeoutMs, (deadline - clock.now()) / 2);
    const look = async () => {
      const { entry, layer } = await chain.locate(key, load.ticket, plan.classes);
      if (entry === undefined || !isFresh(entry, clock.now()) || !isNewer(entry, load.candidate)) return undefined;
      const overtaken = invalidations.concernedSince(load.epoch, key, entry.tags);
      const found = overtaken ? chain.shared(entry) : this.#backfill(load, entry, layer);
      return { entry: found, layer };
    };
    if (tracer === undefined) return lock!.turn(key, waitMs, look);
    return tracer.span('lock.wait', plan.series, key, async (span) => {
      const turn = await lock!.turn(key, waitMs, look);
      span.outcome(turn.kind);
      return turn;
    });
  }
}

const OUTCOMES = ['hit', 'stale', 'miss', 'coalesced', 'error'] as const;

/** One caller's read of one key: its state, the limits of its wait, its report, and the request for the load that it may start. */
class KeyRead<V> implements LoadWaiter, LoadRequest<V> {
  readonly operation = Operation.load;
  /** A stale entry that may be served: of memory, or of a remote layer once it has been found. */
  candidate: Entry | undefined;
  #reason: MissReason;
  /** When it was known that there is no fresh entry. */
  #knownAt: number;
  /** It waits for another caller's load. */
  #joined = false;
  /** Epoch in which it began to wait. */
  #waitingSince = 0;
  #layerFailed = false;
  /** The load it waits for; undefined before and after. Calls of other loads are ignored. */
  #load: InFlightLoad<never> | undefined;
  #stopTimer: (() => void) | undefined;
  #resolve: ((answer: Answer<V>) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor(
    private readonly loads: GetOrLoad,
    private readonly parts: LoadParts,
    readonly key: string,
    private readonly loader: AnnotatedLoader<V>,
    readonly plan: ReadPlan<V>,
    local: Entry | undefined,
    private readonly startedAt: number,
    private readonly span?: SpanHandle,
    /** True if the caller refuses stored values. */
    readonly reload = false,
  ) {
    const { chain, clock, invalidations, reasons } = parts;
    const current = local !== undefined && invalidations.current(local);
    this.candidate = current && isRetained(local, startedAt) ? local : undefined;
    if (local === undefined) this.#reason = reasons.of(key, startedAt);
    // A longer TTL or more memory would not have helped a caller that refuses stored values.
    else if (reload && current && isFresh(local, startedAt)) this.#reason = MissReason.unknown;
    else this.#reason = current ? MissReason.expired : MissReason.invalidated;
    this.#knownAt = clock.now();
    chain.countLocal(this.candidate !== undefined, this.#knownAt - startedAt, this.#knownAt);
    span?.phase('local', this.#knownAt - startedAt);
  }

  /** Steps 1 and 2. */
  answer(): Promise<Answer<V>> | Answer<V> {
    const { inFlight, nested } = this.parts;
    if (this.servable) {
      const { key, plan, candidate, cause } = this;
      this.loads.refresh({ key, plan, candidate, operation: Operation.refresh, cause }, this.loader);
      return this.#stale(this.candidate!, 0);
    }
    if (nested.isInside(this.key)) return this.wait(this.#alone(), false);
    const joined = inFlight.get(this.key);
    if (joined !== undefined) return this.wait(joined, true);
    return this.wait(this.loads.start(this, this.loader, this.#knownAt), false);
  }

  /** True if memory has a stale entry that is served while it is refreshed. */
  get servable(): boolean {
    return this.candidate !== undefined && !this.reload && isServable(this.candidate, this.startedAt);
  }

  get cause(): SpanLink {
    return this.span?.link;
  }

  wait(load: InFlightLoad<never>, joined: boolean): Promise<Answer<V>> | Answer<V> {
    return !joined && load.result !== undefined ? this.#answerOf(load.result) : this.#promise(load, joined);
  }

  #promise(load: InFlightLoad<never>, joined: boolean): Promise<Answer<V>> {
    this.parts.callers.enter();
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#waitFor(load, joined);
    });
  }

  /** The remote layers answered: serving their stale entry may be better than waiting. */
  located({ entry, layer, failed, refused }: Located, load: InFlightLoad<never>): void {
    if (load !== this.#load) return;
    const { clock, chain, invalidations } = this.parts;
    const now = clock.now();
    this.span?.phase('remote', now - this.#knownAt, chain.name(layer));
    this.#knownAt = now;
    this.#layerFailed = failed;
    if (failed || refused) this.#reason = MissReason.error;
    if (entry === undefined || !isRetained(entry, now) || this.#isTooOld(entry.tags)) return;
    this.#reason = MissReason.expired;
    if (!isNewer(entry, this.candidate)) return;
    if (!invalidations.concernedSince(this.#load!.epoch, this.key, entry.tags)) this.candidate = entry;
    if (!isFresh(entry, now) && isServable(entry, now) && !this.reload) this.#end(this.#stale(entry, layer));
    else this.#startTimer();
  }

  loaded(result: LoadResult, load: InFlightLoad<never>): void {
    if (load !== this.#load) return;
    const isStored = this.reload && this.#joined && result.outcome === Outcome.hit;
    if (isStored || this.#isTooOld(result.tags)) {
      // If the result is too old for this caller, it is too old for every later one.
      this.parts.inFlight.leave(load);
      const { inFlight, clock } = this.parts;
      const joined = inFlight.get(this.key);
      if (joined !== undefined) this.#waitFor(joined, true);
      else this.#waitFor(this.loads.start(this, this.loader, clock.now()), false);
    } else if (this.#joined && result.entry === undefined && result.sharing === 'own') {
      // If the value cannot be copied, each caller must load its own.
      this.#waitFor(this.#alone(), false);
    } else this.#end(this.#answerOf(result));
  }

  failed(error: unknown, load: InFlightLoad<never>): void {
    if (load !== this.#load) return;
    const reject = this.#reject!;
    this.#report(this.#joined ? Outcome.coalesced : Outcome.miss, -1);
    this.#stop();
    reject(error);
  }

  #waitFor(load: InFlightLoad<never>, joined: boolean): void {
    this.#load = load;
    this.#joined = joined;
    this.#waitingSince = this.parts.invalidations.epoch;
    if (joined && load.link !== undefined) this.span?.linkTo(load.link);
    if (load.remote !== undefined && !load.ended) this.located(load.remote, load);
    if (load !== this.#load) return;
    load.wait(this);
    if (load === this.#load) this.#startTimer();
  }

  /** True if the load's value may have been invalidated before this caller asked. */
  #isTooOld(tags: readonly string[]): boolean {
    const load = this.#load!;
    if (!this.#joined || this.#waitingSince === load.epoch) return false;
    // Only the last invalidation is known, and it may hide an earlier one from before this caller asked. So any since the load began counts.
    return this.parts.invalidations.concernedSince(load.epoch, this.key, tags);
  }

  #alone(): InFlightLoad<V> {
    const left = this.plan.policy.hardTimeoutMs - (this.parts.clock.now() - this.startedAt);
    return this.loads.startAlone(this, this.loader, left);
  }

  /** Sets a timer for what comes first: `softTimeout` (serve stale), `waitTimeout` (load it itself) or `hardTimeout` (fail). */
  #startTimer(): void {
    const { softTimeoutMs, waitTimeoutMs, hardTimeoutMs } = this.plan.policy;
    const soft = this.candidate === undefined ? Infinity : softTimeoutMs;
    const wait = this.#joined ? waitTimeoutMs : Infinity;
    // Its own load, and an earlier load under the same policy, ends in time without this timer.
    const outlasted = this.#joined && this.#load!.expiresAt > this.startedAt + hardTimeoutMs;
    const hard = outlasted ? hardTimeoutMs : Infinity;
    const patience = Math.min(soft, wait, hard);
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (patience === Infinity) return;
    const { clock } = this.parts;
    this.#stopTimer = clock.after(Math.max(0, this.startedAt + patience - clock.now()), () => this.#giveUp());
  }

  #giveUp(): void {
    const { clock, observer } = this.parts;
    const { softTimeoutMs, waitTimeoutMs, hardTimeoutMs } = this.plan.policy;
    const now = clock.now();
    const candidate = this.candidate;
    const timedOut = now - this.startedAt >= hardTimeoutMs;
    this.#stopTimer = undefined;
    if (candidate !== undefined && (timedOut || now - this.startedAt >= softTimeoutMs)) {
      if (isRetained(candidate, now)) return this.#end(this.#stale(candidate, -1));
      this.candidate = undefined;
    }
    if (timedOut) return this.failed(loadTimeout(this.plan as ReadPlan<never>), this.#load!);
    // Timers may end early, Node's by up to a millisecond: start another, because nothing else would end the wait.
    if (!this.#joined || now - this.startedAt < waitTimeoutMs) return this.#startTimer();
    observer.waitTimeout(this.plan.series);
    this.#waitFor(this.#alone(), false);
  }

  #answerOf(result: LoadResult): Answer<V> {
    const { entry, outcome, layer } = result;
    if (outcome === Outcome.stale) return this.#stale(entry!, layer);
    if (outcome === Outcome.hit) {
      this.#knownAt = this.parts.clock.now();
      this.#layerFailed = false;
      this.#reason = MissReason.none;
      this.#report(Outcome.hit, layer, entry);
    } else this.#report(this.#joined ? Outcome.coalesced : Outcome.miss, -1);
    return { value: valueOfResult(result, this.plan) as V, entry, outcome };
  }

  #stale(entry: Entry, layer: number): Answer<V> {
    this.#knownAt = this.parts.clock.now();
    this.#layerFailed = false;
    this.#reason = MissReason.expired;
    this.#report(Outcome.stale, layer, entry);
    return { value: valueFor(entry, this.plan) as V, entry, outcome: Outcome.stale };
  }

  #report(outcome: Outcome, layer: number, entry?: Entry): void {
    const { observer, clock, chain, offer } = this.parts;
    const reported = outcome === Outcome.miss && this.#layerFailed ? Outcome.error : outcome;
    this.span?.outcome(OUTCOMES[reported], chain.name(layer));
    const { startedAt } = this;
    const { series } = this.plan;
    const now = clock.now();
    observer.access(series, reported, layer, this.#knownAt - startedAt, now - startedAt, this.#reason, now);
    offer.stream?.access(this.key, series, reported, this.#reason, layer, startedAt, entry);
  }

  #end(answer: Answer<V>): void {
    const resolve = this.#resolve!;
    this.#stop();
    resolve(answer);
  }

  #stop(): void {
    this.parts.callers.leave();
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#load = undefined;
    this.#resolve = undefined;
    this.#reject = undefined;
  }
}

/** True if the remote layers answered: otherwise they are not asked for a lock either. */
function isAnswered(remote: Located | undefined): boolean {
  return remote === undefined || !(remote.failed || remote.refused);
}

function loaderOfOne<V>(key: string, loader: ManyLoader<V>, { series }: ReadPlan<V>): AnnotatedLoader<V> {
  return async (context) => valuesInOrder(await loader([key], context), [key], series.pattern)[0] as V;
}
