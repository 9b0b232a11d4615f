import type { Clock } from '../../clock.js';
import type { EntryCodec } from '../encoding/codec.js';
import type { LayerWrite } from '../layer.js';
import { allOf } from './all-of.js';
import { RecordBatches, type RecordBatch } from '../encoding/record-batches.js';
import type { RedisConnection } from './redis-connection.js';
import { expiryOf } from './redis-expiry.js';
import type { RedisKeys } from './redis-keys.js';
import { scripts } from './redis-scripts.js';
import type { ServerClock } from './server-clock.js';

export interface BatchWritesParts {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly codec: EntryCodec;
  readonly serverClock: ServerClock;
  readonly clock: Clock;
  /** A write that reaches the server later than this is not made any more. */
  readonly writeWithinMs: number;
}

/**
 * Writes of many entries to one server. A batch leaves as soon as it is full and the event loop has its turn, so that the
 * server works on it while the next is being encoded.
 */
export class RedisBatchWrites {
  readonly #parts: BatchWritesParts;
  #leaving: Promise<void> | undefined;

  constructor(parts: BatchWritesParts) {
    this.#parts = parts;
  }

  /** While a write is half sent: whoever writes waits for the rest, so that what was asked for later arrives later. */
  get leaving(): Promise<void> | undefined {
    return this.#leaving;
  }

  /** Each batch gets a new epoch. Not made where it reaches the server too late, counted from this call. */
  async put(writes: readonly LayerWrite[]): Promise<void> {
    const { keys, codec, serverClock, clock, writeWithinMs } = this.#parts;
    const { offset } = serverClock;
    const now = clock.now();
    const latest = String(serverClock.now() + writeWithinMs);
    const batches = new RecordBatches();
    const sending: Promise<unknown>[] = [];
    let left: (() => void) | undefined;
    try {
      for (const [key, entry] of writes) {
        batches.add(keys.entry(key), codec.encodeInto(batches, entry, offset), expiryOf(entry, now) ?? '1');
        const full = batches.takeFull();
        if (full === undefined) continue;
        left ??= this.#leave();
        sending.push(this.#send(full, latest));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const last = batches.takeLast();
      if (last !== undefined) sending.push(this.#send(last, latest));
    } finally {
      left?.();
    }
    await allOf(sending);
  }

  #leave(): () => void {
    let leave = () => {};
    this.#leaving = new Promise((resolve) => (leave = resolve));
    return () => {
      this.#leaving = undefined;
      leave();
    };
  }

  #send({ names, records, lengths, expiries }: RecordBatch, latest: string): Promise<unknown> {
    const { connection, keys } = this.#parts;
    const sent = scripts.putMany.run(connection, [keys.state, ...names], [latest, records, lengths, ...expiries]);
    // Heard once all have left.
    sent.catch(() => undefined);
    return sent;
  }
}
