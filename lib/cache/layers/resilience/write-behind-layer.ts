import { within } from '../../base/bounded-wait.js';
import type { Clock } from '../../base/clock.js';
import { counted } from '../../base/counted.js';
import type { Entry } from '../../entries/entry.js';
import { globMatcher } from '../../base/glob.js';
import { CircuitState, Result } from '../../base/observer.js';
import type { SharedMap, Coordination, Layer, LayerEvents, LayerStatus, LayerWrite, ServerInfo } from '../layer.js';
import { isRefusal } from './layer-refusal.js';
import { ticketAsOf } from '../load-ticket.js';
import { WriteQueue, type QueuedWrite } from './write-queue.js';
import type { LoadTicket } from '../load-ticket.js';

export interface WriteBehindSettings {
  readonly maxQueue: number;
  readonly maxQueueBytes: number;
  readonly batchSize: number;
  readonly flushEveryMs: number;
  readonly drainWithinMs: number;
}

const RETRY_MS = 500;

/** A layer that remembers deletions, and can forget one after a later write of the key. */
interface Remembering extends Layer {
  superseded?(key: string): void;
}

/**
 * A layer whose writes wait in a queue and are sent in batches, so that no caller waits for them. Readers in this process get waiting
 * values. An invalidation removes the writes it concerns from the queue, waits until a running batch has been sent, and only then goes to
 * the layer, so that no older write follows it.
 */
export class WriteBehindLayer implements Layer {
  readonly name: string;
  readonly shared: boolean;
  readonly spread: boolean | undefined;
  readonly coordination?: Coordination;
  readonly serverInfo?: () => Promise<ServerInfo | null>;
  readonly sharedMap?: (name: string, everyVersion?: boolean) => SharedMap;
  readonly #inner: Remembering;
  readonly #settings: WriteBehindSettings;
  readonly #clock: Clock;
  readonly #events: LayerEvents;
  readonly #queue: WriteQueue;
  /** The writes that are being sent, by key. An invalidation removes its keys, so that a failed batch does not queue them again. */
  readonly #sending = new Map<string, QueuedWrite>();
  #batch: Promise<unknown> | undefined;
  #flushing: Promise<void> | undefined;
  #cancelFlush: (() => void) | undefined;
  #dropped = 0;
  #closed = false;

  constructor(inner: Remembering, settings: WriteBehindSettings, clock: Clock, events: LayerEvents) {
    this.name = inner.name;
    this.shared = inner.shared;
    this.spread = inner.spread;
    this.#inner = inner;
    this.#settings = settings;
    this.#clock = clock;
    this.#events = events;
    this.#queue = new WriteQueue(settings.maxQueue, settings.maxQueueBytes);
    if (inner.coordination !== undefined) this.coordination = inner.coordination;
    if (inner.serverInfo !== undefined) this.serverInfo = () => inner.serverInfo!();
    if (inner.sharedMap !== undefined) this.sharedMap = (name, everyVersion) => inner.sharedMap!(name, everyVersion);
  }

  get server(): unknown {
    return this.#inner.server;
  }

  get(key: string, ticket?: LoadTicket): Entry | Promise<Entry | undefined> | undefined {
    return this.#waiting(key) ?? this.#inner.get(key, ticket);
  }

  async getMany(
    keys: readonly string[],
    tickets?: readonly LoadTicket[],
    unanswered?: Set<string>,
    calls?: number,
  ): Promise<(Entry | undefined)[]> {
    const entries = keys.map((key) => this.#waiting(key));
    const absent = [...keys.keys()].filter((index) => entries[index] === undefined);
    if (absent.length === 0) return entries;
    const found = await this.#inner.getMany(
      absent.map((index) => keys[index]!),
      tickets && absent.map((index) => tickets[index]!),
      unanswered,
      calls,
    );
    for (const [turn, index] of absent.entries()) entries[index] = found[turn];
    return entries;
  }

