import type { Entry } from '../../entries/entry.js';
import { epochDigits, stamp } from '../encoding/record-head.js';
import {
  type BatchArguments,
  batchArguments,
  inBatches,
  RecordBatches,
  type RecordBatch,
  stampEach,
} from '../encoding/record-batches.js';
import type { LayerWrite } from '../layer.js';
import { OverdueWrite } from '../resilience/overdue-write.js';
import { checkOutcomes, eachWithin } from './each-within.js';
import { expiryOf } from './redis-expiry.js';
import type { RedisParts } from './redis-parts.js';
import { scripts } from './redis-scripts.js';

/** The result of `scripts.put` if it came too late and wrote nothing. */
const TOO_LATE = 0;
/** The result of `scripts.put` if this process must send the message, because another process may listen by now. */
const NOT_SENT = 3;

interface Waiting {
  readonly key: string;
  readonly entry: Entry;
  /** See {@link expiryOf}. */
  readonly px: string;
  /** After this time the script refuses the write. Milliseconds of the server's clock. */
  readonly latest: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Encoded {
  readonly write: Waiting;
  readonly px: string;
  readonly record: Buffer;
}

/**
 * Writes values that callers set. Each gets a new epoch, which is newer than that of any running load. Single writes of one turn of the
 * event loop are sent together. A large batch is sent in parts, so that the server works on one part while the next is encoded.
 */
export class RedisWrites {
  readonly #redis: RedisParts;
  #waiting: Waiting[] = [];
  #leaving: Promise<void> | undefined;

  constructor(redis: RedisParts) {
    this.#redis = redis;
  }

  /** Pending while a batch is partly sent. Later writes and invalidations wait for it, so that they arrive after the whole batch. */
  get leaving(): Promise<void> | undefined {
    return this.#leaving;
  }

  put(key: string, entry: Entry): Promise<void> {
    const px = expiryOf(entry, this.#redis.clock.now());
    if (px === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const latest = this.#redis.serverClock.now() + this.#redis.deadlineMs;
      this.#waiting.push({ key, entry, px, latest, resolve, reject });
      if (this.#waiting.length === 1) queueMicrotask(() => this.flush());
    });
  }

  putMany(writes: readonly LayerWrite[]): Promise<void> {
    this.flush();
    const now = this.#redis.clock.now();
    const left = writes.filter(([, entry]) => expiryOf(entry, now) !== undefined);
    if (left.length === 0) return Promise.resolve();
    return this.#redis.connection.cluster ? this.#putApart(left) : this.#putBatches(left);
  }

  /** Sends the writes that wait for the end of the turn at once. */
  flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    if (this.#redis.connection.cluster) return this.#sendApart(waiting);
    const encoded: Encoded[] = [];
    for (const write of waiting) {
      try {
        const record = this.#redis.codec.encodeUnstamped(write.entry, this.#redis.serverClock.offset);
        encoded.push({ write, px: write.px, record });
      } catch (error) {
        write.reject(error);
      }
    }
    for (const batch of inBatches(encoded)) {
      const { keys } = this.#redis;
      const written = batch.map(({ write }) => write.key);
      const names = written.map((key) => keys.entry(key));
      this.#run(names, written, batchArguments(batch), batch[0]!.write.latest).then(
        () => batch.forEach(({ write }) => write.resolve()),
        (error: unknown) => batch.forEach(({ write }) => write.reject(error)),
      );
    }
  }

  async #putBatches(writes: readonly LayerWrite[]): Promise<void> {
    const { keys, codec, serverClock, clock, deadlineMs } = this.#redis;
    const { offset } = serverClock;
    const now = clock.now();
    const latest = serverClock.now() + deadlineMs;
    const batches = new RecordBatches();
    const sending: Promise<unknown>[] = [];
    let left: (() => void) | undefined;
    let batched: string[] = [];
    try {
      for (const [key, entry] of writes) {
        batches.add(keys.entry(key), codec.encodeInto(batches, entry, offset), expiryOf(entry, now) ?? '1');
        const full = batches.takeFull();
        if (full !== undefined) {
          left ??= this.#leave();
          sending.push(this.#sendBatch(full, batched, latest));
          batched = [];
          await new Promise((resolve) => setImmediate(resolve));
        }
        batched.push(key);
      }
      const last = batches.takeLast();
      if (last !== undefined) sending.push(this.#sendBatch(last, batched, latest));
    } finally {
      left?.();
    }
    for (const outcome of await Promise.allSettled(sending)) {
      if (outcome.status === 'rejected') throw outcome.reason;
    }
  }

  #leave(): () => void {
    let leave = () => {};
    this.#leaving = new Promise((resolve) => (leave = resolve));
    return () => {
      this.#leaving = undefined;
      leave();
    };
  }

  #sendBatch(
    { names, records, lengths, expiries }: RecordBatch,
    batched: readonly string[],
    latest: number,
  ): Promise<void> {
    const sent = this.#run(names, batched, [records, lengths, ...expiries], latest);
    // Awaited after all batches are sent. Until then, a rejection must not count as unhandled.
    sent.catch(() => undefined);
    return sent;
  }

  async #run(
    names: readonly string[],
    written: readonly string[],
    [records, lengths, ...expiries]: BatchArguments,
    latest: number,
  ): Promise<void> {
    const { connection, keys, log, announcer, bus, serverClock } = this.#redis;
    const epoch = epochDigits(serverClock.nextEpoch());
    stampEach(records, lengths, epoch);
    const { known } = log;
    const message = { keys: written };
    const [own, text] = announcer.argumentsOf(known?.listener === bus.listener ? undefined : message);
    const sender = announcer.active ? String(bus.listener) : '';
    const argv = [
      String(Math.ceil(latest)),
      own,
      text,
      sender,
      epoch,
      known?.tail ?? '',
      records,
      lengths,
      ...expiries,
    ];
    const reply = await scripts.put.run(connection, [keys.state, keys.sweeps, ...names], argv);
    const [published, state] = Array.isArray(reply) ? (reply as readonly unknown[]) : [reply];
    if (state !== undefined) log.parse(state);
    if (Number(published) === TOO_LATE) throw new OverdueWrite();
    announcer.sent(published);
    // If sending fails now, the bus sends the message later.
    if (Number(published) === NOT_SENT) await bus.publish(message).catch(() => undefined);
  }

  #sendApart(waiting: readonly Waiting[]): void {
    const sending = this.#setApart(waiting.map(({ key, entry }) => [key, entry] as const));
    waiting.forEach(({ resolve, reject }, index) => sending[index]!.then(resolve, reject));
  }

  async #putApart(writes: readonly LayerWrite[]): Promise<void> {
    const outcomes = await eachWithin(this.#setApart(writes), this.#redis);
    checkOutcomes(
      writes.map(([key]) => key),
      outcomes,
    );
  }

  /** Sends each entry to its own node of a cluster. All entries get one epoch, which is fetched while the first value is encoded. */
  #setApart(writes: readonly LayerWrite[]): Promise<void>[] {
    const { connection, keys, log, codec, serverClock, clock } = this.#redis;
    const now = clock.now();
    const next = log.next();
    next.catch(() => undefined);
    return writes.map(async ([key, entry]) => {
      const record = codec.encodeUnstamped(entry, serverClock.offset);
      const px = expiryOf(entry, now) ?? '1';
      stamp(record, epochDigits(await next));
      const name = keys.entry(key);
      await connection.send(name, ['SET', name, record, ...(px === '' ? [] : ['PX', px])]);
    });
  }
}
