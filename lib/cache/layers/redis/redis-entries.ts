import type { Entry } from '../../entry.js';
import { CacheError } from '../../errors.js';
import { globMatcher } from '../../glob.js';
import { EPOCH_AT, EPOCH_END, stamp } from '../encoding/record-head.js';
import type { LayerWrite, LoadTicket } from '../layer.js';
import { isAsOf } from '../load-ticket.js';
import { allOf } from './all-of.js';
import { RedisBatchWrites, type BatchWritesParts } from './redis-batch-writes.js';
import type { RedisArgument } from './redis-connection.js';
import { expiryOf } from './redis-expiry.js';
import { pairs, type LedgerState, type RedisLedger } from './redis-ledger.js';
import { FENCE_TTL_MS, scripts } from './redis-scripts.js';

const ATTEMPTS = 20;
const GLOBS_WITHOUT_END = 'Globs are invalidated faster than an entry can be compared with them; it was not written.';
const READ_AT_ONCE = 500;

/** Where in the shared order a read was made. */
interface ReadTicket {
  readonly epoch: number;
  readonly birth: number;
  /** Server's time, milliseconds. */
  readonly at: number;
}

export interface RedisEntriesParts extends BatchWritesParts {
  readonly name: string;
  readonly ledger: RedisLedger;
}

