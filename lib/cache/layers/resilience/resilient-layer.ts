import type { WaitBounds } from '../../base/bounded-wait.js';
import type { Clock } from '../../base/clock.js';
import { counted } from '../../base/counted.js';
import type { Entry } from '../../entries/entry.js';
import { CacheError } from '../../base/errors.js';
import { CircuitState } from '../../base/observer.js';
import { redactedMessage } from '../../base/redacted-error.js';
import { OverdueWaits } from '../../base/overdue-waits.js';
import { reported } from '../../base/reported-errors.js';
import { boundedSharedMap } from './bounded-shared-map.js';
import { CircuitBreaker, type BreakerSettings } from './circuit-breaker.js';
import { type DeadlineHooks, whileAnswering, withDeadline } from './deadline.js';
import { InvalidationBacklog } from './invalidation-backlog.js';
import { giveBackLate } from './lease.js';
import { failedKeys } from '../keys-failed.js';
import { isRefusal } from './layer-refusal.js';
import { OverdueWrite } from './overdue-write.js';
import type {
  SharedMap,
  BusMessage,
  Coordination,
  Layer,
  LayerEvents,
  LayerStatus,
  LayerWrite,
  Lease,
  ServerInfo,
} from '../layer.js';
import type { LoadTicket } from '../load-ticket.js';

export interface ResilienceSettings {
  readonly deadlineMs: number;
  /** Undefined if the layer is asked every time, even if it fails. */
  readonly breaker: BreakerSettings | undefined;
}

interface GuardedCall {
  /** True for an operation whose time depends on the number of keys. */
  readonly isLong?: boolean | undefined;
  readonly attempts?: number;
  /** The number of calls that were combined into this one. */
  readonly calls?: number | undefined;
}

/** The longest time of an operation on all keys, milliseconds. */
const LONG_MS = 60_000;
const CONNECT_MS = 3_000;
const DISCONNECT_MS = 2_000;
const RETRY_MS = 1_000;
const PROBE_KEY = '~probe';
/** A layer on several servers counts as lost if it has not answered for this many deadlines. */
const SILENT_DEADLINES = 4;
/** Entries in one part of a large batch. */
const AT_ONCE = 500;
/** The most attempts of a write that reached its server too late. */
const ATTEMPTS = 3;

/**
 * A layer that answers or fails within its deadline. If it keeps failing, it is not asked for a while. It never returns entries that were
 * invalidated while it could not be reached.
 */
export class ResilientLayer implements Layer {
  readonly name: string;
  readonly shared: boolean;
  readonly encodes: boolean | undefined;
  readonly spread: boolean | undefined;
  readonly coordination?: Coordination;
  readonly serverInfo?: () => Promise<ServerInfo | null>;
  readonly sharedMap?: (name: string, everyVersion?: boolean) => SharedMap;
  readonly #inner: Layer;
  readonly #settings: ResilienceSettings;
  readonly #clock: Clock;
  readonly #events: LayerEvents;
  readonly #breaker: CircuitBreaker | undefined;
  readonly #backlog = new InvalidationBacklog();
  /** One error for all calls while the circuit is open, because a stack trace for each would cost more than the rest of a miss. */
  #refusal: CacheError | undefined;
  #applying: Promise<void> | undefined;
  #cancelRetry: (() => void) | undefined;
  #cancelProbe: (() => void) | undefined;
  /** True from the first opening of the circuit until it closes, including failed probes. */
  #outage = false;
  /** The failure that was counted last; undefined if it was a slow answer. */
  #failed: unknown;
  #probedAt = -Infinity;
  /** The number of calls that the layer has answered. */
  #answers = 0;
  /** The time of the last answer. */
  #answeredAt = -Infinity;
  /** The number of answers (see {@link #heard}) when a call last timed out; undefined before. */
  #silentSince: number | undefined;
  #silentAt = 0;
  readonly #overdue: OverdueWaits;
  #closed = false;

