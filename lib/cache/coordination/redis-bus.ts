import { randomUUID } from 'node:crypto';
import { settledBy } from '../bounded-wait.js';
import type { Clock } from '../clock.js';
import { CacheError } from '../errors.js';
import type { BusMessage, Coordination } from '../layers/layer.js';
import type { RedisConnection } from '../layers/redis/redis-connection.js';
import { Outbox } from './outbox.js';

type Listener = Parameters<Coordination['subscribe']>[0];

interface Envelope extends BusMessage {
  readonly from: string;
}

/** Told how it went. */
type Sender = (error?: Error) => void;

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
  readonly #own = JSON.stringify({ from: this.#instance } satisfies Envelope).slice(0, -1);
  readonly #deadlineMs: number;
  readonly #listeners = new Set<Listener>();
  readonly #senders = new Set<Sender>();
  readonly #outbox = new Outbox(MAX_NAMES);
  #flushing = false;
  #stopRetrying: (() => void) | undefined;
  #subscription: Promise<() => Promise<void>> | undefined;
  #awaited = false;
  #stood = false;
  #closed = false;

  constructor(connection: RedisConnection, channel: string, clock: Clock, deadlineMs: number) {
    this.#connection = connection;
    this.#channel = channel;
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  /** Resolves when it is handed over; rejects when that failed, or took longer than the deadline, and goes on trying. */
  publish(message: BusMessage): Promise<void> {
    this.#outbox.add(message);
    let sender!: Sender;
    const handedOver = new Promise<void>((resolve, reject) => {
      sender = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.#senders.add(sender);
    this.#begin();
    // A server that is frozen never answers; whoever waits must not be remembered until it does.
    return settledBy(handedOver, this.#deadlineMs, this.#clock, (_, reject) => {
      this.#senders.delete(sender);
      reject(new CacheError('LAYER_TIMEOUT', 'Redis has not taken a message in time; it is sent once it does.'));
    });
  }

  /** Rejects where the subscription does not stand yet; what is heard once it does is told all the same. */
  async subscribe(listener: Listener): Promise<() => Promise<void>> {
    this.#listeners.add(listener);
    this.#subscription ??= this.#connection.subscribe(
      this.#channel,
      (message) => this.#receive(message),
      () => this.#ready(),
    );
    try {
      await this.#subscription;
    } catch (error) {
      this.#subscription = undefined;
      throw error;
    }
    this.#awaited = true;
    // It goes on trying, and tells of the gap when it stands.
    if (!this.#stood)
      throw new CacheError('LAYER_UNAVAILABLE', 'There is no subscription to the channel of messages yet.');
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
    this.#stood = false;
    await (
      await subscription?.catch(() => undefined)
    )?.();
  }

  #begin(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    void Promise.resolve().then(() => this.#flush());
  }

  /** Never rejects. What is said while a message is on its way goes out with the next. */
  async #flush(): Promise<void> {
    while (!this.#outbox.empty) {
      const message = this.#outbox.take();
      const senders = [...this.#senders];
      this.#senders.clear();
      try {
        const text = JSON.stringify({ from: this.#instance, ...message } satisfies Envelope);
        await this.#connection.send(this.#channel, ['PUBLISH', this.#channel, text]);
        for (const handedOver of senders) handedOver();
      } catch (error) {
        this.#outbox.add(message);
        this.#retry();
        for (const failed of [...senders, ...this.#senders]) failed(error as Error);
        this.#senders.clear();
        break;
      }
    }
    this.#flushing = false;
  }

  #retry(): void {
    if (this.#closed || this.#stopRetrying !== undefined) return;
    this.#stopRetrying = this.#clock.after(RETRY_MS, () => {
      this.#stopRetrying = undefined;
      if (this.#connection.ready) this.#begin();
      else this.#retry();
    });
  }

  /** A subscription that stands when it was asked for has missed nothing; one that stands later may have missed anything. */
  #ready(): void {
    this.#stood = true;
    if (this.#awaited) for (const listener of this.#listeners) listener.onGap();
  }

  #receive(text: string): void {
    // One's own come back, too, and need not be read to be known.
    if (text.startsWith(this.#own)) return;
    const message = parse(text);
    if (message === undefined) return;
    for (const listener of this.#listeners) listener.onMessage(message);
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
