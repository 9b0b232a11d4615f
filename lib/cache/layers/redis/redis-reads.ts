import type { Entry } from '../../entries/entry.js';
import type { Stored } from '../encoding/codec.js';
import type { LoadTicket } from '../load-ticket.js';
import { ReadBudget } from '../../base/read-budget.js';
import { eachWithin } from './each-within.js';
import { stateIn, type InvalidationState } from './redis-invalidation-log.js';
import type { RedisParts } from './redis-parts.js';

/** The most keys in one command. More keys would block the server, and the first answers would wait for the last. */
const READ_AT_ONCE = 500;

/** The epoch of a read in the order of invalidations, and what was found. */
export class ReadMoment {
  constructor(
    readonly epoch: number,
    readonly generation: number,
    /** The server's time, milliseconds. */
    readonly at: number,
    /** True if the key existed, with any value. */
    readonly present: boolean,
    /** The epoch of the entry that was found. */
    readonly found: number | undefined,
  ) {}
}

/** The facts by which the entries in one answer are judged as valid or not. */
interface Answer {
  readonly state: InvalidationState;
  readonly budget: ReadBudget;
  /** When the answer came: the server's time, milliseconds. */
  readonly at: number;
}

interface Waiting {
  readonly key: string;
  readonly ticket: LoadTicket | undefined;
  readonly turn: number;
  readonly resolve: (entry: Entry | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads entries. The same command returns the state of the namespace, which determines whether each entry is still valid. Reads of one turn
 * of the event loop are sent as one command, which is half the work of separate commands. In a cluster each key is read from its own node,
 * and each read is answered when its node has answered.
 */
export class RedisReads {
  readonly #redis: RedisParts;
  #waiting: Waiting[] = [];

  constructor(redis: RedisParts) {
    this.#redis = redis;
  }

  get(key: string, ticket: LoadTicket | undefined): Promise<Entry | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, ticket, turn: ticket?.turn ?? 0, resolve, reject });
      if (this.#waiting.length === 1) queueMicrotask(() => this.#send());
    });
  }

  async getMany(
    keys: readonly string[],
    tickets: readonly LoadTicket[] | undefined,
    unanswered: Set<string> | undefined,
  ): Promise<(Entry | undefined)[]> {
    if (keys.length === 0) return [];
    if (this.#redis.connection.cluster) return this.#getApart(keys, tickets, unanswered);
    const turns = tickets?.map(({ turn }) => turn);
    const { state, values } = await this.#read(keys);
    const answer = this.#answer(state);
    return keys.map((key, index) => this.#judge(key, values[index + 1], answer, tickets?.[index], turns?.[index]));
  }

  #send(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (this.#redis.connection.cluster) return this.#sendApart(waiting);
    for (let from = 0; from < waiting.length; from += READ_AT_ONCE) {
      void this.#sendTogether(waiting.slice(from, from + READ_AT_ONCE));
    }
  }

  async #sendTogether(waiting: readonly Waiting[]): Promise<void> {
    try {
      const { state, values } = await this.#read(waiting.map(({ key }) => key));
      const answer = this.#answer(state);
      for (let index = 0; index < waiting.length; index++) {
        const { key, ticket, turn, resolve } = waiting[index]!;
        resolve(this.#judge(key, values[index + 1], answer, ticket, turn));
      }
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  /** Reads state and values in one round trip, in this order, and new invalidations if there are any. */
  async #read(keys: readonly string[]): Promise<{ state: InvalidationState; values: readonly unknown[] }> {
    const { connection, keys: names, log } = this.#redis;
    const asked = ['MGET', names.state, ...keys.map((key) => names.entry(key))];
    const values = (await connection.send(names.state, asked)) as unknown[];
    const state = log.parse(values[0]);
    return { state: state !== undefined && log.covers(state) ? state : await log.current(values[0]), values };
  }

  #sendApart(waiting: readonly Waiting[]): void {
    const state = this.#stateApart();
    const budget = new ReadBudget();
    for (const { key, ticket, turn, resolve, reject } of waiting) {
      this.#readApart(key, state, ticket, turn, budget).then(resolve, reject);
    }
  }

  async #getApart(
    keys: readonly string[],
    tickets: readonly LoadTicket[] | undefined,
    unanswered: Set<string> | undefined,
  ): Promise<(Entry | undefined)[]> {
    const state = this.#stateApart();
    const budget = new ReadBudget();
    const reading = keys.map((key, index) =>
      this.#readApart(key, state, tickets?.[index], tickets?.[index]?.turn, budget),
    );
    const answers = await eachWithin(reading, this.#redis);
    return answers.map((answer, index) => {
      if (!answer.failed) return answer.value;
      unanswered?.add(keys[index]!);
      return undefined;
    });
  }

  async #stateApart(): Promise<InvalidationState> {
    const { connection, keys, log } = this.#redis;
    return log.current(await stateIn(connection, keys));
  }

  async #readApart(
    key: string,
    reading: Promise<InvalidationState>,
    ticket: LoadTicket | undefined,
    turn: number | undefined,
    budget: ReadBudget,
  ): Promise<Entry | undefined> {
    const { connection, keys } = this.#redis;
    const name = keys.entry(key);
    // Unlike GET, MGET returns nil for keys of other types.
    const [state, values] = await Promise.all([reading, connection.send(name, ['MGET', name])]);
    return this.#judge(key, (values as unknown[])[0], this.#answer(state, budget), ticket, turn);
  }

  #answer(state: InvalidationState, budget = new ReadBudget()): Answer {
    return { state, budget, at: this.#redis.serverClock.now() };
  }

  #judge(
    key: string,
    value: unknown,
    { state, budget, at }: Answer,
    ticket: LoadTicket | undefined,
    turn: number | undefined,
  ): Entry | undefined {
    const stored = Buffer.isBuffer(value) ? this.#stored(key, value, budget) : undefined;
    if (ticket !== undefined) {
      const { epoch, generation } = state;
      ticket.note(this.#redis.name, new ReadMoment(epoch, generation, at, Buffer.isBuffer(value), stored?.epoch), turn);
    }
    return stored?.entry;
  }

  #stored(key: string, value: Buffer, budget: ReadBudget): Stored | undefined {
    const { codec, serverClock, clock, log } = this.#redis;
    const now = clock.now();
    const stored = codec.decode(value, serverClock.offset, now, budget);
    if (stored === undefined || stored.entry.removeAt <= now) return undefined;
    return log.valid(key, stored.entry.tags, stored.epoch) ? stored : undefined;
  }
}