  constructor(inner: Layer, settings: ResilienceSettings, clock: Clock, events: LayerEvents) {
    this.name = inner.name;
    this.shared = inner.shared;
    this.encodes = inner.encodes;
    this.spread = inner.spread;
    this.#inner = inner;
    this.#settings = settings;
    this.#clock = clock;
    this.#events = events;
    this.#overdue = new OverdueWaits(clock, () => this.#heard);
    if (settings.breaker !== undefined) {
      this.#breaker = new CircuitBreaker(
        settings.breaker,
        clock,
        () => this.#probe(),
        (state) => this.#onCircuit(state),
      );
    }
    const { coordination } = inner;
    if (coordination !== undefined) {
      this.coordination = {
        acquire: (name, leaseMs) => this.#acquire(coordination, name, leaseMs),
        publish: (message) => this.#publish(coordination, message),
        subscribe: (listener) => coordination.subscribe(listener),
      };
    }
    if (inner.serverInfo !== undefined) this.serverInfo = () => this.#figures(() => inner.serverInfo!());
    if (inner.sharedMap !== undefined)
      this.sharedMap = (name, everyVersion) =>
        boundedSharedMap(inner.sharedMap!(name, everyVersion), this.name, clock, () => this.#beginMapCall());
  }

  get server(): unknown {
    return this.#inner.server;
  }

  get announces(): boolean {
    return this.#inner.announces === true;
  }

  async get(key: string, ticket?: LoadTicket): Promise<Entry | undefined> {
    let entry: Entry | undefined;
    try {
      entry = await this.#guard(() => this.#inner.get(key, ticket));
    } catch (error) {
      ticket?.expire();
      throw error;
    }
    return entry === undefined || this.#backlog.empty || !this.#backlog.hides(key, entry) ? entry : undefined;
  }

