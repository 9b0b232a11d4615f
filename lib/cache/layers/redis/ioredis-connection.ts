import { ClientAvailability } from './client-availability.js';
import { keyPrefixOf } from './redis-client-facts.js';
import type { Emitter } from './shared-listeners.js';
import {
  firstAttempt,
  unavailable,
  type ConnectionEvents,
  type RedisArgument,
  type RedisConnection,
  type RedisNode,
} from './redis-connection.js';

/** A command of ioredis whose replies are Buffers. */
type Command = (this: IoRedis, ...args: RedisArgument[]) => Promise<unknown>;

/** The part of ioredis that is used. */
export interface IoRedis extends Emitter {
  readonly status: string;
  readonly isCluster?: boolean;
  createBuiltinCommand(name: string): { readonly buffer: Command };
  connect(): Promise<unknown>;
  duplicate(): IoRedis;
  nodes?(role: 'master'): IoRedis[];
  subscribe(channel: string): Promise<unknown>;
  disconnect(): void;
}

/** A client of ioredis: single, Sentinel or Cluster. */
export class IoRedisConnection implements RedisConnection {
  readonly cluster: boolean;
  readonly keyPrefix: string;
  readonly #client: IoRedis;
  readonly #availability: ClientAvailability;
  readonly #commands = new Map<string, Command>();

  constructor(client: IoRedis, events: ConnectionEvents) {
    this.#client = client;
    this.cluster = client.isCluster === true;
    this.keyPrefix = keyPrefixOf(client);
    this.#availability = new ClientAvailability(client, events);
  }

  get ready(): boolean {
    return this.#client.status === 'ready';
  }

  send(_key: string, args: readonly RedisArgument[]): Promise<unknown> {
    if (!this.ready) return Promise.reject(unavailable());
    return this.#call(this.#client, args);
  }

  nodes(): Promise<readonly RedisNode[]> {
    const nodes = this.cluster ? this.#client.nodes!('master') : [this.#client];
    return Promise.resolve(nodes.map((node) => (args: readonly RedisArgument[]) => this.#call(node, args)));
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

  /**
   * A separate function for each command, as ioredis creates them: unlike `callBuffer()` it works with `enableAutoPipelining`, and
   * bypasses that queue, so that commands are sent at once and in order.
   */
  #call(client: IoRedis, [name, ...args]: readonly RedisArgument[]): Promise<unknown> {
    const command = String(name);
    let run = this.#commands.get(command);
    if (run === undefined) this.#commands.set(command, (run = client.createBuiltinCommand(command).buffer));
    return run.apply(client, args);
  }

  async subscribe(
    channel: string,
    onMessage: (message: string) => void,
    onReady: () => void,
    _own?: string,
    onLost?: (cause?: unknown) => void,
  ): Promise<() => Promise<void>> {
    const subscriber = this.#client.duplicate();
    subscriber.on('error', () => undefined);
    subscriber.on('close', () => onLost?.());
    subscriber.on('message', (from: string, message: string) => {
      if (from === channel) onMessage(message);
    });
    // ioredis does not report its own re-subscription after a lost connection, so subscribe again to detect it.
    const standing = new Promise<void>((resolve) => {
      subscriber.on('ready', () => {
        subscriber.subscribe(channel).then(
          () => {
            onReady();
            resolve();
          },
          (refused: unknown) => onLost?.(refused),
        );
      });
    });
    // The duplicate of a client with lazyConnect does not connect by itself.
    if (subscriber.status === 'wait') subscriber.connect().catch(() => undefined);
    await firstAttempt(standing);
    return () => {
      subscriber.disconnect();
      return Promise.resolve();
    };
  }
}
