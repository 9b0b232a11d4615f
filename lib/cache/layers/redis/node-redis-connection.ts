import { ClientAvailability } from './client-availability.js';
import { type Emitter, listenTo, stopListening } from './shared-listeners.js';
import {
  AS_BUFFERS,
  firstAttempt,
  unavailable,
  type ConnectionEvents,
  type RedisArgument,
  type RedisConnection,
  type RedisNode,
} from './redis-connection.js';

/** The part of node-redis that is used; `sendCommand` differs between a single server, Sentinel and Cluster. */
export interface NodeRedis extends Emitter {
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

/** A client of node-redis 4 or 5: single, Sentinel or Cluster. */
export class NodeRedisConnection implements RedisConnection {
  readonly cluster: boolean;
  readonly keyPrefix = '';
  readonly #client: NodeRedis;
  readonly #sentinel: boolean;
  readonly #availability: ClientAvailability;
  readonly #events: ConnectionEvents;

  constructor(client: NodeRedis, events: ConnectionEvents) {
    this.#client = client;
    this.cluster = client.nodeClient !== undefined;
    this.#sentinel = client.getSentinelNode !== undefined;
    this.#events = events;
    this.#availability = new ClientAvailability(client, events);
  }

  get ready(): boolean {
    return this.#client.isReady ?? this.#client.isOpen;
  }

  send(key: string, args: readonly RedisArgument[]): Promise<unknown> {
    // Checked first: a client with an offline queue would keep the command and run it later.
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
    _own?: string,
    onLost?: (cause?: unknown) => void,
  ): Promise<() => Promise<void>> {
    if (this.cluster || this.#sentinel) {
      // These clients keep a separate connection for messages, and subscribe again on it.
      const listener = () => onReady();
      listenTo(this.#client, 'node-ready', listener);
      listenTo(this.#client, 'topology-change', listener);
      await this.#client.subscribe(channel, onMessage);
      onReady();
      return async () => {
        stopListening(this.#client, 'node-ready', listener);
        stopListening(this.#client, 'topology-change', listener);
        await this.#client.unsubscribe(channel, onMessage);
      };
    }
    const subscriber = this.#client.duplicate();
    subscriber.on('error', (error: unknown) => onLost?.(error));
    let subscribed = false;
    subscriber.on('ready', () => {
      // node-redis subscribes again on a restored connection before it reports that it is ready.
      if (subscribed) onReady();
    });
    const open = subscriber.connect().then(() => subscriber.subscribe(channel, onMessage));
    open.catch((refused: unknown) => onLost?.(refused));
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