  async getMany(
    keys: readonly string[],
    tickets?: readonly LoadTicket[],
    unanswered?: Set<string>,
    calls?: number,
  ): Promise<(Entry | undefined)[]> {
    let entries: (Entry | undefined)[];
    try {
      const read = async () => {
        const before = unanswered?.size ?? 0;
        const found = await this.#getManyOf(keys, tickets, unanswered);
        if (keys.length > 0 && (unanswered?.size ?? 0) - before >= keys.length) throw this.#silent();
        return found;
      };
      entries = await this.#guard(read, { calls });
    } catch (error) {
      for (const ticket of tickets ?? []) ticket.expire();
      throw error;
    }
    if (this.#backlog.empty) return entries;
    return entries.map((entry, index) =>
      entry !== undefined && this.#backlog.hides(keys[index]!, entry) ? undefined : entry,
    );
  }

  async set(key: string, entry: Entry, ticket?: LoadTicket): Promise<void> {
    try {
      await this.#guard(() => this.#inner.set(key, entry, ticket));
    } catch (error) {
      this.#failedWrites([[key, entry, ticket]]);
      throw error;
    }
    if (ticket === undefined && !this.#backlog.empty) this.#backlog.superseded(key);
  }

  /** Writes loaded values in parts, one after the other, because a server may need longer than one deadline for all of them. */
  async setMany(entries: readonly LayerWrite[], calls?: number): Promise<void> {
    if (entries.length <= AT_ONCE || entries.some(isExplicit)) return this.#setManyOf(entries, calls);
    for (let from = 0; from < entries.length; from += AT_ONCE) {
      await this.#setManyOf(entries.slice(from, from + AT_ONCE));
    }
  }

  async #setManyOf(entries: readonly LayerWrite[], calls?: number): Promise<void> {
    let failed: ReadonlySet<string> = new Set();
    try {
      await this.#guard(() => this.#inner.setMany(entries), { calls });
    } catch (error) {
      failed = new Set(
        failedKeys(
          error,
          entries.map(([key]) => key),
        ),
      );
      this.#failedWrites(entries.filter(([key]) => failed.has(key)));
      throw error;
    } finally {
      if (!this.#backlog.empty) {
        for (const [key, , ticket] of entries) {
          if (ticket === undefined && !failed.has(key)) this.#backlog.superseded(key);
        }
      }
    }
  }

  async delete(key: string): Promise<boolean> {
    return this.#invalidate(
      () => this.#inner.delete(key),
      () => this.#backlog.addKeys([key], this.#clock.now()),
    );
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    return this.#invalidate(
      () => this.#inner.deleteMany(keys),
      (error) => this.#backlog.addKeys(failedKeys(error, keys), this.#clock.now()),
    );
  }

  async deleteByPattern(glob: string): Promise<number> {
    const askedAt = this.#clock.now();
    return this.#invalidate(
      () => this.#inner.deleteByPattern(glob),
      () => this.#backlog.addGlob(glob, askedAt),
      true,
    );
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    return this.#invalidate(
      () => this.#inner.invalidateTags(tags),
      () => this.#backlog.addTags(tags, this.#clock.now()),
    );
  }

  async clear(): Promise<void> {
    const askedAt = this.#clock.now();
    return this.#invalidate(
      () => this.#inner.clear(),
      () => this.#backlog.addAll(askedAt),
      true,
    );
  }

  /** Removes a queued deletion of the key, because a newer write has begun and its value must stay. */
  superseded(key: string): void {
    if (!this.#backlog.empty) this.#backlog.superseded(key);
  }

  async *keys(glob: string): AsyncGenerator<readonly string[]> {
    this.#refuseWhileOpen();
    yield* this.#inner.keys(glob);
  }

  async connect(): Promise<void> {
    await withDeadline(this.#reach(), CONNECT_MS, this.#clock, this.name, { isFixed: true });
  }

  async disconnect(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#breaker?.stop();
    this.#cancelRetry?.();
    this.#cancelProbe?.();
    const left = this.#backlog.size;
    if (left > 0) {
      this.#events.log(
        'warn',
        'INVALIDATIONS_LOST',
        `Layer '${this.name}' was closed before ${counted(left, 'invalidation')} could reach it. Entries that should have been removed stay until they expire.`,
      );
    }
    await withDeadline(Promise.resolve(this.#inner.disconnect()), DISCONNECT_MS, this.#clock, this.name).catch(
      () => undefined,
    );
  }

  status(): LayerStatus {
    const status = this.#inner.status();
    return {
      ...status,
      ...(status.failure === undefined && this.#outage && { failure: this.#failure }),
      circuitState: this.#breaker?.state ?? CircuitState.closed,
      invalidationsPending: this.#backlog.size,
    };
  }

  /** Asks for all parts at once and decodes each answer separately, so that no turn of the event loop decodes all entries. */
  async #getManyOf(
    keys: readonly string[],
    tickets: readonly LoadTicket[] | undefined,
    unanswered: Set<string> | undefined,
  ): Promise<(Entry | undefined)[]> {
    if (keys.length <= AT_ONCE) return this.#inner.getMany(keys, tickets, unanswered);
    const parts: Promise<(Entry | undefined)[]>[] = [];
    for (let from = 0; from < keys.length; from += AT_ONCE) {
      const to = from + AT_ONCE;
      parts.push(Promise.resolve(this.#inner.getMany(keys.slice(from, to), tickets?.slice(from, to), unanswered)));
    }
    return (await Promise.all(parts)).flat();
  }

  /**
   * Runs an operation within its deadline. A timeout counts as a failure of the layer, unless the event loop was busy all the time and the
   * layer answered other calls: a burst must not open the circuit of a healthy layer. For a layer on several servers, a timeout counts only
   * if none of them has answered for a while: one lost server must not make the others unavailable.
   */
  async #guard<T>(
    operation: () => T | Promise<T>,
    { isLong = false, attempts = ATTEMPTS, calls = 1 }: GuardedCall = {},
  ): Promise<T> {
    this.#refuseWhileOpen();
    const { deadlineMs } = this.#settings;
    const heard = this.#heard;
    let isSlow = false;
    let isLate = false;
    const counts = (busy: boolean) => (this.spread === true ? this.#hasLongBeenSilent : !busy || this.#heard === heard);
    const slow = isLong ? undefined : this.#slow(() => (isSlow = counts(false)));
    const late = (busy: boolean) => (isLate = !counts(busy));
    try {
      const work = Promise.resolve(operation());
      const hooks = { slow, late, overdue: this.#overdue };
      const result = await (isLong
        ? this.#whileAnswering(work, hooks)
        : withDeadline(work, deadlineMs, this.#clock, this.name, hooks));
      this.#answers++;
      this.#answeredAt = this.#clock.now();
      if (isSlow) this.#failed = undefined;
      this.#breaker?.succeeded(isSlow, calls);
      return result;
    } catch (error) {
      // A caller still waits, and the write was late only because the event loop was busy. So try again.
      const isOverdue = error instanceof OverdueWrite;
      if (isOverdue && attempts > 1) return this.#guard(operation, { isLong, attempts: attempts - 1, calls });
      if (!isRefusal(error) && !isOverdue && !isLate && (this.spread !== true || counts(false))) {
        this.#failed = error;
        this.#breaker?.failed(calls);
      }
      if (error instanceof CacheError && error.code === 'LAYER_TIMEOUT') {
        if (!isLate) this.#onSilence();
        this.#probeSilent();
      }
      throw error;
    }
  }

  #whileAnswering<T>(work: Promise<T>, hooks: DeadlineHooks): Promise<T> {
    const bounds = { deadlineMs: this.#settings.deadlineMs, longestMs: LONG_MS };
    return whileAnswering(work, bounds, this.#clock, this.name, () => this.#inner.replies, hooks);
  }

  /** The reason why the circuit is open. */
  get #failure(): string {
    return this.#failed === undefined
      ? `it takes longer than ${this.#settings.breaker!.slowCallMs} ms to answer.`
      : redactedMessage(this.#failed);
  }

  /** The number of answers so far, counted by the layer if it can. */
  get #heard(): number {
    return this.#inner.replies ?? this.#answers;
  }

  /** Returns the error for the case that no server that was asked has answered. */
  #silent(): CacheError {
    return new CacheError('LAYER_TIMEOUT', `No server of layer '${this.name}' that was asked has answered in time.`);
  }

  #slow(report: () => void): WaitBounds['slow'] {
    const { breaker } = this.#settings;
    return breaker === undefined ? undefined : { ms: breaker.slowCallMs, report };
  }

  /** True if a call timed out and the layer has not answered any call since. */
  get #isSilent(): boolean {
    return this.#silentSince === this.#heard;
  }

  #onSilence(): void {
    if (this.#isSilent) return;
    this.#silentSince = this.#heard;
    this.#silentAt = this.#clock.now();
  }

  /**
   * Probes the layer after a call without an answer, once a second until it answers or its circuit opens. Its server may have been
   * replaced, which an open connection does not detect. And with few calls the circuit would stay closed.
   */
  #probeSilent(): void {
    const now = this.#clock.now();
    if (this.#closed || now - this.#probedAt < RETRY_MS) return;
    this.#probedAt = now;
    this.#cancelProbe?.();
    withDeadline(this.#reach(), this.#settings.deadlineMs, this.#clock, this.name).then(
      () => {
        this.#answers++;
        if (this.#breaker?.closed !== false) this.#events.answered?.();
      },
      (error: unknown) => this.#onProbeFailed(error),
    );
  }

  #onProbeFailed(error: unknown): void {
    if (this.#isSilent && (this.spread !== true || this.#hasLongBeenSilent)) {
      this.#failed = error;
      this.#breaker?.unanswered(this.#silentAt);
    }
    // An open circuit sends its own probe.
    if (this.#closed || this.#breaker?.closed === false) return;
    this.#cancelProbe?.();
    this.#cancelProbe = this.#clock.after(Math.max(0, this.#probedAt + RETRY_MS - this.#clock.now()), () => {
      if (this.#breaker?.closed === false) return;
      // A timer may fire a little early, so allow the probe at once.
      this.#probedAt = -Infinity;
      if (this.#isSilent) this.#probeSilent();
      else if (this.spread !== true) this.#events.answered?.();
    });
  }

  /** True if none of the servers has answered for a while. Used for layers on several servers. */
  get #hasLongBeenSilent(): boolean {
    return this.#clock.now() - this.#answeredAt > SILENT_DEADLINES * this.#settings.deadlineMs;
  }

  /** @returns a function to call if an operation of a shared map times out; `busy` is true if the event loop was busy. */
  #beginMapCall(): (busy: boolean) => void {
    this.#refuseWhileOpen();
    const heard = this.#heard;
    return (busy) => {
      if (busy || this.#heard !== heard) return;
      this.#onSilence();
      this.#probeSilent();
    };
  }

  /** Requests the figures of a server. Such requests do not affect the circuit. */
  async #figures<T>(operation: () => Promise<T>): Promise<T> {
    this.#refuseWhileOpen();
    return withDeadline(operation(), this.#settings.deadlineMs, this.#clock, this.name);
  }

  /** Acquires a lease. A lease that is granted too late is released. Operations of the lease end in time, too. */
  async #acquire(coordination: Coordination, name: string, leaseMs: number): Promise<Lease | undefined> {
    const acquiring: Promise<Lease | undefined>[] = [];
    try {
      const lease = await this.#guard(() => {
        acquiring.push(coordination.acquire(name, leaseMs));
        return acquiring[0];
      });
      if (lease === undefined) return undefined;
      return {
        renew: (renewedMs) => this.#guard(() => lease.renew(renewedMs)),
        release: () => this.#guard(() => lease.release()),
      };
    } catch (error) {
      for (const late of acquiring) giveBackLate(late);
      throw error;
    }
  }

  /**
   * Publishes a message. The message is always handed over, because the layer keeps it after a failure and sends it later. No caller waits
   * if the circuit is open, or if an earlier call timed out and the layer has not answered since.
   */
  async #publish(coordination: Coordination, message: BusMessage): Promise<void> {
    const handedOver = withDeadline(coordination.publish(message), this.#settings.deadlineMs, this.#clock, this.name);
    handedOver.catch(() => undefined);
    this.#refuseWhileOpen();
    if (this.#isSilent) throw this.#silent();
    await handedOver;
  }

  #refuseWhileOpen(): void {
    if (this.#breaker === undefined || this.#breaker.closed) return;
    throw (this.#refusal ??= reported(
      new CacheError(
        'CIRCUIT_OPEN',
        `Layer '${this.name}' has failed too often and is not asked until a probe succeeds.`,
      ),
    ));
  }

  async #invalidate<T>(
    operation: () => T | Promise<T>,
    remember: (error: unknown) => void,
    isLong?: boolean,
  ): Promise<T> {
    try {
      return await this.#guard(operation, { isLong });
    } catch (error) {
      remember(error);
      this.#retryLater();
      throw error;
    }
  }

  /** Hides older values of the keys that could not be written. */
  #failedWrites(writes: readonly LayerWrite[]): void {
    const replaced = writes.filter(([, , ticket]) => ticket === undefined).map(([key]) => key);
    if (replaced.length === 0) return;
    this.#backlog.addKeys(replaced, this.#clock.now());
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#closed || this.#cancelRetry !== undefined) return;
    this.#cancelRetry = this.#clock.after(RETRY_MS, () => {
      this.#cancelRetry = undefined;
      // While the circuit is open, its probe applies the backlog.
      if (this.#breaker?.closed === false) return;
      this.#applyBacklog().catch(() => undefined);
    });
  }

  /** Applies the backlog in one run at a time. What remains is retried later. */
  #applyBacklog(): Promise<void> {
    return (this.#applying ??= this.#whileAnswering(this.#backlog.applyTo(this.#inner), {
      overdue: this.#overdue,
    }).finally(() => {
      this.#applying = undefined;
      if (!this.#backlog.empty) this.#retryLater();
    }));
  }

  async #probe(): Promise<void> {
    await withDeadline(this.#reach(), this.#settings.deadlineMs, this.#clock, this.name);
    if (this.#backlog.empty) return;
    // Invalidations that cannot be applied yet, such as for one lost node of many, continue to hide their entries.
    await withDeadline(this.#applyBacklog(), this.#settings.deadlineMs, this.#clock, this.name).catch(() => undefined);
  }

  async #reach(): Promise<void> {
    if (this.#inner.connect !== undefined) await this.#inner.connect();
    else await this.#inner.get(PROBE_KEY);
  }

  #onCircuit(state: CircuitState): void {
    this.#events.circuit(state);
    if (state === CircuitState.open) {
      if (this.#outage) return;
      this.#outage = true;
      this.#events.log(
        'warn',
        'CIRCUIT_OPEN',
        `Layer '${this.name}' keeps failing. The cache works without it until a probe succeeds.`,
      );
    } else if (state === CircuitState.closed) {
      this.#outage = false;
      this.#events.log('log', 'CIRCUIT_CLOSED', `Layer '${this.name}' serves again.`);
      if (!this.#backlog.empty) this.#retryLater();
    }
  }
}

function isExplicit([, , ticket]: LayerWrite): boolean {
  return ticket === undefined;
}
