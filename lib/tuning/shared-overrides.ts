import { TIMED_OUT, within } from '../cache/base/bounded-wait.js';
import type { Clock } from '../cache/base/clock.js';
import type { OnceLog } from '../cache/base/once-log.js';
import { redactedMessage } from '../cache/base/redacted-error.js';
import { isReported } from '../cache/base/reported-errors.js';
import type { SharedMap } from '../cache/layers/layer.js';
import { bytesOf, type OverrideRecord, recordIn, slotOf } from './override-record.js';

/*
 * Keeps the records of all overrides, the same in every process. For each pattern the latest record takes precedence, even if it ends
 * an override. So processes that wrote while they were disconnected agree once they are connected, in whatever order they read. If a
 * record is missing in the shared map, its server has lost it, and the processes that have the record write it again.
 */

/** The maximum number of records; the latest are kept. */
const MAX_RECORDS = 500;
/** How long a record stays in the shared map without renewal, milliseconds. */
const KEEP_MS = 30 * 86_400_000;
const RENEW_MS = 86_400_000;
/** How often the records of other processes are read without a message about them, milliseconds. */
const READ_EVERY_MS = 15_000;
const WRITE_WITHIN_MS = 2_000;

const READ_AGAIN = {
  code: 'POLICIES_READ',
  message: 'Overridden policies of other processes are read again.',
} as const;
const SHARED_AGAIN = {
  code: 'POLICY_SHARED',
  message: 'Overridden policies reach the other processes again.',
} as const;

interface Held {
  readonly record: OverrideRecord;
  /** When this process last wrote the record or found it in the shared map; undefined if it must be written. */
  sharedAt: number | undefined;
}

export interface SharedOverridesOptions {
  /** Undefined if no layer is shared: then the records exist only in this process. */
  readonly map: SharedMap | undefined;
  readonly clock: Clock;
  readonly log: OnceLog;
  /** Notifies other processes of new records. */
  readonly announce: () => void;
  /** Called for a record that another process wrote, or that was found at the start. */
  readonly received: (record: OverrideRecord) => void;
}

export class SharedOverrides {
  readonly #options: SharedOverridesOptions;
  readonly #held = new Map<string, Held>();
  #reading: Promise<void> | undefined;
  #again = false;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(options: SharedOverridesOptions) {
    this.#options = options;
  }

  /** True if records reach other processes. */
  get shared(): boolean {
    return this.#options.map !== undefined;
  }

  of(subject: Pick<OverrideRecord, 'pattern' | 'kind'>): OverrideRecord | undefined {
    return this.#held.get(slotOf(subject))?.record;
  }

  /** True if the shared map has the record. */
  reached(subject: Pick<OverrideRecord, 'pattern' | 'kind'>): boolean {
    return this.shared && this.#held.get(slotOf(subject))?.sharedAt !== undefined;
  }

  get records(): OverrideRecord[] {
    return [...this.#held.values()].map(({ record }) => record);
  }

  /** Stores a record and publishes it. Resolves when publishing has succeeded or failed. It is retried after a failure. */
  async put(record: OverrideRecord): Promise<void> {
    const held: Held = { record, sharedAt: undefined };
    this.#hold(slotOf(record), held);
    await this.#write(held);
  }

  /** Starts to read the records of others, at once and then regularly. Never rejects. */
  start(): Promise<void> {
    if (this.#options.map === undefined) return Promise.resolve();
    this.#plan();
    return this.refresh();
  }

  /** Reads the records of others, one reading at a time. Never rejects. */
  refresh(): Promise<void> {
    const { map } = this.#options;
    if (map === undefined || this.#closed) return Promise.resolve();
    if (this.#reading !== undefined) this.#again = true;
    return (this.#reading ??= this.#read(map).finally(() => {
      this.#reading = undefined;
      if (!this.#again) return;
      this.#again = false;
      void this.refresh();
    }));
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  #plan(): void {
    if (this.#closed) return;
    this.#cancel = this.#options.clock.after(READ_EVERY_MS, () => {
      this.#plan();
      void this.refresh();
    });
  }

  async #read(map: SharedMap): Promise<void> {
    const { clock, log } = this.#options;
    try {
      const notes = await map.readAll();
      const now = clock.now();
      log.ended('POLICIES_NOT_READ', 'tuning', READ_AGAIN);
      for (const [slot, bytes] of notes) this.#merge(slot, recordIn(bytes, slot, now), now);
      for (const [slot, held] of this.#held) {
        if (!notes.has(slot) || now - (held.sharedAt ?? 0) > RENEW_MS) held.sharedAt = undefined;
        if (held.record.change === null && now - held.record.setAt > KEEP_MS) this.#held.delete(slot);
      }
      const unwritten = [...this.#held.values()].filter(({ sharedAt }) => sharedAt === undefined);
      for (const held of unwritten) await this.#write(held);
    } catch (cause) {
      if (this.#closed || isReported(cause)) return;
      const message = `Overridden policies of other processes cannot be read; those already read stay in force. ${redactedMessage(cause)}`;
      log.once('warn', 'POLICIES_NOT_READ', 'tuning', message);
    }
  }

  #merge(slot: string, record: OverrideRecord | undefined, now: number): void {
    const { log, received } = this.#options;
    if (record === undefined) {
      log.once('warn', 'POLICY_REFUSED', 'tuning', 'An overridden policy in Redis is invalid and is ignored.');
      return;
    }
    const known = this.#held.get(slot);
    if (known !== undefined && known.record.setAt >= record.setAt) {
      if (known.record.setAt === record.setAt) known.sharedAt ??= now;
      return;
    }
    this.#hold(slot, { record, sharedAt: now });
    received(record);
  }

  async #write(held: Held): Promise<void> {
    const { map, clock, log, announce } = this.#options;
    if (map === undefined) return;
    try {
      const writing = map.publish(slotOf(held.record), bytesOf(held.record), KEEP_MS);
      if ((await within(writing, WRITE_WITHIN_MS, clock)) === TIMED_OUT) throw new Error('It took too long.');
      held.sharedAt = clock.now();
      log.ended('POLICY_NOT_SHARED', 'tuning', SHARED_AGAIN);
      announce();
    } catch (cause) {
      const message = `An overridden policy could not be published to the other processes. Publishing is tried again. ${redactedMessage(cause)}`;
      if (!this.#closed) log.once('warn', 'POLICY_NOT_SHARED', 'tuning', message);
    }
  }

  #hold(slot: string, held: Held): void {
    this.#held.delete(slot);
    this.#held.set(slot, held);
    while (this.#held.size > MAX_RECORDS) this.#held.delete(this.#held.keys().next().value!);
  }
}
