import { RedisSharedMap } from './redis-shared-map.js';
import { RedisBus } from './redis-bus.js';
import { RedisLock } from './redis-lock.js';
import type { CacheError } from '../../base/errors.js';
import { milliseconds } from '../../base/duration.js';
import { reported } from '../../base/reported-errors.js';
import { unversioned } from '../../base/namespace.js';
import type { Entry } from '../../entries/entry.js';
import { CircuitState } from '../../base/observer.js';
import { EntryCodec } from '../encoding/codec.js';
import { UndecodableValues } from '../undecodable.js';
import type {
  SharedMap,
  BusMessage,
  Coordination,
  Layer,
  LayerContext,
  LayerStatus,
  LayerWrite,
  ServerInfo,
} from '../layer.js';
import type { LoadTicket } from '../load-ticket.js';
import { connectionOf } from './redis-connecting.js';
import { HeardConnection } from './heard-connection.js';
import { unavailable, type RedisNode } from './redis-connection.js';
import { RedisAnnouncer } from './redis-announcer.js';
import { RedisKeyDeletes } from './redis-key-deletes.js';
import { RedisInfo } from './redis-info.js';
import { explainFailure, isExplained, redisFailure } from './redis-failure.js';
import { RedisInvalidationLog } from './redis-invalidation-log.js';
import { RedisKeys } from './redis-keys.js';
import { redisAddress } from './redis-layer-rules.js';
import { RedisLoadWrites } from './redis-load-writes.js';
import type { RedisLayerOptions } from './redis-options.js';
import type { RedisParts } from './redis-parts.js';
import { RedisReads } from './redis-reads.js';
import { RedisScan } from './redis-scan.js';
import { scripts } from './redis-scripts.js';
import { RedisGlobs } from './redis-globs.js';
import { redisServerOf } from './redis-server.js';
import { RedisWrites } from './redis-writes.js';
import { DEFAULT_DEADLINE_MS } from '../resilience/remote-layer-options.js';
import { ServerClock } from './server-clock.js';

const RETRY_MS = 1_000;

/** The layer that `redisLayer()` makes, without its circuit breaker and deadlines. */
export class BareRedisLayer implements Layer {
  readonly shared = true;
  readonly encodes = true;
  readonly server: unknown;
  readonly spread: boolean;
  readonly name: string;
  readonly coordination: Coordination;
  readonly #context: LayerContext;
  readonly #connection: HeardConnection;
  readonly #keys: RedisKeys;
  /** The keys of the namespace without its version. */
  readonly #lastingKeys: RedisKeys;
  readonly #log: RedisInvalidationLog;
  readonly #serverClock: ServerClock;
  readonly #reads: RedisReads;
  readonly #writes: RedisWrites;
  readonly #loadWrites: RedisLoadWrites;
  readonly #deletes: RedisKeyDeletes;
  readonly #scan: RedisScan;
  readonly #globs: RedisGlobs;
  readonly #bus: RedisBus;
  readonly #info: RedisInfo;
  readonly #undecodable: UndecodableValues;
  readonly #announcer: RedisAnnouncer;
  readonly #address: string;
  #opening: Promise<void> | undefined;
  #preparing: Promise<unknown> | undefined;
  #opened = false;
  #lost = false;
  /** Why the layer is lost; undefined if unknown. */
  #cause: string | undefined;
  #closed = false;
  #stopAsking: (() => void) | undefined;

