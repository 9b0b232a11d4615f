import { within } from '../base/bounded-wait.js';
import type { Clock } from '../base/clock.js';
import type { BusMessage, Coordination } from './coordination.js';
import type { OnceLog } from '../base/once-log.js';
import { isReported } from '../base/reported-errors.js';
import { Outbox } from './outbox.js';

const RETRY_MS = 1_000;
const HANDOVER_MS = 1_000;
/** If a message would have more names, it means "everything" instead. */
const MAX_NAMES = 10_000;

const SENT_AGAIN = { code: 'BUS_SENT', message: 'Messages reach the other processes again.' } as const;
const RECEIVED_AGAIN = {
  code: 'BUS_RESTORED',
  message: 'Invalidations of other processes are received again.',
} as const;

/** Receives the messages of other processes; ReceivedInvalidations applies them. */
export interface BusListener {
  onMessage(message: BusMessage): void;
  /** Reports that messages may have been missed. Do not serve entries that may be outdated. */
  onGap(): void;
  /** Reports that messages of this process were sent, including kept ones. */
  onSent?(): void;
}

/**
 * Connects this cache to the bus between processes. It combines the invalidations of one turn of the event loop into one message. The layer that
 * carries the bus keeps messages that it could not send and sends them later, so that no process misses one while both are connected.
 */
export class InvalidationBus {
  readonly #coordination: Coordination | undefined;
  readonly #clock: Clock;
  readonly #log: OnceLog;
  readonly #outbox = new Outbox(MAX_NAMES);
  #sending: Promise<void> | undefined;
  #unsubscribe: (() => Promise<void>) | undefined;
  #closed = false;

  constructor(coordination: Coordination | undefined, clock: Clock, log: OnceLog) {
    this.#coordination = coordination;
    this.#clock = clock;
    this.#log = log;
  }

  /** Subscribes to the bus. After a failure it retries until it succeeds, and then reports a gap. */
  async listen(listener: BusListener): Promise<void> {
    if (this.#coordination === undefined) return;
    let gaps = 0;
    const counting: BusListener = {
      onMessage: (message) => listener.onMessage(message),
      onGap: () => {
        gaps++;
        listener.onGap();
      },
      onSent: () => this.announced(),
    };
    // Skip the report if the layer retried on its own and has reported the gap.
    const late = () => {
      if (gaps === 0) counting.onGap();
    };
    await this.#subscribe(this.#coordination, counting, late);
  }

  /** Sends a message. Resolves when the layer has sent it or reported that it could not, or after a second. */
  async publish(message: BusMessage): Promise<void> {
    if (this.#coordination === undefined || this.#closed) return;
    this.#outbox.add(message);
    this.#sending ??= Promise.resolve().then(() => this.#send(this.#coordination!));
    await within(this.#sending, HANDOVER_MS, this.#clock);
  }

  /** Call this when a layer has sent a message, either a kept one or one that an operation carried. */
  announced(): void {
    this.#log.ended('BUS_NOT_SENT', 'bus', SENT_AGAIN);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#unsubscribe?.().catch(() => undefined);
  }

  async #subscribe(coordination: Coordination, listener: BusListener, late: () => void, again = false): Promise<void> {
    if (this.#closed) return;
    try {
      const unsubscribe = await coordination.subscribe(listener);
      if (this.#closed) return await unsubscribe();
      this.#unsubscribe = unsubscribe;
      this.#log.ended('BUS_UNREACHABLE', 'bus', RECEIVED_AGAIN);
      if (again) late();
    } catch (cause) {
      if (this.#closed) return;
      const message = 'Invalidations of other processes cannot be received. The cache retries until it succeeds.';
      if (!isReported(cause)) this.#log.once('warn', 'BUS_UNREACHABLE', 'bus', message, cause);
      this.#clock.after(RETRY_MS, () => void this.#subscribe(coordination, listener, late, true));
    }
  }

  async #send(coordination: Coordination): Promise<void> {
    const message = this.#outbox.take();
    this.#sending = undefined;
    try {
      await coordination.publish(message);
      this.#log.ended('BUS_NOT_SENT', 'bus', SENT_AGAIN);
    } catch (cause) {
      this.#log.once('warn', 'BUS_NOT_SENT', 'bus', notSent(message), cause);
    }
  }
}

/** Returns the text that says what was not sent to the other processes. Writes send keys too, not only invalidations. */
function notSent({ policies, ...names }: BusMessage): string {
  const [what, meanwhile] =
    policies === true && Object.keys(names).length === 0
      ? ['policies were changed', 'they use the former ones']
      : ['entries were written or removed', 'their memory may be outdated'];
  return `The other processes could not be notified that ${what}: ${meanwhile} until the message reaches them. It is sent again.`;
}