  set(key: string, entry: Entry, ticket?: LoadTicket): void | Promise<void> {
    if (this.#closed) return this.#inner.set(key, entry, ticket);
    this.#enqueue(key, entry, ticket);
  }

  setMany(entries: readonly LayerWrite[], calls?: number): void | Promise<void> {
    if (this.#closed) return this.#inner.setMany(entries, calls);
    for (const [key, entry, ticket] of entries) this.#enqueue(key, entry, ticket);
  }

  async delete(key: string): Promise<boolean> {
    const waited = this.#waiting(key) !== undefined;
    await this.#cancel((write) => write.key === key);
    return (await this.#inner.delete(key)) || waited;
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    const doomed = new Set(keys);
    const waiting = [...doomed].filter((key) => this.#queue.get(key) !== undefined);
    const others = [...doomed].filter((key) => this.#queue.get(key) === undefined);
    await this.#cancel(({ key }) => doomed.has(key));
    const [removed] = await Promise.all([this.#inner.deleteMany(others), this.#inner.deleteMany(waiting)]);
    return removed + waiting.length;
  }

  /** Counts waiting writes as removed, even if the layer had no older value. */
  async deleteByPattern(glob: string): Promise<number> {
    const matches = globMatcher(glob);
    const waiting = [...this.#queue.keys()].filter(matches);
    await this.#cancel(({ key }) => matches(key));
    return (await this.#inner.deleteByPattern(glob)) + waiting.length;
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    const doomed = new Set(tags);
    const replaced: string[] = [];
    await this.#cancel((write) => {
      if (!write.entry.tags.some((tag) => doomed.has(tag))) return false;
      if (write.explicit) replaced.push(write.key);
      return true;
    });
    // The layer may hold an older value of the key with other tags.
    await Promise.all([
      this.#inner.invalidateTags(tags),
      replaced.length > 0 ? this.#inner.deleteMany(replaced) : undefined,
    ]);
  }

  async clear(): Promise<void> {
    await this.#cancel(() => true);
    await this.#inner.clear();
  }

  async *keys(glob: string): AsyncGenerator<readonly string[]> {
    const matches = globMatcher(glob);
    const waiting = [...this.#sending.keys(), ...this.#queue.keys()].filter(
      (key) => matches(key) && this.#waiting(key) !== undefined,
    );
    const known = new Set(waiting);
    if (known.size > 0) yield [...known];
    for await (const batch of this.#inner.keys(glob)) {
      const others = batch.filter((key) => !known.has(key));
      if (others.length > 0) yield others;
    }
  }

  async connect(): Promise<void> {
    await this.#inner.connect?.();
  }

  async disconnect(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#drain();
    const left = this.#queue.depth + this.#sending.size;
    if (left > 0) {
      this.#dropped += left;
      this.#events.writeDropped(left);
      this.#events.log(
        'warn',
        'WRITES_LOST',
        `Layer '${this.name}' was closed before ${counted(left, 'waiting write')} could reach it.`,
      );
    }
    this.#queue.clear();
    this.#sending.clear();
    this.#events.queueDepth(0);
    await this.#inner.disconnect();
  }

  status(): LayerStatus {
    return {
      ...this.#inner.status(),
      queueDepth: this.#queue.depth + this.#sending.size,
      writesDropped: this.#dropped,
    };
  }

  /** Returns the waiting entry for a reader in this process. */
  #waiting(key: string): Entry | undefined {
    const entry = (this.#queue.get(key) ?? this.#sending.get(key))?.entry;
    return entry !== undefined && entry.removeAt > this.#clock.now() ? entry : undefined;
  }

  #enqueue(key: string, entry: Entry, ticket: LoadTicket | undefined): void {
    const dropped = this.#queue.add({
      key,
      entry,
      // When the write is sent, another process may have replaced or invalidated older entries. The ticket keeps the order.
      ticket: ticket ?? ticketAsOf(this.name, this.#clock.now()),
      explicit: ticket === undefined,
    });
    if (ticket === undefined) this.#inner.superseded?.(key);
    this.#drop(dropped);
    this.#tellDepth();
    this.#flushLater(this.#settings.flushEveryMs);
  }

  #drop(dropped: readonly QueuedWrite[]): void {
    if (dropped.length === 0) return;
    this.#dropped += dropped.length;
    this.#events.writeDropped(dropped.length);
    this.#forgetReplaced(dropped);
  }

  /**
   * Deletes the keys of values that were set and not sent, because the values they replaced must not be read again. A layer that cannot be
   * reached remembers the deletion.
   */
  #forgetReplaced(writes: readonly QueuedWrite[]): void {
    const replaced = writes.filter(({ explicit }) => explicit).map(({ key }) => key);
    if (replaced.length > 0) Promise.resolve(this.#inner.deleteMany(replaced)).catch(() => undefined);
  }

  /** Removes matching writes from the queue. Resolves when a running batch with such a write has been sent. */
  async #cancel(matches: (write: QueuedWrite) => boolean): Promise<void> {
    const removed = this.#queue.removeWhere(matches);
    let underWay = false;
    for (const write of this.#sending.values()) {
      if (!matches(write)) continue;
      this.#sending.delete(write.key);
      underWay = true;
    }
    if (removed > 0 || underWay) this.#tellDepth();
    if (underWay) await this.#batch;
  }

  #flushLater(delayMs: number): void {
    if (this.#cancelFlush !== undefined || this.#flushing !== undefined || this.#closed) return;
    this.#cancelFlush = this.#clock.after(delayMs, () => {
      this.#cancelFlush = undefined;
      void this.#flush();
    });
  }

