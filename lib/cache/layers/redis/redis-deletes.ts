import { epochDigits } from '../encoding/record-head.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import type { RedisLedger } from './redis-ledger.js';
import { scripts } from './redis-scripts.js';

const DELETED_AT_ONCE = 500;

/** Deletions by key: each leaves a fence against loads that began before it. */
export class RedisDeletes {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #ledger: RedisLedger;

  constructor(connection: RedisConnection, keys: RedisKeys, ledger: RedisLedger) {
    this.#connection = connection;
    this.#keys = keys;
    this.#ledger = ledger;
  }

  /** @returns how many there were. */
  async many(keys: readonly string[]): Promise<number> {
    const names = [...new Set(keys)].map((key) => this.#keys.entry(key));
    const counts = await Promise.all(this.#connection.cluster ? await this.#removeApart(names) : this.#remove(names));
    return counts.reduce<number>((total, count) => total + Number(count), 0);
  }

  #remove(names: readonly string[]): Promise<unknown>[] {
    const removing: Promise<unknown>[] = [];
    for (let from = 0; from < names.length; from += DELETED_AT_ONCE) {
      const pairs = names.slice(from, from + DELETED_AT_ONCE).flatMap((name) => [name, this.#keys.fence(name)]);
      removing.push(scripts.remove.run(this.#connection, [this.#keys.state, ...pairs], []));
    }
    return removing;
  }

  async #removeApart(names: readonly string[]): Promise<Promise<unknown>[]> {
    const epoch = epochDigits(await this.#ledger.next());
    return names.map((name) => scripts.removeApart.run(this.#connection, [name, this.#keys.fence(name)], [epoch]));
  }
}
