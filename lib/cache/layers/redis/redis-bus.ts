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

/** Called when the message is sent, or with the error if that failed. */
type Sender = (error?: Error) => void;

const RETRY_MS = 500;
const REGISTER_RETRY_MS = 50;
/** A merged message with more names than this invalidates everything instead. */
const MAX_NAMES = 5_000;

/**
 * Sends invalidations to the memory layers of other processes over Redis pub/sub. All messages of one turn of the event loop are sent as
 * one message. Messages that cannot be sent are merged, kept and sent when the connection is restored: a receiver whose own connection
 * did not fail cannot detect that it missed them.
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
  /** The latest error of the subscription. */
  #refusal: unknown;
  #closed = false;

  /**
   * @param register registers this process in Redis as a receiver of messages. Resolves to true if other processes may have omitted
   * messages until then. The subscription counts as established only after that.
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

  /** A channel to which only this process subscribes. The scripts' `publish()` uses it to detect whether other processes listen. */
  get own(): string {
    return `${this.#channel}:${this.#instance}`;
  }

  /** The number that identifies this process in the state of the namespace. */
  get listener(): number {
    return this.#number;
  }

  /** Encodes a message. */
  textOf(message: BusMessage): string {
    return `${this.#own},${JSON.stringify(message).slice(1)}`;
  }

  /** Resolves when the message is sent. Rejects if sending fails or takes longer than the deadline; the message is then sent later. */
  publish(message: BusMessage): Promise<void> {
    this.#outbox.add(message);
    let sender!: Sender;
    const handedOver = new Promise<void>((resolve, reject) => {
      sender = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.#senders.add(sender);
    this.#begin();
    // A frozen server never answers: do not keep the waiting callers until it does.
    return bounded(
      handedOver,
      { ms: this.#deadlineMs, clock: this.#clock, overdue: new OverdueWaits(this.#clock) },
      () => {
        this.#senders.delete(sender);
        throw new CacheError('LAYER_TIMEOUT', 'Redis did not accept a message in time. The message is sent later.');
      },
    );
  }

  /** Rejects if the subscription cannot be established now. It is retried, and later messages still reach the listener. */
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
    // The connection keeps trying. When the subscription is established, the gap is reported.
    if (!this.#stood) {
      this.#unreachable = true;
      const why = this.#refusal === undefined ? 'Subscribing is retried.' : redactedMessage(this.#refusal);
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

  /** Sends the messages of the outbox. Never rejects. Messages that are added while it sends are sent next. */
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

  /** Called each time the subscription is established. After `subscribe()` has settled, messages may have been missed: reports a gap. */
  #subscribed(): void {
    if (this.#awaited) this.#reportGap();
    this.#stopRegister();
    if (this.#register === undefined) this.#ready();
    else this.#note(this.#register);
  }

  /** Registers this process as a receiver, retrying until that succeeds. Until then, other processes may omit messages. */
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

  /** Called when the subscription is lost or refused. A subscription is also lost when it is closed: then there are no listeners. */
  #lost(cause: unknown): void {
    this.#stopRegister();
    this.#refusal = cause ?? this.#refusal;
    this.#unreachable = this.#listeners.size > 0;
  }

  #receive(text: string): void {
    // This process also receives its own messages: skip them without parsing.
    if (text.startsWith(this.#own)) return;
    const message = envelopeIn(text);
    if (message === undefined) return;
    for (const listener of this.#listeners) listener.onMessage(message);
  }
}