  /** Sends the queue. Never rejects. */
  #flush(): Promise<void> {
    return (this.#flushing ??= this.#flushAll().finally(() => {
      this.#flushing = undefined;
      if (this.#queue.depth > 0) this.#flushLater(RETRY_MS);
    }));
  }

  async #flushAll(): Promise<void> {
    while (this.#queue.depth > 0 && this.#reachable) {
      const now = this.#clock.now();
      const taken = this.#queue.take(this.#settings.batchSize);
      const batch = taken.filter(({ entry }) => entry.removeAt > now);
      this.#forgetReplaced(taken.filter(({ entry }) => entry.removeAt <= now));
      for (const write of batch) this.#sending.set(write.key, write);
      const sending = batch.length === 0 ? Promise.resolve(true) : this.#send(batch, now);
      this.#batch = sending;
      const sent = await sending;
      this.#tellDepth();
      if (!sent) return;
    }
  }

  /** Sends one batch. Never rejects. @returns false if the next attempt must wait. */
  async #send(batch: readonly QueuedWrite[], startedAt: number): Promise<boolean> {
    try {
      await this.#inner.setMany(batch.map(({ key, entry, ticket }) => [key, entry, ticket] as const));
      this.#sending.clear();
      this.#events.asyncWrite(Result.ok, this.#clock.now() - startedAt, batch.length);
      return true;
    } catch (error) {
      const failed = [...this.#sending.values()];
      this.#sending.clear();
      this.#events.asyncWrite(Result.error, this.#clock.now() - startedAt, batch.length);
      if (isRefusal(error)) this.#drop(failed);
      else this.#drop(this.#queue.restore(failed));
      return isRefusal(error);
    }
  }

  get #reachable(): boolean {
    return this.#inner.status().circuitState === CircuitState.closed;
  }

  async #drain(): Promise<void> {
    this.#cancelFlush?.();
    if (this.#queue.depth === 0 && this.#flushing === undefined) return;
    const draining = (this.#flushing ?? Promise.resolve()).then(() => this.#flush());
    await within(draining, this.#settings.drainWithinMs, this.#clock);
  }

  #tellDepth(): void {
    this.#events.queueDepth(this.#queue.depth + this.#sending.size);
  }
}
