import type { RedisArgument, RedisConnection, RedisNode } from './redis-connection.js';

/** A server's refusal begins with a code in capitals. */
const REFUSAL = /^[A-Z]{2,} /;

/**
 * A connection that counts the answers of its servers: while the count grows, they are alive, however long one answer takes. It
 * reports every failure.
 */
export class HeardConnection implements RedisConnection {
  readonly cluster: boolean;
  readonly keyPrefix: string;
  readonly #inner: RedisConnection;
  readonly #failed: (error: unknown) => void;
  #replies = 0;

  constructor(inner: RedisConnection, failed: (error: unknown) => void) {
    this.#inner = inner;
    this.#failed = failed;
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

  async nodes(): Promise<readonly RedisNode[]> {
    const nodes = await this.#inner.nodes();
    return nodes.map((node) => (args) => {
      const reply = node(args);
      reply.catch(this.#failed);
      return reply;
    });
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

  subscribe(
    channel: string,
    onMessage: (message: string) => void,
    onReady: () => void,
    own?: string,
    onLost?: (cause?: unknown) => void,
  ): Promise<() => Promise<void>> {
    return this.#inner.subscribe(channel, onMessage, onReady, own, (cause) => {
      if (cause !== undefined) this.#failed(cause);
      onLost?.(cause);
    });
  }

  readonly #count = (): void => {
    this.#replies++;
  };

  readonly #onFailure = (error: unknown): void => {
    this.#failed(error);
    if (error instanceof Error && REFUSAL.test(error.message)) this.#replies++;
  };
}
