import { reported } from '../../base/reported-errors.js';
import type { RedisArgument, RedisConnection, RedisNode } from './redis-connection.js';

/** How a server begins what it refuses: its own code, in capitals. */
const REFUSAL = /^[A-Z]{2,} /;

/**
 * A connection that counts what the servers have answered: where the count grows they are there, however long one answer takes. What
 * fails while the connection is known to be lost is marked as reported.
 */
export class HeardConnection implements RedisConnection {
  readonly cluster: boolean;
  readonly keyPrefix: string;
  readonly #inner: RedisConnection;
  readonly #isLost: () => boolean;
  #replies = 0;

  /** @param isLost true while the log says that the connection is lost. */
  constructor(inner: RedisConnection, isLost: () => boolean) {
    this.#inner = inner;
    this.#isLost = isLost;
    this.cluster = inner.cluster;
    this.keyPrefix = inner.keyPrefix;
  }

  get ready(): boolean {
    return this.#inner.ready;
  }

  get replies(): number {
    return this.#replies;
  }

  send(key: string, args: readonly RedisArgument[]): Promise<unknown> {
    const reply = this.#inner.send(key, args);
    reply.then(this.#count, this.#onFailure);
    return reply;
  }

  nodes(): Promise<readonly RedisNode[]> {
    return this.#inner.nodes();
  }

  connect(): Promise<void> {
    return this.#inner.connect();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  renew(): void {
    this.#inner.renew?.();
  }

  subscribe(...args: Parameters<RedisConnection['subscribe']>): Promise<() => Promise<void>> {
    return this.#inner.subscribe(...args);
  }

  readonly #count = (): void => {
    this.#replies++;
  };

  readonly #onFailure = (error: unknown): void => {
    if (this.#isLost()) reported(error);
    if (error instanceof Error && REFUSAL.test(error.message)) this.#replies++;
  };
}
