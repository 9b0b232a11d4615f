import type { Clock } from '../../clock.js';
import { globMatcher } from '../../glob.js';
import { withDeadline } from '../resilience/deadline.js';
import type { RedisConnection, RedisNode } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { scripts } from './redis-scripts.js';

const COUNT = '1000';

/** Walks the namespace step by step on every master, so that no step blocks a server. */
export class RedisScan {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #step: <T>(operation: Promise<T>) => Promise<T>;

  constructor(connection: RedisConnection, keys: RedisKeys, clock: Clock, deadlineMs: number, layer: string) {
    this.#connection = connection;
    this.#keys = keys;
    this.#step = (operation) => withDeadline(operation, deadlineMs, clock, layer);
  }

  /** Entries' keys that match, in batches; one that is written meanwhile may be missing or come twice, as in SCAN. */
  async *find(glob: string): AsyncGenerator<readonly string[]> {
    for (const node of await this.#connection.nodes()) {
      for await (const found of this.#walk(node, glob)) yield found.map(({ key }) => key);
    }
  }

  /**
   * Removes entries that match; nodes side by side. @returns how many there were.
   * @param epoch what has been written since stays: it is newer than what is to be removed, and guards against older loads.
   */
  async remove(glob: string, epoch?: string): Promise<number> {
    const nodes = await this.#connection.nodes();
    const counts = await Promise.all(nodes.map((node) => this.#removeFrom(node, glob, epoch)));
    return counts.reduce((total, count) => total + count, 0);
  }

  async #removeFrom(node: RedisNode, glob: string, epoch: string | undefined): Promise<number> {
    let count = 0;
    let removing: Promise<number> = Promise.resolve(0);
    for await (const found of this.#walk(node, glob)) {
      // The next step is asked for while this one's keys are being removed.
      count += await removing;
      const names = found.map(({ name }) => name);
      removing = this.#step(epoch === undefined ? this.#unlink(node, names) : this.#removeOlder(names, epoch));
      removing.catch(() => undefined);
    }
    return count + (await removing);
  }

  async *#walk(node: RedisNode, glob: string): AsyncGenerator<readonly { name: string; key: string }[]> {
    const { pattern, exact } = this.#keys.match(glob);
    const matches = exact ? () => true : globMatcher(glob);
    const scan = (cursor: string) =>
      this.#step(node(['SCAN', cursor, 'MATCH', pattern, 'COUNT', COUNT])) as Promise<[unknown, unknown[]]>;
    let cursor = '0';
    do {
      const [next, names] = await scan(cursor);
      cursor = String(next);
      const found: { name: string; key: string }[] = [];
      for (const name of new Set(names.map(String))) {
        const key = this.#keys.keyOf(name);
        if (key !== undefined && matches(key)) found.push({ name, key });
      }
      if (found.length > 0) yield found;
    } while (cursor !== '0');
  }

  async #unlink(node: RedisNode, names: readonly string[]): Promise<number> {
    // Names of one node are of several slots, which one command must not mix.
    if (!this.#connection.cluster) return Number(await node(['UNLINK', ...names]));
    const counts = await Promise.all(names.map((name) => node(['UNLINK', name])));
    return counts.reduce<number>((total, count) => total + Number(count), 0);
  }

  async #removeOlder(names: readonly string[], epoch: string): Promise<number> {
    const remove = async (some: readonly string[]) =>
      Number(await scripts.removeOlder.run(this.#connection, some, [epoch]));
    if (!this.#connection.cluster) return remove(names);
    const counts = await Promise.all(names.map((name) => remove([name])));
    return counts.reduce((total, count) => total + count, 0);
  }
}
