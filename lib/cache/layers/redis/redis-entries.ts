import type { Clock } from '../../clock.js';
import type { Entry } from '../../entry.js';
import { CacheError } from '../../errors.js';
import { globMatcher } from '../../glob.js';
import { BODY_AT, EPOCH_AT, EPOCH_DIGITS, epochDigits, type EntryCodec } from '../encoding/codec.js';
import type { LoadTicket } from '../layer.js';
import { isAsOf } from '../load-ticket.js';
import { RecordBatches } from './record-batches.js';
import type { RedisArgument, RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { pairs, type LedgerState, type RedisLedger } from './redis-ledger.js';
import { FENCE_TTL_MS, scripts } from './redis-scripts.js';
import type { ServerClock } from './server-clock.js';

/** Redis keeps an expiry as a 64-bit sum with its clock; a hundred years are for ever. */
const LONGEST_PX = 3_155_760_000_000;
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

export interface RedisEntriesParts {
  readonly name: string;
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly ledger: RedisLedger;
  readonly codec: EntryCodec;
  readonly serverClock: ServerClock;
  readonly clock: Clock;
  /** A write that reaches the server later than this is not made any more. */
  readonly writeWithinMs: number;
}

interface Asked {
  readonly key: string;
  readonly ticket: LoadTicket | undefined;
  readonly resolve: (entry: Entry | undefined) => void;
  readonly reject: (error: unknown) => void;
}

type Write = readonly [key: string, entry: Entry, ticket?: LoadTicket];

/** Reads and writes of entries, judged by the shared order of invalidations. */
export class RedisEntries {
  readonly #parts: RedisEntriesParts;
  #asked: Asked[] = [];

  constructor(parts: RedisEntriesParts) {
    this.#parts = parts;
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
    const { state, values } = await this.#read(requested);
    if (tickets !== undefined) for (const ticket of tickets) this.#note(state, ticket);
    return requested.map((key, index) => this.#judge(key, values[index], state));
  }

  async set(key: string, entry: Entry, ticket: LoadTicket | undefined): Promise<void> {
    const px = this.#px(entry);
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
      [record.subarray(0, EPOCH_AT), record.subarray(BODY_AT), px, String(latest)],
    );
  }

  async setMany(writes: readonly Write[]): Promise<void> {
    const plain: Write[] = [];
    const writing: Promise<void>[] = [];
    for (const write of writes) {
      const [key, entry, ticket] = write;
      const since = this.#since(entry, ticket);
      const px = this.#px(entry);
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
        ({ state, values }) => {
          for (const [index, { key, ticket, resolve }] of part.entries()) {
            this.#note(state, ticket);
            resolve(this.#judge(key, values[index], state));
          }
        },
        (error: unknown) => {
          for (const { reject } of part) reject(error);
        },
      );
    }
  }

  #judge(key: string, value: unknown, state: LedgerState): Entry | undefined {
    if (!Buffer.isBuffer(value)) return undefined;
    const { codec, serverClock, ledger, clock } = this.#parts;
    const stored = codec.decode(value, serverClock.offset);
    if (stored === undefined) return undefined;
    const { entry, epoch } = stored;
    if (entry.goneAt <= clock.now()) return undefined;
    if (entry.tags.length > 0 && epoch < state.birth) return undefined;
    return ledger.valid(key, entry.tags, epoch) ? entry : undefined;
  }

  #note(state: LedgerState, ticket: LoadTicket | undefined): void {
    const at = this.#parts.serverClock.now();
    ticket?.set(this.#parts.name, { epoch: state.epoch, birth: state.birth, at } satisfies ReadTicket);
  }

  /** Writes with a new epoch, encoded before this returns and sent as few large commands. */
  async #putMany(writes: readonly Write[]): Promise<void> {
    const { connection, keys, codec, serverClock, writeWithinMs } = this.#parts;
    if (connection.cluster) return this.#putManyApart(writes);
    const { offset } = serverClock;
    const batches = new RecordBatches();
    for (const [key, entry] of writes) {
      batches.add(keys.entry(key), codec.encodeInto(batches, entry, offset), this.#px(entry) ?? '1');
    }
    const latest = String(serverClock.now() + writeWithinMs);
    const sending: Promise<unknown>[] = [];
    for (const [names, argv] of batches.commands()) {
      sending.push(scripts.putMany.run(connection, [keys.state, ...names], [latest, ...argv]));
    }
    await allOf(sending);
  }

  /** In a cluster every entry goes to its own node, with one epoch for all: it is fetched while the values are encoded. */
  async #putManyApart(writes: readonly Write[]): Promise<void> {
    const { connection, keys, ledger, codec, serverClock } = this.#parts;
    const next = ledger.next();
    next.catch(() => undefined);
    const commands = writes.map(([key, entry]) => {
      const record = codec.encode(entry, serverClock.offset);
      const px = this.#px(entry) ?? '1';
      return ['SET', keys.entry(key), record, ...(px === '' ? [] : ['PX', px])] as [
        string,
        string,
        Buffer,
        ...string[],
      ];
    });
    const digits = epochDigits(await next);
    const sending: Promise<unknown>[] = [];
    for (const command of commands) {
      command[2].write(digits, EPOCH_AT, EPOCH_DIGITS, 'latin1');
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
      record.subarray(EPOCH_AT, BODY_AT),
      record.subarray(BODY_AT),
      px,
    ];
    if (!ledger.remembers(epoch) || !ledger.valid(key, entry.tags, epoch)) return;
    if (connection.cluster) return this.#putSinceApart(key, entry, epoch, [name, fence], parts);
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
    epoch: number,
    names: readonly [name: string, fence: string],
    parts: readonly RedisArgument[],
  ): Promise<void> {
    const { connection, keys, ledger } = this.#parts;
    if ((await scripts.putSinceApart.run(connection, names, parts)) !== 1) return;
    await this.#stateFor(undefined);
    if (!ledger.valid(key, entry.tags, epoch)) await connection.send(names[0], ['DEL', keys.entry(key)]);
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

  /** Values and state in one round trip, and the news of the ledger where there are any. */
  async #read(requested: readonly string[]): Promise<{ state: LedgerState; values: readonly unknown[] }> {
    const { connection, keys, ledger } = this.#parts;
    const names = requested.map((key) => keys.entry(key));
    let values: unknown[];
    let text: unknown;
    if (connection.cluster) [values, text] = await this.#readApart(names);
    else [text, ...values] = (await connection.send(keys.state, ['MGET', keys.state, ...names])) as unknown[];
    const state = ledger.parse(text) ?? (await ledger.touch());
    if (!ledger.covers(state)) await ledger.sync(state);
    return { state, values };
  }

  async #readApart(names: readonly string[]): Promise<[unknown[], unknown]> {
    const { connection, keys } = this.#parts;
    const [state, ...values] = await Promise.allSettled([
      connection.send(keys.state, ['GET', keys.state]),
      ...names.map((name) => connection.send(name, ['GET', name])),
    ]);
    if (state.status === 'rejected') throw state.reason;
    const failed = values.find((value) => value.status === 'rejected');
    // What the nodes that are left have is used; the rest counts as absent.
    if (failed !== undefined && values.every((value) => value.status === 'rejected')) throw failed.reason;
    return [values.map((value) => (value.status === 'fulfilled' ? value.value : undefined)), state.value];
  }

  /** What is left of the entry's life as a whole number of milliseconds, '' for ever, undefined where nothing is. */
  #px(entry: Entry): string | undefined {
    if (entry.goneAt === Infinity) return '';
    const left = entry.goneAt - this.#parts.clock.now();
    return left > 0 ? String(Math.min(Math.max(Math.ceil(left), 1), LONGEST_PX)) : undefined;
  }
}

/** Waits for all, then rejects with the first failure, so that none goes unheard. */
async function allOf(operations: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(operations)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}
