import { CacheError } from '../../errors.js';
import {
  AS_BUFFERS,
  firstAttempt,
  unavailable,
  type ConnectionEvents,
  type RedisArgument,
  type RedisConnection,
  type RedisNode,
} from './redis-connection.js';
import type { RedisClientLike } from './redis-options.js';

type Listener = (...args: never[]) => void;
interface Emitter {
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
  listenerCount(event: string): number;
}

/** node-redis, as far as it is used here; `sendCommand` differs between a single server, Sentinel and Cluster. */
interface NodeRedis extends Emitter {
  readonly isOpen: boolean;
  readonly isReady?: boolean;
  readonly masters?: readonly object[];
  sendCommand(...args: unknown[]): Promise<unknown>;
  connect(): Promise<unknown>;
  duplicate(): NodeRedis;
  nodeClient?(node: object): Promise<NodeRedis> | NodeRedis;
  getSentinelNode?: unknown;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  unsubscribe(channel: string, listener?: (message: string) => void): Promise<unknown>;
  destroy?(): unknown;
  disconnect?(): unknown;
}

interface IoRedis extends Emitter {
  readonly status: string;
  readonly isCluster?: boolean;
  callBuffer(command: string, ...args: RedisArgument[]): Promise<unknown>;
  connect(): Promise<unknown>;
  duplicate(): IoRedis;
  nodes?(role: 'master'): IoRedis[];
  subscribe(channel: string): Promise<unknown>;
  disconnect(): void;
}

/**
 * The application's own client as a connection; it is opened where it is not, and left open.
 * @throws CacheError `INVALID_OPTIONS` for what is neither node-redis nor ioredis.
 */
export function clientConnection(client: RedisClientLike, events: ConnectionEvents): RedisConnection {
  if ('callBuffer' in client) return new IoRedisConnection(client as unknown as IoRedis, events);
  if ('sendCommand' in client) return new NodeRedisConnection(client as unknown as NodeRedis, events);
  throw new CacheError(
    'INVALID_OPTIONS',
    "redisLayer({ client }) takes a client of node-redis ('redis' or '@redis/client') or of ioredis.",
  );
}

/** Tells of each loss and each recovery once, however often the client repeats it. */
class Availability {
  readonly #client: Emitter;
  readonly #events: ConnectionEvents;
  readonly #whenLost = (cause?: unknown) => this.#onLost(cause);
  readonly #whenReady = () => this.#onReady();
  #lost = false;

  constructor(client: Emitter, events: ConnectionEvents) {
    this.#client = client;
    this.#events = events;
    client.on('error', this.#whenLost);
    client.on('ready', this.#whenReady);
  }

  stop(): void {
    this.#client.off('error', this.#whenLost);
    this.#client.off('ready', this.#whenReady);
    // The client stays with its owner, who may not listen: an unheard 'error' would end the process.
    if (this.#client.listenerCount('error') === 0) this.#client.on('error', () => undefined);
  }

  #onLost(cause: unknown): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#events.lost(cause);
  }

  #onReady(): void {
    this.#lost = false;
    this.#events.ready();
  }
}

class NodeRedisConnection implements RedisConnection {
  readonly cluster: boolean;
  readonly #client: NodeRedis;
  readonly #sentinel: boolean;
  readonly #availability: Availability;
  readonly #events: ConnectionEvents;

  constructor(client: NodeRedis, events: ConnectionEvents) {
    this.#client = client;
    this.cluster = client.nodeClient !== undefined;
    this.#sentinel = client.getSentinelNode !== undefined;
    this.#events = events;
    this.#availability = new Availability(client, events);
  }

  get ready(): boolean {
    return this.#client.isReady ?? this.#client.isOpen;
  }

  send(key: string, args: readonly RedisArgument[]): Promise<unknown> {
    // Asked first: with its offline queue on, the client would keep the command and run it at some later time.
    if (!this.ready) return Promise.reject(unavailable());
    if (this.cluster) return this.#client.sendCommand(key, false, args, AS_BUFFERS);
    if (this.#sentinel) return this.#client.sendCommand(false, args, AS_BUFFERS);
    return this.#client.sendCommand(args, AS_BUFFERS);
  }

  async nodes(): Promise<readonly RedisNode[]> {
    if (!this.cluster) return [(args) => this.send('', args)];
    return Promise.all(
      (this.#client.masters ?? []).map(async (master) => {
        const client = await this.#client.nodeClient!(master);
        return (args: readonly RedisArgument[]) => client.sendCommand(args, AS_BUFFERS);
      }),
    );
  }

