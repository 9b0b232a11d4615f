import type { RESP_TYPES } from '@redis/client';
import { systemClock } from '../../base/clock.js';
import { CacheError } from '../../base/errors.js';

export type RedisArgument = string | Buffer;

/** One way to a Redis, whichever client is used: commands in, replies with Buffers for texts out. It never queues while away. */
export interface RedisConnection {
  /** True if keys live in hash slots on several nodes. */
  readonly cluster: boolean;
  /** What the client puts before every key it is given, except in SCAN. */
  readonly keyPrefix: string;
  readonly ready: boolean;
  /** @param key decides the node. Rejects at once with `LAYER_UNAVAILABLE` while the connection is lost. */
  send(key: string, args: readonly RedisArgument[]): Promise<unknown>;
  /** Every master, for what concerns the whole keyspace. */
  nodes(): Promise<readonly RedisNode[]>;
  /** Connects in the background from now on; resolves once it stands, rejects when the first attempt fails. */
  connect(): Promise<void>;
  close(): Promise<void>;
  /** Leaves a server that is not the master any more: the same name may by now lead to another. */
  renew?(): void;
  /**
   * A connection of its own for messages. `onReady` is called whenever it stands (again); resolves once it has been, or
   * could not be at the first attempt.
   */
  subscribe(
    channel: string,
    onMessage: (message: string) => void,
    onReady: () => void,
    /**
     * A channel of this process alone, subscribed to in the same command where the connection has one server that never changes: the
     * server can then see that nobody else hears the first. Ignored otherwise.
     */
    own?: string,
    /** Called when it stands no more, or is refused when it is made anew. */
    onLost?: (cause?: unknown) => void,
  ): Promise<() => Promise<void>>;
}

export type RedisNode = (args: readonly RedisArgument[]) => Promise<unknown>;

/** Called once when a connection is lost and once when it stands again. */
export interface ConnectionEvents {
  lost(cause: unknown): void;
  ready(): void;
}

/** RESP's `$`. */
const BLOB_STRING = 36 satisfies (typeof RESP_TYPES)['BLOB_STRING'];

/** Bulk strings as Buffers: with node-redis 5, and as node-redis 4 says it. */
export const AS_BUFFERS = { typeMapping: { [BLOB_STRING]: Buffer }, returnBuffers: true };

export function unavailable(cause?: unknown): CacheError {
  return new CacheError('LAYER_UNAVAILABLE', 'There is no connection to Redis at the moment; it is being restored.', {
    cause,
  });
}

const FIRST_ATTEMPT_MS = 1_000;

/** Waits for a subscription to stand, but not for ever. */
export function firstAttempt(standing: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = systemClock.after(FIRST_ATTEMPT_MS, resolve);
    const settled = () => {
      cancel();
      resolve();
    };
    standing.then(settled, settled);
  });
}
