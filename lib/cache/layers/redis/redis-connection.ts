import type { RESP_TYPES } from '@redis/client';
import { systemClock } from '../../base/clock.js';
import { CacheError } from '../../base/errors.js';

export type RedisArgument = string | Buffer;

/**
 * A connection to Redis through any client. It sends commands and returns replies with Buffers for texts. It never queues commands while it
 * is lost.
 */
export interface RedisConnection {
  /** True if keys live in hash slots on several nodes. */
  readonly cluster: boolean;
  /** The prefix that the client adds to every key, except in SCAN. */
  readonly keyPrefix: string;
  readonly ready: boolean;
  /** @param key determines the node. Rejects at once with `LAYER_UNAVAILABLE` while the connection is lost. */
  send(key: string, args: readonly RedisArgument[]): Promise<unknown>;
  /** Returns every master, for operations on all keys. */
  nodes(): Promise<readonly RedisNode[]>;
  /** Keeps the connection established in the background. Resolves when it is first connected, rejects if the first attempt fails. */
  connect(): Promise<void>;
  close(): Promise<void>;
  /** Closes the connection to a server that is no longer the master. The same name may now lead to another server. */
  renew?(): void;
  /**
   * Opens a separate connection for messages. `onReady` is called each time it is established. Resolves after the first such call, or after
   * the first attempt failed.
   */
  subscribe(
    channel: string,
    onMessage: (message: string) => void,
    onReady: () => void,
    /**
     * A channel of this process, subscribed to in the same command if the connection has one server that never changes: the
     * server can then detect that no other process listens to the first channel. Ignored otherwise.
     */
    own?: string,
    /** Called when the subscription is lost or an attempt to restore it is refused. */
    onLost?: (cause?: unknown) => void,
  ): Promise<() => Promise<void>>;
}

export type RedisNode = (args: readonly RedisArgument[]) => Promise<unknown>;

export interface ConnectionEvents {
  /** Called once when a connection is lost. */
  lost(cause: unknown): void;
  /** Called when an attempt to restore it has failed. */
  notRestored?(cause: unknown): void;
  /** Called once when it is restored. */
  ready(): void;
}

/** RESP's `$`. */
const BLOB_STRING = 36 satisfies (typeof RESP_TYPES)['BLOB_STRING'];

/** Requests bulk strings as Buffers, from node-redis 5 and from node-redis 4. */
export const AS_BUFFERS = { typeMapping: { [BLOB_STRING]: Buffer }, returnBuffers: true };

export function unavailable(cause?: unknown): CacheError {
  return new CacheError('LAYER_UNAVAILABLE', 'There is no connection to Redis at the moment. Connecting is retried.', {
    cause,
  });
}

const FIRST_ATTEMPT_MS = 1_000;

/** Waits a limited time until a subscription is established. */
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