  async connect(): Promise<void> {
    if (this.ready) return;
    if (!this.#client.isOpen) {
      await this.#client.connect();
      if (this.cluster || this.#sentinel) this.#events.ready();
    }
    if (!this.ready) throw unavailable();
  }

  close(): Promise<void> {
    this.#availability.stop();
    return Promise.resolve();
  }

  async subscribe(
    channel: string,
    onMessage: (message: string) => void,
    onReady: () => void,
  ): Promise<() => Promise<void>> {
    if (this.cluster || this.#sentinel) {
      // These keep a connection for messages themselves and subscribe anew on it.
      const listener = () => onReady();
      this.#client.on('node-ready', listener);
      this.#client.on('topology-change', listener);
      await this.#client.subscribe(channel, onMessage);
      onReady();
      return async () => {
        this.#client.off('node-ready', listener);
        this.#client.off('topology-change', listener);
        await this.#client.unsubscribe(channel, onMessage);
      };
    }
    const subscriber = this.#client.duplicate();
    subscriber.on('error', () => undefined);
    let subscribed = false;
    subscriber.on('ready', () => {
      // node-redis subscribes anew on a restored connection before it says that it is ready.
      if (subscribed) onReady();
    });
    const open = subscriber.connect().then(() => subscriber.subscribe(channel, onMessage));
    await firstAttempt(
      open.then(() => {
        subscribed = true;
        onReady();
      }),
    );
    return () => {
      if (subscriber.destroy !== undefined) {
        if (subscriber.isOpen) subscriber.destroy();
      } else subscriber.disconnect?.();
      return Promise.resolve();
    };
  }
}

class IoRedisConnection implements RedisConnection {
  readonly cluster: boolean;
  readonly #client: IoRedis;
  readonly #availability: Availability;

  constructor(client: IoRedis, events: ConnectionEvents) {
    this.#client = client;
    this.cluster = client.isCluster === true;
    this.#availability = new Availability(client, events);
  }

  get ready(): boolean {
    return this.#client.status === 'ready';
  }

  send(_key: string, args: readonly RedisArgument[]): Promise<unknown> {
    if (!this.ready) return Promise.reject(unavailable());
    return this.#client.callBuffer(args[0] as string, ...args.slice(1));
  }

  nodes(): Promise<readonly RedisNode[]> {
    const nodes = this.cluster ? this.#client.nodes!('master') : [this.#client];
    return Promise.resolve(
      nodes.map((node) => (args: readonly RedisArgument[]) => node.callBuffer(args[0] as string, ...args.slice(1))),
    );
  }

  async connect(): Promise<void> {
    if (this.ready) return;
    if (this.#client.status === 'wait') await this.#client.connect();
    else if (this.#client.status !== 'end') {
      await new Promise<void>((resolve, reject) => {
        const settle = (outcome: () => void) => () => {
          this.#client.off('ready', ready);
          this.#client.off('error', failed);
          outcome();
        };
        const ready = settle(resolve);
        const failed = settle(() => reject(unavailable()));
        this.#client.on('ready', ready);
        this.#client.on('error', failed);
      });
    }
    if (!this.ready) throw unavailable();
  }

  close(): Promise<void> {
    this.#availability.stop();
    return Promise.resolve();
  }

  async subscribe(
    channel: string,
    onMessage: (message: string) => void,
    onReady: () => void,
  ): Promise<() => Promise<void>> {
    const subscriber = this.#client.duplicate();
    subscriber.on('error', () => undefined);
    subscriber.on('message', (from: string, message: string) => {
      if (from === channel) onMessage(message);
    });
    // Its own re-subscription after a lost connection is silent: subscribing again tells when it has happened.
    const standing = new Promise<void>((resolve) => {
      subscriber.on('ready', () => {
        subscriber.subscribe(channel).then(
          () => {
            onReady();
            resolve();
          },
          () => undefined,
        );
      });
    });
    await firstAttempt(standing);
    return () => {
      subscriber.disconnect();
      return Promise.resolve();
    };
  }
}
