import { randomUUID } from 'node:crypto';
import { bounded, within } from '../../base/bounded-wait.js';
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
const REGISTER_RETRY_MS = 50;
/** With more names, the message means "everything" instead. */
const MAX_NAMES = 5_000;

/**
 * Sends invalidations to the memory layers of other processes over Redis pub/sub. All messages of one turn of the event loop are sent as one
 * message. Messages that cannot be sent are kept, merged, and sent when the connection is restored, since a receiver whose own
 * connection never failed could not detect that it missed them.
 */
export class RedisBus {
  readonly #connection: RedisConnection;
  readonly #channel: string;
  readonly #clock: Clock;
  readonly #instance = randomUUID();
  readonly #number = Number.parseInt(this.#instance.replace('-', '').slice(0, 12), 16);
  readonly #own = JSON.stringify({ from: this.#instance } satisfies Envelope).slice(0, -1);
  readonly #deadlineMs: number;
  readonly #register: (() => Promise<boolean>) | undefined;
  readonly #listeners = new Set<Listener>();
  readonly #senders = new Set<Sender>();
  readonly #outbox = new Outbox(MAX_NAMES);
  #flushing = false;
  #stopRetrying: (() => void) | undefined;
  #subscription: Promise<() => Promise<void>> | undefined;
  #registering: Promise<void> | undefined;
  #stopRegistering: (() => void) | undefined;
  #awaited = false;
  #stood = false;
  #notSent = false;
  #unreachable = false;
  /** Why the subscription failed. */
  #refusal: unknown;
  #closed = false;

  /**
   * @param register notes in Redis that this process receives messages; resolves to true if others may have omitted messages until then. A
   * subscription is established after it.
   */
  constructor(
    connection: RedisConnection,
    channel: string,
    clock: Clock,
    deadlineMs: number,
    register?: () => Promise<boolean>,
  ) {
    this.#register = register;
    this.#connection = connection;
    this.#channel = channel;
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  /** True after a message could not be sent, until one is sent again. */
  get notSent(): boolean {
    return this.#notSent;
  }

  /** True while a requested subscription is not established. */
  get unreachable(): boolean {
    return this.#unreachable;
  }

  /** A channel to which only this process subscribes: by it the scripts' `publish()` detects whether others listen. */
  get own(): string {
    return `${this.#channel}:${this.#instance}`;
  }

  /** A number of this process. */
  get listener(): number {
    return this.#number;
  }

  /** Encodes a message. */
  textOf(message: BusMessage): string {
    return `${this.#own},${JSON.stringify(message).slice(1)}`;
  }

  /** Resolves when the message is handed over; rejects if that failed, or took longer than the deadline. It is retried then. */
  publish(message: BusMessage): Promise<void> {
    this.#outbox.add(message);
    let sender!: Sender;
    const handedOver = new Promise<void>((resolve, reject) => {
      sender = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.#senders.add(sender);
    this.#begin();
    // A frozen server never answers: do not remember its waiting callers until it does.
    return bounded(
      handedOver,
      { ms: this.#deadlineMs, clock: this.#clock, overdue: new OverdueWaits(this.#clock) },
      () => {
        this.#senders.delete(sender);
        throw new CacheError('LAYER_TIMEOUT', 'Redis has not taken a message in time. It is sent once it does.');
      },
    );
  }

  /** Rejects if the subscription is not established yet; messages after that are passed on nevertheless. */
  async subscribe(listener: Listener): Promise<() => Promise<void>> {
    this.#listeners.add(listener);
    this.#subscription ??= this.#connection.subscribe(
      this.#channel,
      (message) => this.#receive(message),
      () => this.#subscribed(),
      this.own,
      (cause) => this.#lost(cause),
    );
    try {
      await this.#subscription;
      if (this.#registering !== undefined) await within(this.#registering, this.#deadlineMs, this.#clock);
    } catch (error) {
      this.#subscription = undefined;
      this.#unreachable = true;
      throw error;
    }
    this.#awaited = true;
    // It keeps trying, and reports the gap when it is established.
    if (!this.#stood) {
      this.#unreachable = true;
      const why = this.#refusal === undefined ? 'It is tried again.' : redactedMessage(this.#refusal);
      throw new CacheError('LAYER_UNAVAILABLE', `The channel of messages is not subscribed yet. ${why}`);
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
    this.#stopRegister();
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

  /** Never rejects. Messages that come during a send go out with the next. */
  async #flush(): Promise<void> {
    while (!this.#outbox.empty) {
      const message = this.#outbox.take();
      const senders = [...this.#senders];
      this.#senders.clear();
      try {
        await this.#connection.send(this.#channel, ['PUBLISH', this.#channel, this.textOf(message)]);
        this.#notSent = false;
        for (const handedOver of senders) handedOver();
        for (const listener of this.#listeners) listener.onSent?.();
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

  /** A subscription that was established when it was requested has missed nothing; one that is established later may have missed anything. */
  #subscribed(): void {
    if (this.#awaited) this.#reportGap();
    this.#stopRegister();
    if (this.#register === undefined) this.#ready();
    else this.#note(this.#register);
  }

  /** Until it is noted, others may omit messages. */
  #note(register: () => Promise<boolean>): void {
    const registering = register().then(
      (missed) => {
        if (this.#registering !== registering) return;
        if (missed) this.#reportGap();
        this.#ready();
      },
      (cause: unknown) => {
        if (this.#registering !== registering || this.#closed) return;
        this.#lost(cause);
        this.#stopRegistering = this.#clock.after(REGISTER_RETRY_MS, () => this.#note(register));
      },
    );
    this.#registering = registering;
  }

  #stopRegister(): void {
    this.#stopRegistering?.();
    this.#stopRegistering = undefined;
    this.#registering = undefined;
  }

  #ready(): void {
    this.#stood = true;
    this.#refusal = undefined;
    this.#unreachable = false;
  }

  #reportGap(): void {
    for (const listener of this.#listeners) listener.onGap();
  }

  /** Closing loses a subscription, too. */
  #lost(cause: unknown): void {
    this.#stopRegister();
    this.#refusal = cause ?? this.#refusal;
    this.#unreachable = this.#listeners.size > 0;
  }

  #receive(text: string): void {
    // Own messages come back, too: skip them without parsing.
    if (text.startsWith(this.#own)) return;
    const message = envelopeIn(text);
    if (message === undefined) return;
    for (const listener of this.#listeners) listener.onMessage(message);
  }
}