interface Asked {
  readonly key: string;
  readonly ticket: LoadTicket | undefined;
  readonly resolve: (entry: Entry | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads and writes of entries, judged by the shared order of invalidations. */
export class RedisEntries {
  readonly #parts: RedisEntriesParts;
  readonly #batchWrites: RedisBatchWrites;
  #asked: Asked[] = [];

  constructor(parts: RedisEntriesParts) {
    this.#parts = parts;
    this.#batchWrites = new RedisBatchWrites(parts);
  }

  /** While a write of many is half sent. */
  get leaving(): Promise<void> | undefined {
    return this.#batchWrites.leaving;
  }

  /** Reads of one turn of the event loop go as one command: half the work of as many single ones. */
  get(key: string, ticket: LoadTicket | undefined): Promise<Entry | undefined> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ key, ticket, resolve, reject });
      if (this.#asked.length === 1) queueMicrotask(() => this.#answer());
    });
  }

  async getMany(
    requested: readonly string[],
    tickets: readonly LoadTicket[] | undefined,
  ): Promise<(Entry | undefined)[]> {
    if (requested.length === 0) return [];
    const { state, reply } = await this.#read(requested);
    if (tickets !== undefined) for (const ticket of tickets) this.#note(state, ticket);
    const now = this.#parts.clock.now();
    return requested.map((key, index) => this.#judge(key, reply[index + 1], now));
  }

  async set(key: string, entry: Entry, ticket: LoadTicket | undefined): Promise<void> {
    const px = expiryOf(entry, this.#parts.clock.now());
    if (px === undefined) return;
    const since = this.#since(entry, ticket);
    if (since !== undefined) return this.#putSince(key, entry, px, since);
    const { connection, keys, codec, serverClock } = this.#parts;
    if (connection.cluster) return this.#putMany([[key, entry]]);
    const record = codec.encode(entry, serverClock.offset);
    const latest = serverClock.now() + this.#parts.writeWithinMs;
    await scripts.put.run(
      connection,
      [keys.entry(key), keys.state],
      [record.subarray(0, EPOCH_AT), record.subarray(EPOCH_END), px, String(latest)],
    );
  }

  async setMany(writes: readonly LayerWrite[]): Promise<void> {
    const plain: LayerWrite[] = [];
    const writing: Promise<void>[] = [];
    const now = this.#parts.clock.now();
    for (const write of writes) {
      const [key, entry, ticket] = write;
      const since = this.#since(entry, ticket);
      const px = expiryOf(entry, now);
      if (px === undefined) continue;
      if (since === undefined) plain.push(write);
      else writing.push(this.#putSince(key, entry, px, since));
    }
    if (plain.length > 0) writing.push(this.#putMany(plain));
    await allOf(writing);
  }

  /** Since when a loaded value may have become old: its read, or where that failed the begin of its load. */
  #since(entry: Entry, ticket: LoadTicket | undefined): unknown {
    return ticket === undefined ? undefined : (ticket.get(this.#parts.name) ?? { asOf: entry.createdAt });
  }

  #answer(): void {
    const asked = this.#asked;
    this.#asked = [];
    for (let from = 0; from < asked.length; from += READ_AT_ONCE) {
      const part = asked.slice(from, from + READ_AT_ONCE);
      this.#read(part.map(({ key }) => key)).then(
        ({ state, reply }) => {
          const now = this.#parts.clock.now();
          for (let index = 0; index < part.length; index++) {
            const { key, ticket, resolve } = part[index]!;
            if (ticket !== undefined) this.#note(state, ticket);
            resolve(this.#judge(key, reply[index + 1], now));
          }
        },
        (error: unknown) => {
          for (const { reject } of part) reject(error);
        },
      );
    }
  }

  #judge(key: string, value: unknown, now: number): Entry | undefined {
    if (!Buffer.isBuffer(value)) return undefined;
    const { codec, serverClock, ledger } = this.#parts;
    const stored = codec.decode(value, serverClock.offset);
    if (stored === undefined) return undefined;
    const { entry, epoch } = stored;
    if (entry.goneAt <= now) return undefined;
    return ledger.valid(key, entry.tags, epoch) ? entry : undefined;
  }

  #note(state: LedgerState, ticket: LoadTicket): void {
    const at = this.#parts.serverClock.now();
    ticket.set(this.#parts.name, { epoch: state.epoch, birth: state.birth, at } satisfies ReadTicket);
  }

  #putMany(writes: readonly LayerWrite[]): Promise<void> {
    return this.#parts.connection.cluster ? this.#putManyApart(writes) : this.#batchWrites.put(writes);
  }

  /** In a cluster every entry goes to its own node, with one epoch for all: it is fetched while the values are encoded. */
  async #putManyApart(writes: readonly LayerWrite[]): Promise<void> {
    const { connection, keys, ledger, codec, serverClock, clock } = this.#parts;
    const now = clock.now();
    const next = ledger.next();
    next.catch(() => undefined);
    const commands = writes.map(([key, entry]) => {
      const record = codec.encode(entry, serverClock.offset);
      const px = expiryOf(entry, now) ?? '1';
      return ['SET', keys.entry(key), record, ...(px === '' ? [] : ['PX', px])] as [
        string,
        string,
        Buffer,
        ...string[],
      ];
    });
    const epoch = await next;
    const sending: Promise<unknown>[] = [];
    for (const command of commands) {
      stamp(command[2], epoch);
      sending.push(connection.send(command[1], command));
    }
    await allOf(sending);
  }

  /** Writes what was loaded, or made, at an earlier moment, unless anything newer is known. */
  async #putSince(key: string, entry: Entry, px: string, since: unknown): Promise<void> {
    const { connection, keys, ledger, codec, serverClock } = this.#parts;
    const state = await this.#stateFor(since);
    const epoch = isAsOf(since) ? Math.floor((since.asOf + serverClock.offset) * 1000) : (since as ReadTicket).epoch;
    const birth = isAsOf(since) ? state.birth : (since as ReadTicket).birth;
    const at = isAsOf(since) ? since.asOf + serverClock.offset : (since as ReadTicket).at;
    // Fences live so long and no longer: what was loaded, or has waited, since before cannot be judged.
    if (serverClock.now() - at > FENCE_TTL_MS) return;
    const record = codec.encode(entry, serverClock.offset, epoch);
    const name = keys.entry(key);
    const fence = keys.fence(name);
    const parts: RedisArgument[] = [
      record.subarray(0, EPOCH_AT),
      record.subarray(EPOCH_AT, EPOCH_END),
      record.subarray(EPOCH_END),
      px,
    ];
    if (!ledger.remembers(epoch) || !ledger.valid(key, entry.tags, epoch)) return;
    if (connection.cluster) {
      if (birth === state.birth) await this.#putSinceApart(key, entry, { epoch, birth }, [name, fence], parts);
      return;
    }
    let known = state.ledger;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const outcome = await scripts.putSince.run(
        connection,
        [name, fence, keys.state, keys.tags, keys.globs],
        [...parts, String(known), String(birth), ...entry.tags],
      );
      if (!Array.isArray(outcome)) return;
      // Globs that came between, each judged once.
      for (const [glob, noted] of pairs(outcome)) {
        if (noted > epoch && globMatcher(glob)(key)) return;
        known = Math.max(known, noted);
      }
    }
    throw new CacheError('LAYER_UNAVAILABLE', GLOBS_WITHOUT_END);
  }

  /** In a cluster the order of invalidations is on another node: it is looked at again after the write. */
  async #putSinceApart(
    key: string,
    entry: Entry,
    { epoch, birth }: Pick<ReadTicket, 'epoch' | 'birth'>,
    names: readonly [name: string, fence: string],
    parts: readonly RedisArgument[],
  ): Promise<void> {
    const { connection, keys, ledger } = this.#parts;
    if ((await scripts.putSinceApart.run(connection, names, parts)) !== 1) return;
    const state = await this.#stateFor(undefined);
    const kept = state.birth === birth && ledger.remembers(epoch) && ledger.valid(key, entry.tags, epoch);
    if (!kept) await connection.send(names[0], ['DEL', keys.entry(key)]);
  }

  /** The state as it is, with this copy of the ledger brought up to it. */
  async #stateFor(since: unknown): Promise<LedgerState> {
    const { ledger, connection } = this.#parts;
    const known = ledger.known;
    // On one server the script compares; only a first look, or one that failed, asks.
    const state = since !== undefined && known !== undefined && !connection.cluster ? known : await ledger.touch();
    if (!ledger.covers(state)) await ledger.sync(state);
    return state;
  }

  /** State and values in one round trip, in this order, and the news of the ledger where there are any. */
  async #read(requested: readonly string[]): Promise<{ state: LedgerState; reply: readonly unknown[] }> {
    const { connection, keys, ledger } = this.#parts;
    const names = requested.map((key) => keys.entry(key));
    const reply = connection.cluster
      ? await this.#readApart(names)
      : ((await connection.send(keys.state, ['MGET', keys.state, ...names])) as unknown[]);
    const state = ledger.parse(reply[0]) ?? (await ledger.touch());
    if (!ledger.covers(state)) await ledger.sync(state);
    return { state, reply };
  }

  async #readApart(names: readonly string[]): Promise<unknown[]> {
    const { connection, keys } = this.#parts;
    const [state, ...values] = await Promise.allSettled([
      connection.send(keys.state, ['GET', keys.state]),
      ...names.map((name) => connection.send(name, ['GET', name])),
    ]);
    if (state.status === 'rejected') throw state.reason;
    const failed = values.find((value) => value.status === 'rejected');
    // What the nodes that are left have is used; the rest counts as absent.
    if (failed !== undefined && values.every((value) => value.status === 'rejected')) throw failed.reason;
    return [state.value, ...values.map((value) => (value.status === 'fulfilled' ? value.value : undefined))];
  }
}
