import type { Clock } from '../../clock.js';
import type { Entry } from '../../entry.js';
import { CacheError } from '../../errors.js';
import { CircuitState } from '../../observer.js';
import { boundedBoard } from './bounded-board.js';
import { CircuitBreaker, type BreakerSettings } from './circuit-breaker.js';
import { withDeadline } from './deadline.js';
import { InvalidationBacklog } from './invalidation-backlog.js';
import { isRefusal } from './layer-refusal.js';
import type {
  Board,
  BusMessage,
  Coordination,
  Layer,
  LayerEvents,
  LayerStatus,
  LayerWrite,
  LoadTicket,
  ServerInfo,
} from '../layer.js';

export interface ResilienceSettings {
  readonly deadlineMs: number;
  /** Undefined asks the layer every time, however it is. */
  readonly breaker: BreakerSettings | undefined;
}

/** Whole-keyspace operations take as long as there are keys; the layer bounds their single steps itself. */
const LONG_MS = 60_000;
const CONNECT_MS = 3_000;
const DISCONNECT_MS = 2_000;
const RETRY_MS = 1_000;
const PROBE_KEY = '~probe';

/**
 * A layer that answers or fails within its deadline, is left alone for a while when it keeps failing, and never gives
 * back what was invalidated while it could not be reached.
 */
export class ResilientLayer implements Layer {
  readonly name: string;
  readonly shared: boolean;
  readonly encodes: boolean | undefined;
  readonly coordination?: Coordination;
  readonly serverInfo?: () => Promise<ServerInfo>;
  readonly board?: (name: string) => Board;
  readonly #inner: Layer;
  readonly #settings: ResilienceSettings;
  readonly #clock: Clock;
  readonly #events: LayerEvents;
  readonly #breaker: CircuitBreaker | undefined;
  readonly #backlog = new InvalidationBacklog();
  #applying: Promise<void> | undefined;
  #cancelRetry: (() => void) | undefined;
  /** From the first opening of the circuit until it closes, probes that fail included. */
  #outage = false;
  #lookedAt = -Infinity;
  #closed = false;

