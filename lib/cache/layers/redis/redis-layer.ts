import { RedisBoard } from '../../coordination/redis-board.js';
import { RedisBus } from '../../coordination/redis-bus.js';
import { RedisLock } from '../../coordination/redis-lock.js';
import { milliseconds } from '../../duration.js';
import type { Entry } from '../../entry.js';
import { CacheError } from '../../errors.js';
import { CircuitState } from '../../observer.js';
import { EntryCodec } from '../encoding/codec.js';
import { undecodableOnce } from '../encoding/undecodable.js';
import { epochDigits } from '../encoding/record-head.js';
import { withDeadline } from '../resilience/deadline.js';
import type {
  Board,
  BusMessage,
  Coordination,
  Layer,
  LayerContext,
  LayerFactory,
  LayerStatus,
  LayerWrite,
  LoadTicket,
  ServerInfo,
} from '../layer.js';
import { isRefusal } from '../resilience/layer-refusal.js';
import { connectionOf } from './redis-connecting.js';
import { unavailable, type RedisConnection } from './redis-connection.js';
import { RedisDeletes } from './redis-deletes.js';
import { RedisEntries } from './redis-entries.js';
import { serverInfo } from './redis-info.js';
import { RedisKeys } from './redis-keys.js';
import { RedisLedger } from './redis-ledger.js';
import type { RedisLayerOptions } from './redis-options.js';
import { RedisScan } from './redis-scan.js';
import { scripts } from './redis-scripts.js';
import { DEFAULT_DEADLINE_MS, remoteLayer } from '../resilience/remote-layer.js';
import { ServerClock } from './server-clock.js';

/**
 * A layer in Redis: single, Sentinel or Cluster. Reads take one round trip, batches one a node; large writes leave in pieces
 * that do not wait for each other, and what is asked for later arrives later. Invalidations are ordered across processes. It
 * connects in the background and never makes a caller wait for a server that is away.
 * @throws CacheError `INVALID_OPTIONS` when more than one of `url`, `sentinel`, `cluster` and `client` is given.
 */
export function redisLayer(options: RedisLayerOptions = {}): LayerFactory {
  const ways = (['url', 'sentinel', 'cluster', 'client'] as const).filter((way) => options[way] !== undefined);
  if (ways.length > 1) {
    throw new CacheError(
      'INVALID_OPTIONS',
      `redisLayer({ ${ways.join(', ')} }): give one of them, not ${ways.length}.`,
    );
  }
  return remoteLayer('redis', options, (context, name) => new RedisLayer(context, name, options));
}

const RETRY_MS = 1_000;

class RedisLayer implements Layer {
  readonly shared = true;
  readonly encodes = true;
  readonly name: string;
  readonly coordination: Coordination;
  readonly #context: LayerContext;
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #ledger: RedisLedger;
  readonly #serverClock: ServerClock;
  readonly #entries: RedisEntries;
  readonly #deletes: RedisDeletes;
  readonly #scan: RedisScan;
  readonly #bus: RedisBus;
  readonly #deadlineMs: number;
  #opening: Promise<void> | undefined;
  #preparing: Promise<unknown> | undefined;
  #opened = false;
  #lost = false;
  #closed = false;
  #stopAsking: (() => void) | undefined;

