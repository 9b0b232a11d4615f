import { epochDigits } from '../encoding/record-head.js';
import { checkOutcomes, eachWithin } from './each-within.js';
import type { RedisParts } from './redis-parts.js';
import { scripts } from './redis-scripts.js';

const DELETED_AT_ONCE = 500;

/** Deletions by key: each leaves a fence against loads that began before it. */
export class RedisKeyDeletes {
  readonly #redis: RedisParts;

  constructor(redis: RedisParts) {
    this.#redis = redis;
  }

  /** @returns how many existed. */
  async many(keys: readonly string[]): Promise<number> {
    const distinct = [...new Set(keys)];
    if (this.#redis.connection.cluster) return this.#removeApart(distinct);
    const removing: Promise<number>[] = [];
    for (let from = 0; from < distinct.length; from += DELETED_AT_ONCE) {
      removing.push(this.#remove(distinct.slice(from, from + DELETED_AT_ONCE)));
    }
    return sum(await Promise.all(removing));
  }

  async #remove(deleted: readonly string[]): Promise<number> {
    const { connection, keys, announcer } = this.#redis;
    const names = deleted.map((key) => keys.entry(key));
    const fences = names.map((name) => keys.fence(name));
    const message = announcer.argumentsOf({ keys: deleted });
    const all = [keys.state, keys.sweeps, ...names, ...fences];
    const [count, published] = (await scripts.remove.run(connection, all, message)) as [unknown, unknown];
    announcer.sent(published);
    return Number(count);
  }

  async #removeApart(deleted: readonly string[]): Promise<number> {
    const { connection, keys, log } = this.#redis;
    const epoch = epochDigits(await log.next());
    const removing = deleted.map(async (key) => {
      const name = keys.entry(key);
      return Number(await scripts.removeApart.run(connection, [name, keys.fence(name)], [epoch]));
    });
    const outcomes = await eachWithin(removing, this.#redis);
    checkOutcomes(deleted, outcomes);
    return sum(outcomes.map((outcome) => (outcome.failed ? 0 : outcome.value)));
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