  constructor(inner: Layer, settings: ResilienceSettings, clock: Clock, events: LayerEvents) {
    this.name = inner.name;
    this.shared = inner.shared;
    this.encodes = inner.encodes;
    this.#inner = inner;
    this.#settings = settings;
    this.#clock = clock;
    this.#events = events;
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
        acquire: (name, leaseMs) => this.#guard(() => coordination.acquire(name, leaseMs)),
        publish: (message) => this.#publish(coordination, message),
        subscribe: (listener) => coordination.subscribe(listener),
      };
    }
    if (inner.serverInfo !== undefined) this.serverInfo = () => this.#guard(() => inner.serverInfo!());
    if (inner.board !== undefined)
      this.board = (name) => boundedBoard(inner.board!(name), this.name, clock, () => this.#refuseWhileOpen());
  }

  async get(key: string, ticket?: LoadTicket): Promise<Entry | undefined> {
    const read: LoadTicket | undefined = ticket && new Map<string, unknown>();
    const entry = await this.#guard(() => this.#inner.get(key, read));
    hand(read, ticket);
    return entry === undefined || this.#backlog.empty || !this.#backlog.hides(key, entry) ? entry : undefined;
  }

  async getMany(keys: readonly string[], tickets?: readonly LoadTicket[]): Promise<(Entry | undefined)[]> {
    const read = tickets?.map((): LoadTicket => new Map<string, unknown>());
    const entries = await this.#guard(() => this.#inner.getMany(keys, read));
    if (tickets !== undefined) for (const [index, ticket] of tickets.entries()) hand(read![index], ticket);
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

  async setMany(entries: readonly LayerWrite[]): Promise<void> {
    try {
      await this.#guard(() => this.#inner.setMany(entries));
    } catch (error) {
      this.#failedWrites(entries);
      throw error;
    }
    if (this.#backlog.empty) return;
    for (const [key, , ticket] of entries) if (ticket === undefined) this.#backlog.superseded(key);
  }

  async delete(key: string): Promise<boolean> {
    return this.#invalidate(
      () => this.#inner.delete(key),
      () => this.#backlog.addKeys([key]),
    );
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    return this.#invalidate(
      () => this.#inner.deleteMany(keys),
      () => this.#backlog.addKeys(keys),
    );
  }

  async deleteByPattern(glob: string): Promise<number> {
    return this.#invalidate(
      () => this.#inner.deleteByPattern(glob),
      () => this.#backlog.addGlob(glob),
      LONG_MS,
    );
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    return this.#invalidate(
      () => this.#inner.invalidateTags(tags),
      () => this.#backlog.addTags(tags),
    );
  }

  async clear(): Promise<void> {
    return this.#invalidate(
      () => this.#inner.clear(),
      () => this.#backlog.addAll(),
      LONG_MS,
    );
  }

  /** A newer write of the key is on its way: a deletion that still waits must not overtake it. */
  superseded(key: string): void {
    if (!this.#backlog.empty) this.#backlog.superseded(key);
  }

  async *keys(glob: string): AsyncGenerator<readonly string[]> {
    this.#refuseWhileOpen();
    yield* this.#inner.keys(glob);
  }

  async connect(): Promise<void> {
    await withDeadline(this.#reach(), CONNECT_MS, this.#clock, this.name);
  }

  async disconnect(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#breaker?.stop();
    this.#cancelRetry?.();
    const left = this.#backlog.size;
    if (left > 0) {
      this.#events.log(
        'warn',
        'INVALIDATIONS_LOST',
        `Layer '${this.name}' was closed before ${left} invalidations could reach it; what they concern lives until it expires.`,
      );
    }
    await withDeadline(Promise.resolve(this.#inner.disconnect()), DISCONNECT_MS, this.#clock, this.name).catch(
      () => undefined,
    );
  }

  status(): LayerStatus {
    return { ...this.#inner.status(), circuitState: this.#breaker?.state ?? CircuitState.closed };
  }

  async #guard<T>(operation: () => T | Promise<T>, deadlineMs = this.#settings.deadlineMs): Promise<T> {
    this.#refuseWhileOpen();
    const startedAt = this.#clock.now();
    try {
      const result = await withDeadline(Promise.resolve(operation()), deadlineMs, this.#clock, this.name);
      this.#breaker?.succeeded(deadlineMs === LONG_MS ? 0 : this.#clock.now() - startedAt);
      return result;
    } catch (error) {
      if (!isRefusal(error)) this.#breaker?.failed();
      if (error instanceof CacheError && error.code === 'LAYER_TIMEOUT') this.#lookAgain();
      throw error;
    }
  }

  /** Who does not answer may have been replaced, which a connection that stands never hears. At most once a second. */
  #lookAgain(): void {
    const now = this.#clock.now();
    if (this.#closed || now - this.#lookedAt < RETRY_MS) return;
    this.#lookedAt = now;
    Promise.resolve(this.#inner.connect?.()).catch(() => undefined);
  }

  /** Handed over in any case, since it is kept and sent later where it fails; nobody waits for a layer known to be away. */
  async #publish(coordination: Coordination, message: BusMessage): Promise<void> {
    const handedOver = withDeadline(coordination.publish(message), this.#settings.deadlineMs, this.#clock, this.name);
    handedOver.catch(() => undefined);
    this.#refuseWhileOpen();
    await handedOver;
  }

  #refuseWhileOpen(): void {
    if (this.#breaker === undefined || this.#breaker.closed) return;
    throw new CacheError(
      'CIRCUIT_OPEN',
      `Layer '${this.name}' has failed too often and is left alone until a probe succeeds.`,
    );
  }

  async #invalidate<T>(operation: () => T | Promise<T>, remember: () => void, deadlineMs?: number): Promise<T> {
    try {
      return await this.#guard(operation, deadlineMs);
    } catch (error) {
      remember();
      this.#retryLater();
      throw error;
    }
  }

  /** An older value must not outlive a write that replaced it and did not arrive. */
  #failedWrites(writes: readonly LayerWrite[]): void {
    const replaced = writes.filter(([, , ticket]) => ticket === undefined).map(([key]) => key);
    if (replaced.length === 0) return;
    this.#backlog.addKeys(replaced);
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#closed || this.#cancelRetry !== undefined) return;
    this.#cancelRetry = this.#clock.after(RETRY_MS, () => {
      this.#cancelRetry = undefined;
      // While the circuit is open its probe comes first, and applies them.
      if (this.#breaker?.closed === false) return;
      this.#applyBacklog().catch(() => undefined);
    });
  }

  /** One at a time; what is left is tried again later. */
  #applyBacklog(): Promise<void> {
    return (this.#applying ??= withDeadline(
      this.#backlog.applyTo(this.#inner),
      LONG_MS,
      this.#clock,
      this.name,
    ).finally(() => {
      this.#applying = undefined;
      if (!this.#backlog.empty) this.#retryLater();
    }));
  }

  async #probe(): Promise<void> {
    await withDeadline(this.#reach(), this.#settings.deadlineMs, this.#clock, this.name);
    if (this.#backlog.empty) return;
    // What cannot be applied yet, for one lost node of many, goes on being hidden.
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
      this.#events.log('warn', 'CIRCUIT_OPEN', `Layer '${this.name}' keeps failing; requests go on without it.`);
    } else if (state === CircuitState.closed) {
      this.#outage = false;
      this.#events.log('log', 'CIRCUIT_CLOSED', `Layer '${this.name}' serves again.`);
      if (!this.#backlog.empty) this.#retryLater();
    }
  }
}

/** A ticket that comes too late would tell a later moment than the load began at, so reads fill one of their own. */
function hand(read: LoadTicket | undefined, ticket: LoadTicket | undefined): void {
  if (read === undefined || ticket === undefined) return;
  for (const [layer, moment] of read) ticket.set(layer, moment);
}
