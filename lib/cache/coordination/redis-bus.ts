import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { BusMessage, Coordination } from '../layers/layer.js';
import type { RedisConnection } from '../layers/redis-connection.js';

type Listener = Parameters<Coordination['subscribe']>[0];

interface Envelope extends BusMessage {
  readonly from: string;
}

const RETRY_MS = 500;
/** More than this in one message is said shorter: everything. */
const MAX_NAMES = 5_000;

/**
 * What other processes' memory layers must forget, over Redis pub/sub. What one turn of the event loop says goes out as one
 * message; what cannot be sent is kept, merged, and sent once the connection stands again, since a receiver whose own
 * connection never failed would not know that it missed anything.
 */
export class RedisBus {
  readonly #connection: RedisConnection;
  readonly #channel: string;
  readonly #clock: Clock;
  readonly #instance = randomUUID();
  readonly #listeners = new Set<Listener>();
  #outbox = new Outbox();
  #flushing: Promise<void> | undefined;
  #stopRetrying: (() => void) | undefined;
  #subscription: Promise<() => Promise<void>> | undefined;
  #awaited = false;
  #closed = false;

  constructor(connection: RedisConnection, channel: string, clock: Clock) {
    this.#connection = connection;
    this.#channel = channel;
    this.#clock = clock;
  }

  /** Resolves when it is handed over; rejects when that failed at once, and goes on trying. */
  publish(message: BusMessage): Promise<void> {
    this.#outbox.add(message);
    return this.#begin();
  }

  async subscribe(listener: Listener): Promise<() => Promise<void>> {
    this.#listeners.add(listener);
    this.#subscription ??= this.#connection.subscribe(
      this.#channel,
      (message) => this.#receive(message),
      () => this.#ready(),
    );
    await this.#subscription;
    this.#awaited = true;
    return async () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) await this.#unsubscribe();
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopRetrying?.();
    this.#listeners.clear();
    await this.#unsubscribe();
  }

  async #unsubscribe(): Promise<void> {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    this.#awaited = false;
    await (
      await subscription?.catch(() => undefined)
    )?.();
  }

  #begin(): Promise<void> {
    return (this.#flushing ??= Promise.resolve()
      .then(() => this.#flush())
      .finally(() => (this.#flushing = undefined)));
  }

  /** What is said while a message is on its way goes out with the next. */
  async #flush(): Promise<void> {
    while (!this.#outbox.empty) {
      const sending = this.#outbox;
      this.#outbox = new Outbox();
      try {
        await this.#connection.publish(this.#channel, sending.envelope(this.#instance));
      } catch (error) {
        sending.absorb(this.#outbox);
        this.#outbox = sending;
        this.#retry();
        throw error;
      }
    }
  }

  #retry(): void {
    if (this.#closed || this.#stopRetrying !== undefined) return;
    this.#stopRetrying = this.#clock.after(RETRY_MS, () => {
      this.#stopRetrying = undefined;
      if (this.#connection.ready) void this.#begin().catch(() => undefined);
      else this.#retry();
    });
  }

  /** A subscription that stands when it was asked for has missed nothing; one that stands later may have missed anything. */
  #ready(): void {
    if (this.#awaited) for (const listener of this.#listeners) listener.onGap();
  }

  #receive(text: string): void {
    const message = parse(text);
    if (message === undefined || message.from === this.#instance) return;
    for (const listener of this.#listeners) listener.onMessage(message);
  }
}

/** What waits to be said, each name once. */
class Outbox {
  readonly #keys = new Set<string>();
  readonly #patterns = new Set<string>();
  readonly #tags = new Set<string>();
  #all = false;

  get empty(): boolean {
    return !this.#all && this.#keys.size + this.#patterns.size + this.#tags.size === 0;
  }

  add({ keys = [], patterns = [], tags = [], all = false }: BusMessage): void {
    for (const key of keys) this.#keys.add(key);
    for (const pattern of patterns) this.#patterns.add(pattern);
    for (const tag of tags) this.#tags.add(tag);
    this.#all ||= all || this.#keys.size + this.#patterns.size + this.#tags.size > MAX_NAMES;
  }

  absorb(other: Outbox): void {
    this.add({ keys: [...other.#keys], patterns: [...other.#patterns], tags: [...other.#tags], all: other.#all });
    if (!this.#all) return;
    this.#keys.clear();
    this.#patterns.clear();
    this.#tags.clear();
  }

  envelope(from: string): string {
    if (this.#all) return JSON.stringify({ from, all: true } satisfies Envelope);
    return JSON.stringify({
      from,
      ...(this.#keys.size > 0 && { keys: [...this.#keys] }),
      ...(this.#patterns.size > 0 && { patterns: [...this.#patterns] }),
      ...(this.#tags.size > 0 && { tags: [...this.#tags] }),
    } satisfies Envelope);
  }
}

/** Undefined for what is no message of ours. */
function parse(text: string): Envelope | undefined {
  try {
    const message = JSON.parse(text) as Envelope;
    return typeof message === 'object' && message !== null && typeof message.from === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}
