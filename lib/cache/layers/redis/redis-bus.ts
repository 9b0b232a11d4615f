import { randomUUID } from 'node:crypto';
import { bounded } from '../../base/bounded-wait.js';
import type { Clock } from '../../base/clock.js';
import { OverdueWaits } from '../../base/overdue-waits.js';
import { CacheError } from '../../base/errors.js';
import { redactedMessage } from '../../base/redacted-error.js';
import type { BusMessage, Coordination } from '../layer.js';
import type { RedisConnection } from './redis-connection.js';
import { type Envelope, envelopeIn } from '../../invalidation/bus-message.js';
import { Outbox } from '../../invalidation/outbox.js';

type Listener = Parameters<Coordination['subscribe']>[0];

/** Called with the outcome of sending. */
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
  #notSent = false;
  #unreachable = false;
  /** Why the subscription does not stand. */
  #refusal: unknown;
  #closed = false;

  constructor(connection: RedisConnection, channel: string, clock: Clock, deadlineMs: number) {
    this.#connection = connection;
    this.#channel = channel;
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  /** True from a message that could not be sent to the next that could. */
  get notSent(): boolean {
    return this.#notSent;
  }

  /** True while a subscription that was asked for does not stand. */
  get unreachable(): boolean {
    return this.#unreachable;
  }

  /** A channel that only this process subscribes to: `publish()` of the scripts sees by it whether others listen. */
  get own(): string {
    return `${this.#channel}:${this.#instance}`;
  }

  /** A message as it is sent. */
  textOf(message: BusMessage): string {
    return JSON.stringify({ from: this.#instance, ...message } satisfies Envelope);
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
    // A server that is frozen never answers; callers that wait must not be remembered until it does.
    return bounded(
      handedOver,
      { ms: this.#deadlineMs, clock: this.#clock, overdue: new OverdueWaits(this.#clock) },
      () => {
        this.#senders.delete(sender);
        throw new CacheError('LAYER_TIMEOUT', 'Redis has not taken a message in time. It is sent once it does.');
      },
    );
  }

  /** Rejects if the subscription does not stand yet; what arrives once it does is passed on all the same. */
  async subscribe(listener: Listener): Promise<() => Promise<void>> {
    this.#listeners.add(listener);
    this.#subscription ??= this.#connection.subscribe(
      this.#channel,
      (message) => this.#receive(message),
      () => this.#ready(),
      this.own,
      (cause) => this.#lost(cause),
    );
    try {
      await this.#subscription;
    } catch (error) {
      this.#subscription = undefined;
      this.#unreachable = true;
      throw error;
    }
    this.#awaited = true;
    // It goes on trying, and tells of the gap when it stands.
    if (!this.#stood) {
      this.#unreachable = true;
      const why = this.#refusal === undefined ? 'It is tried again.' : redactedMessage(this.#refusal);
      throw new CacheError('LAYER_UNAVAILABLE', `There is no subscription to the channel of messages yet. ${why}`);
    }
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
    this.#unreachable = false;
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
        await this.#connection.send(this.#channel, ['PUBLISH', this.#channel, this.textOf(message)]);
        this.#notSent = false;
        for (const handedOver of senders) handedOver();
      } catch (error) {
        this.#outbox.add(message);
        this.#notSent = true;
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
    this.#refusal = undefined;
    this.#unreachable = false;
    if (this.#awaited) for (const listener of this.#listeners) listener.onGap();
  }

  /** Closing a subscription loses it, too. */
  #lost(cause: unknown): void {
    this.#refusal = cause ?? this.#refusal;
    this.#unreachable = this.#listeners.size > 0;
  }

  #receive(text: string): void {
    // One's own come back, too, and need not be read to be known.
    if (text.startsWith(this.#own)) return;
    const message = envelopeIn(text);
    if (message === undefined) return;
    for (const listener of this.#listeners) listener.onMessage(message);
  }
}
