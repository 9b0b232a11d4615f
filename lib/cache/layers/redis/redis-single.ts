import type { createClient, RedisClientOptions } from '@redis/client';
import type { Clock } from '../../base/clock.js';
import {
  AS_BUFFERS,
  firstAttempt,
  unavailable,
  type ConnectionEvents,
  type RedisArgument,
  type RedisConnection,
  type RedisNode,
} from './redis-connection.js';
import { redisPackage } from './redis-package.js';

type Client = ReturnType<typeof createClient>;

/** Returns the current server: always the same one, or the present master. */
export type Endpoint = () => Promise<RedisClientOptions>;

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1_000;
/** A subscriber that receives nothing for this long, not even the answer to its own ping, is reconnected. */
const SILENCE_MS = 10_000;
const PING_MS = 3_000;

/**
 * A connection to one server. It creates a new client for every attempt, so that each looks up the server again, and
 * gives up an attempt that the server accepts but never answers.
 */
export class SingleConnection implements RedisConnection {
  readonly cluster = false;
  readonly keyPrefix = '';
  readonly #endpoint: Endpoint;
  readonly #events: ConnectionEvents;
  readonly #clock: Clock;
  readonly #attemptMs: number;
  readonly #extra: Partial<RedisClientOptions>;
  readonly #fixed: boolean;
  #client: Client | undefined;
  /** A client that is never connected, from which new clients are duplicated. */
  #kind: Client | undefined;
  #closed = false;
  #attempt: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  #stopWaiting: (() => void) | undefined;
  #address: string | undefined;

  constructor(
    endpoint: Endpoint,
    events: ConnectionEvents,
    clock: Clock,
    attemptMs = 1_000,
    extra: Partial<RedisClientOptions> = {},
    /** True if the server never changes. */
    fixed = false,
  ) {
    this.#endpoint = endpoint;
    this.#events = events;
    this.#clock = clock;
    this.#attemptMs = attemptMs;
    this.#extra = extra;
    this.#fixed = fixed;
  }

  get ready(): boolean {
    return this.#client?.isReady ?? false;
  }

  get client(): Client | undefined {
    return this.#client;
  }

  send(_key: string, args: readonly RedisArgument[]): Promise<unknown> {
    const client = this.#client;
    if (client === undefined || !client.isReady) return Promise.reject(unavailable());
    return client.sendCommand(args, AS_BUFFERS);
  }

  nodes(): Promise<readonly RedisNode[]> {
    return Promise.resolve([(args) => this.send('', args)]);
  }

  async connect(): Promise<void> {
    if (!this.ready) return this.#connect();
    return (this.#following ??= this.#followMaster().finally(() => (this.#following = undefined)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWaiting?.();
    const client = this.#client;
    this.#client = undefined;
    if (client?.isOpen) client.destroy();
    await this.#attempt?.catch(() => undefined);
  }

  async subscribe(
    channel: string,
    onMessage: (message: string) => void,
    onReady: () => void,
    own?: string,
    onLost?: (cause?: unknown) => void,
  ): Promise<() => Promise<void>> {
    // With Sentinel, a replica may serve subscribers, and the master does not count them.
    const channels = own === undefined || !this.#fixed ? channel : [channel, own];
    let stands = () => {};
    const standing = new Promise<void>((resolve) => (stands = resolve));
    const subscriber: SingleConnection = new SingleConnection(
      this.#endpoint,
      {
        lost: (cause) => onLost?.(cause),
        ready: () => {
          const { client } = subscriber;
          client
            ?.subscribe(channels, onMessage)
            // The user may only use the first channel.
            .catch((refused: unknown) => {
              if (channels === channel) throw refused;
              return client.subscribe(channel, onMessage);
            })
            .then(
              () => {
                onReady();
                stands();
              },
              // The subscription was refused. Retry, but not at once.
              (refused: unknown) => subscriber.#drop(LONGEST_RETRY_MS, refused),
            );
        },
      },
      this.#clock,
      this.#attemptMs,
      { pingInterval: PING_MS, socket: { socketTimeout: SILENCE_MS } },
    );
    // A failed first attempt is retried, and reported by onReady.
    await firstAttempt(subscriber.connect().then(() => standing));
    return () => subscriber.close();
  }

  /** Runs one attempt at a time for all callers. */
  #connect(): Promise<void> {
    return (this.#attempt ??= this.#open()
      .catch((cause: unknown) => {
        this.#retryIn(FIRST_RETRY_MS);
        throw cause;
      })
      .finally(() => (this.#attempt = undefined)));
  }

  async #open(): Promise<void> {
    if (this.#closed) throw unavailable();
    const options = await this.#endpoint();
    // createClient() creates a new class of clients at every call, which takes milliseconds. So duplicate one client.
    const client: Client = (this.#kind ??= (await redisPackage()).createClient()).duplicate({
      ...options,
      ...this.#extra,
      disableOfflineQueue: true,
      socket: {
        connectTimeout: this.#attemptMs,
        ...options.socket,
        ...this.#extra.socket,
        reconnectStrategy: false,
      } as RedisClientOptions['socket'],
    });
    let cause: unknown;
    client.on('error', (error) => {
      cause = error;
      if (this.#client === client && !client.isReady) this.#lost(client, error);
    });
    try {
      await this.#within(client.connect(), client);
    } catch (error) {
      if (client.isOpen) client.destroy();
      throw cause ?? error;
    }
    if (this.#closed || !client.isReady) {
      if (client.isOpen) client.destroy();
      throw cause ?? unavailable();
    }
    this.#stopWaiting?.();
    this.#client = client;
    this.#address = addressOf(options);
    this.#events.ready();
  }

  #within<T>(connecting: Promise<T>, client: Client): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(this.#attemptMs * 2, () => {
        reject(Object.assign(new Error('The server did not answer.'), { code: 'ETIMEDOUT' }));
        if (client.isOpen) client.destroy();
      });
      connecting.then(resolve, reject).finally(cancel);
    });
  }

  #lost(client: Client, cause: unknown, retryMs = FIRST_RETRY_MS): void {
    this.#client = undefined;
    if (client.isOpen) client.destroy();
    if (this.#closed) return;
    this.#events.lost(cause);
    this.#retryIn(retryMs);
  }

  renew(): void {
    this.#drop();
  }

  #drop(retryMs?: number, cause: unknown = unavailable()): void {
    if (this.#client !== undefined) this.#lost(this.#client, cause, retryMs);
  }

  #retryIn(delayMs: number): void {
    if (this.#closed) return;
    this.#stopWaiting?.();
    this.#stopWaiting = this.#clock.after(delayMs, () => {
      this.#stopWaiting = undefined;
      if (this.#closed || this.ready) return;
      this.#attempt ??= this.#open()
        .catch((cause: unknown) => {
          this.#events.notRestored?.(cause);
          this.#retryIn(Math.min(delayMs * 2, LONGEST_RETRY_MS));
        })
        .finally(() => (this.#attempt = undefined));
      // The attempt retries by itself, even if another caller began it.
      void this.#attempt.catch(() => undefined);
    });
  }

  /** Moves to the current master if the connected server is no longer the master. */
  async #followMaster(): Promise<void> {
    if (addressOf(await this.#endpoint()) !== this.#address) {
      this.#drop();
      await this.#connect();
    }
  }
}

function addressOf({ url, socket }: RedisClientOptions): string {
  const { host, port, path } = (socket ?? {}) as { host?: string; port?: number; path?: string };
  return JSON.stringify([url, host, port, path]);
}