  constructor(context: LayerContext, name: string, options: RedisLayerOptions) {
    this.name = name;
    this.#context = context;
    const { clock } = context;
    const deadlineMs = (this.#deadlineMs = milliseconds(options.deadline ?? DEFAULT_DEADLINE_MS, 'deadline'));
    this.#connection = connectionOf(options, context, {
      lost: (cause) => this.#onLost(cause),
      ready: () => this.#onReady(),
    });
    this.#keys = new RedisKeys(context.prefix);
    this.#ledger = new RedisLedger(this.#connection, this.#keys);
    this.#serverClock = new ServerClock(this.#connection, clock, this.#keys.state);
    const codec = new EntryCodec({ ...options, onUndecodable: undecodableOnce(name, context.events) });
    this.#entries = new RedisEntries({
      name,
      connection: this.#connection,
      keys: this.#keys,
      ledger: this.#ledger,
      codec,
      serverClock: this.#serverClock,
      clock,
      writeWithinMs: deadlineMs,
    });
    this.#deletes = new RedisDeletes(this.#connection, this.#keys, this.#ledger);
    this.#scan = new RedisScan(this.#connection, this.#keys, clock, deadlineMs, name);
    this.#bus = new RedisBus(this.#connection, this.#keys.channel, clock, deadlineMs);
    const lock = new RedisLock(this.#connection, this.#keys);
    this.coordination = {
      acquire: (lockName, leaseMs) => this.#whenOpen(() => lock.acquire(lockName, leaseMs)),
      publish: (message) => this.#publish(message),
      subscribe: (listener) => this.#bus.subscribe(listener),
    };
  }

  get(key: string, ticket?: LoadTicket): Promise<Entry | undefined> {
    return this.#opened ? this.#entries.get(key, ticket) : this.#whenOpen(() => this.#entries.get(key, ticket));
  }

  getMany(keys: readonly string[], tickets?: readonly LoadTicket[]): Promise<(Entry | undefined)[]> {
    return this.#whenOpen(() => this.#entries.getMany(keys, tickets));
  }

  set(key: string, entry: Entry, ticket?: LoadTicket): Promise<void> {
    return this.#inOrder(() => this.#entries.set(key, entry, ticket));
  }

  setMany(entries: readonly LayerWrite[]): Promise<void> {
    return this.#inOrder(() => this.#entries.setMany(entries));
  }

  async delete(key: string): Promise<boolean> {
    return (await this.deleteMany([key])) > 0;
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    return this.#inOrder(() => this.#deletes.many(keys));
  }

  deleteByPattern(glob: string): Promise<number> {
    return this.#inOrder(async () => {
      // From here on nothing older that matches is read or written; what follows only frees the memory.
      const note = scripts.noteGlob.run(this.#connection, [this.#keys.state, this.#keys.globs], [glob]);
      let refusal: unknown;
      const epoch = await withDeadline(note, this.#deadlineMs, this.#context.clock, this.name).catch((error) => {
        if (!isRefusal(error)) throw error;
        refusal = error;
        return epochDigits(this.#serverClock.now() * 1_000);
      });
      const removed = await this.#scan.remove(glob, String(epoch));
      // A full server has removed what there was but not noted it: to be said again once there is room.
      if (refusal !== undefined) throw refusal;
      return removed;
    });
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    if (tags.length === 0) return;
    await this.#inOrder(() => scripts.noteTags.run(this.#connection, [this.#keys.state, this.#keys.tags], tags));
  }

  async *keys(glob: string): AsyncGenerator<readonly string[]> {
    await this.#open();
    yield* this.#scan.find(glob);
  }

  async clear(): Promise<void> {
    await this.deleteByPattern('*');
  }

  /** Also what a probe asks: the server answers, and its clock and state are known anew. */
  async connect(): Promise<void> {
    if (!this.#opened && !this.#lost) return this.#open();
    await this.#connection.connect();
    await this.#prepare().catch((error: unknown) => {
      if (error instanceof Error && error.message.includes('READONLY')) this.#connection.renew?.();
      throw error;
    });
    this.#restored();
  }

  async disconnect(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopAsking?.();
    await this.#bus.close();
    await this.#connection.close();
  }

  status(): LayerStatus {
    return {
      entries: null,
      bytes: null,
      connected: this.#connection.ready && !this.#lost,
      circuitState: CircuitState.closed,
      queueDepth: 0,
      writesDropped: 0,
    };
  }

  board(name: string): Board {
    const board = new RedisBoard(this.#connection, this.#keys.state, name);
    return {
      publish: (slot, bytes, keepMs) => this.#whenOpen(() => board.publish(slot, bytes, keepMs)),
      read: (slot) => this.#whenOpen(() => board.read(slot)),
      readAll: () => this.#whenOpen(() => board.readAll()),
      withdraw: (slot) => this.#whenOpen(() => board.withdraw(slot)),
    };
  }

  serverInfo(): Promise<ServerInfo> {
    return this.#whenOpen(() => serverInfo(this.#connection));
  }

  /** Operations that come while the first attempt to connect is under way wait for it; later ones wait for nothing. */
  async #whenOpen<T>(operation: () => Promise<T>): Promise<T> {
    if (!this.#opened) await this.#open();
    return operation();
  }

  /** Writes and invalidations reach the server in the order they were asked for, though a large write leaves in pieces. */
  async #inOrder<T>(operation: () => Promise<T>): Promise<T> {
    if (!this.#opened) await this.#open();
    while (this.#entries.leaving !== undefined) await this.#entries.leaving;
    return operation();
  }

  #open(): Promise<void> {
    if (this.#closed) return Promise.reject(unavailable());
    if (this.#lost) return Promise.reject(unavailable());
    return (this.#opening ??= this.#connection
      .connect()
      .then(() => this.#prepare())
      .then(
        () => {
          this.#opened = true;
        },
        (error: unknown) => {
          this.#onLost(error);
          throw error;
        },
      )
      .finally(() => (this.#opening = undefined)));
  }

  /** Kept there and sent later where there is no connection yet. */
  async #publish(message: BusMessage): Promise<void> {
    if (!this.#opened) await this.#open().catch(() => undefined);
    return this.#bus.publish(message);
  }

  /** A frozen server is asked once, however often it is probed. */
  #prepare(): Promise<unknown> {
    return (this.#preparing ??= Promise.all([this.#serverClock.measure(), this.#ledger.touch()]).finally(
      () => (this.#preparing = undefined),
    ));
  }

  #onLost(cause: unknown): void {
    if (this.#lost || this.#closed) return;
    this.#lost = true;
    this.#context.events.log(
      'warn',
      'LAYER_LOST',
      `Layer '${this.name}' has no connection; it is being restored.`,
      cause,
    );
  }

  #onReady(): void {
    if (this.#closed || !this.#lost) return;
    this.#prepare().then(
      () => this.#restored(),
      // Connected, but loading its data, or a replica, or refusing the user: asked again until it serves.
      () => {
        this.#stopAsking?.();
        this.#stopAsking = this.#context.clock.after(RETRY_MS, () => this.#onReady());
      },
    );
  }

  #restored(): void {
    if (!this.#lost || this.#closed) return;
    this.#lost = false;
    this.#opened = true;
    this.#context.events.log('log', 'LAYER_RESTORED', `Layer '${this.name}' is connected again.`);
  }
}