  constructor(context: LayerContext, name: string, options: RedisLayerOptions) {
    this.name = name;
    this.#context = context;
    this.server = redisServerOf(options);
    this.#address = redisAddress(options);
    const { clock } = context;
    const deadlineMs = milliseconds(options.deadline ?? DEFAULT_DEADLINE_MS, 'deadline');
    const events = {
      lost: (cause: unknown) => this.#onLost(cause),
      notRestored: (cause: unknown) => void this.#failure(cause),
      ready: () => this.#onReady(),
    };
    const connection = (this.#connection = new HeardConnection(connectionOf(options, context, events), (error) =>
      this.#onFailure(error),
    ));
    const keys = (this.#keys = new RedisKeys(context.prefix, connection.keyPrefix));
    this.#lastingKeys = new RedisKeys(unversioned(context.prefix), connection.keyPrefix);
    this.#log = new RedisInvalidationLog(connection, keys);
    this.#serverClock = new ServerClock(connection, clock, keys.state);
    this.#bus = new RedisBus(
      connection,
      keys.channel,
      clock,
      deadlineMs,
      connection.cluster ? undefined : () => this.#register(),
    );
    this.#info = new RedisInfo(connection, context.events, name, this.#address);
    this.#announcer = new RedisAnnouncer(this.#bus, !connection.cluster);
    this.spread = connection.cluster;
    this.#undecodable = new UndecodableValues(name, context.events);
    const parts: RedisParts = {
      name,
      connection,
      keys,
      log: this.#log,
      codec: new EntryCodec({ ...options, onUndecodable: (cause) => this.#undecodable.report(cause) }),
      serverClock: this.#serverClock,
      clock,
      bus: this.#bus,
      announcer: this.#announcer,
      deadlineMs,
    };
    this.#reads = new RedisReads(parts);
    this.#writes = new RedisWrites(parts);
    this.#loadWrites = new RedisLoadWrites(parts);
    this.#deletes = new RedisKeyDeletes(parts);
    this.#scan = new RedisScan(connection, keys, clock, deadlineMs, name);
    const lock = new RedisLock(connection, keys);
    this.#globs = new RedisGlobs(parts, this.#scan, lock, context.events);
    this.coordination = {
      acquire: (lockName, leaseMs) => this.#whenOpen(() => lock.acquire(lockName, leaseMs)),
      publish: (message) => this.#publish(message),
      subscribe: (listener) =>
        this.#bus.subscribe(listener).catch((error: unknown) => {
          throw this.#lost ? reported(error) : error;
        }),
    };
  }

  get replies(): number {
    return this.#connection.replies;
  }

  get announces(): boolean {
    return this.#announcer.active;
  }

  get(key: string, ticket?: LoadTicket): Promise<Entry | undefined> {
    return this.#opened ? this.#reads.get(key, ticket) : this.#whenOpen(() => this.#reads.get(key, ticket));
  }

  getMany(
    keys: readonly string[],
    tickets?: readonly LoadTicket[],
    unanswered?: Set<string>,
  ): Promise<(Entry | undefined)[]> {
    return this.#whenOpen(() => this.#reads.getMany(keys, tickets, unanswered));
  }

  set(key: string, entry: Entry, ticket?: LoadTicket): Promise<void> {
    const write = () =>
      ticket === undefined ? this.#writes.put(key, entry) : this.#loadWrites.put(key, entry, ticket);
    return this.#opened && this.#writes.leaving === undefined ? write() : this.#inOrder(write);
  }

  setMany(entries: readonly LayerWrite[]): Promise<void> {
    const explicit = entries.filter(([, , ticket]) => ticket === undefined);
    const loaded = entries.filter(([, , ticket]) => ticket !== undefined);
    return this.#inOrder(async () => {
      const writing: Promise<void>[] = [];
      if (explicit.length > 0) writing.push(this.#writes.putMany(explicit));
      if (loaded.length > 0) writing.push(this.#loadWrites.putMany(loaded));
      await all(writing);
    });
  }

  async delete(key: string): Promise<boolean> {
    return (await this.deleteMany([key])) > 0;
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    return this.#inOrder(() => this.#deletes.many(keys));
  }

  deleteByPattern(glob: string): Promise<number> {
    return this.#inOrder(() => this.#globs.invalidate(glob));
  }

  async clear(): Promise<void> {
    await this.#inOrder(() => this.#globs.invalidate('*', { all: true }));
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    if (tags.length === 0) return;
    await this.#inOrder(async () => {
      const { state, sweeps, tags: list } = this.#keys;
      const argv = [...this.#announcer.argumentsOf({ tags }), ...tags];
      this.#announcer.sent(await scripts.noteTags.run(this.#connection, [state, sweeps, list], argv));
    });
  }

  async *keys(glob: string): AsyncGenerator<readonly string[]> {
    await this.#open();
    yield* this.#scan.find(glob);
  }

  /** Connects. Also used as a probe, which succeeds if the server answers. Reads the server's clock and state again. */
  async connect(): Promise<void> {
    if (!this.#opened && !this.#lost) return this.#open();
    try {
      await this.#connection.connect();
      await this.#prepare();
    } catch (error) {
      if (error instanceof Error && error.message.includes('READONLY')) this.#connection.renew();
      throw this.#failure(error);
    }
    this.#restored();
  }

  async disconnect(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopAsking?.();
    this.#globs.close();
    await this.#bus.close();
    await this.#connection.close();
  }

  status(): LayerStatus {
    return {
      entries: null,
      bytes: null,
      connected: this.#connection.ready && !this.#lost,
      circuitState: CircuitState.closed,
      ...(this.#lost && this.#cause !== undefined && { failure: this.#cause }),
      queueDepth: 0,
      writesDropped: 0,
      undecodable: this.#undecodable.count,
      sweepsPending: this.#globs.pending,
      busNotSent: this.#bus.notSent,
      busUnreachable: this.#bus.unreachable,
    };
  }

  sharedMap(name: string, everyVersion = false): SharedMap {
    const keys = everyVersion ? this.#lastingKeys : this.#keys;
    const sharedMap = new RedisSharedMap(this.#connection, keys.state, name);
    return {
      publish: (slot, bytes, keepMs) => this.#whenOpen(() => sharedMap.publish(slot, bytes, keepMs)),
      read: (slot) => this.#whenOpen(() => sharedMap.read(slot)),
      readAll: () => this.#whenOpen(() => sharedMap.readAll()),
      withdraw: (slot) => this.#whenOpen(() => sharedMap.withdraw(slot)),
    };
  }

  serverInfo(): Promise<ServerInfo> {
    return this.#whenOpen(() => this.#info.read());
  }

  /** Runs an operation. It waits for the first attempt to connect, but not for later ones. */
  async #whenOpen<T>(operation: () => Promise<T>): Promise<T> {
    if (!this.#opened) await this.#open();
    return operation();
  }

  /** Runs a write or an invalidation after all earlier ones are sent, so that they arrive in order although large writes are sent in parts. */
  async #inOrder<T>(operation: () => Promise<T>): Promise<T> {
    if (!this.#opened) await this.#open();
    while (this.#writes.leaving !== undefined) await this.#writes.leaving;
    this.#writes.flush();
    return operation();
  }

  #open(): Promise<void> {
    if (this.#closed) return Promise.reject(unavailable());
    if (this.#lost) return Promise.reject(reported(unavailable()));
    return (this.#opening ??= this.#connection
      .connect()
      .then(() => this.#prepare())
      .then(
        () => {
          this.#opened = true;
          this.#globs.continueOthers();
        },
        (error: unknown) => {
          this.#onLost(error);
          throw this.#failure(error);
        },
      )
      .finally(() => (this.#opening = undefined)));
  }

  /** Registers this process in Redis as a receiver of messages. @returns true if others may have omitted messages until now. */
  #register(): Promise<boolean> {
    return this.#whenOpen(async () => {
      const noted = await scripts.listen.run(this.#connection, [this.#keys.state], [String(this.#bus.listener)]);
      return Number(noted) === 1;
    });
  }

  /** Sends a message. Without a connection, the message is kept and sent later. */
  async #publish(message: BusMessage): Promise<void> {
    if (!this.#opened) await this.#open().catch(() => undefined);
    return this.#bus.publish(message);
  }

  /** Reads the clock and the state, and loads the scripts. Concurrent calls share the requests, so that a frozen server gets them only once. */
  #prepare(): Promise<unknown> {
    return (this.#preparing ??= Promise.all([
      this.#serverClock.measure(),
      this.#log.touch(),
      this.#loadScripts(),
    ]).finally(() => (this.#preparing = undefined)));
  }

  /** Loads the scripts, so that a burst of first writes need not send them in full. Ignores a refusal: scripts are then sent in full. */
  async #loadScripts(): Promise<void> {
    const connection = this.#connection;
    const used = connection.cluster ? [scripts.storeApart] : [scripts.put, scripts.store];
    const load = async (node: RedisNode) => Promise.all(used.map((script) => script.load(node)));
    await Promise.all((await connection.nodes()).map(load)).catch(() => undefined);
  }

  /** Marks failures while the connection is lost as reported, and explains the cause of all failures for the log. */
  #onFailure(error: unknown): void {
    if (this.#lost) reported(error);
    explainFailure(error, this.#address);
  }

  #onLost(cause: unknown): void {
    if (this.#lost || this.#closed) return;
    const { message } = this.#failure(cause);
    this.#lost = true;
    this.#cause = message;
    this.#context.events.log('warn', 'LAYER_LOST', `Layer '${this.name}' is not used at the moment: ${message}`);
  }

  #failure(error: unknown): CacheError {
    const failure = redisFailure(error, this.#address, this.#opened);
    if (!this.#lost) return failure;
    // Keep the latest cause that explains something: a server may come back with another password, for example.
    if (isExplained(error)) this.#cause = failure.message;
    return reported(failure);
  }

  #onReady(): void {
    if (this.#closed || !this.#lost) return;
    this.#prepare().then(
      () => this.#restored(),
      // The server is connected, but loads its data, is a replica or refuses the user. Retry until it serves.
      (error: unknown) => {
        this.#failure(error);
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

/** Waits for all operations, then rejects with the first failure, so that no rejection is unhandled. */
async function all(operations: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(operations)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}
