import { pause } from '../../base/bounded-wait.js';
import type { Clock } from '../../base/clock.js';
import { CacheError } from '../../base/errors.js';
import { globMatcher } from '../../base/glob.js';
import { epochDigits } from '../encoding/record-head.js';
import { withDeadline } from '../resilience/deadline.js';
import type { RedisConnection, RedisNode } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { scripts } from './redis-scripts.js';

const COUNT = '1000';
/** If a step has no answer in time, it is repeated after this time, then after twice this time, and so on. */
const STEP_RETRY_MS = 500;
const STEP_ATTEMPTS = 5;

/** An invalidation by glob whose entries must be removed. */
export interface Sweep {
  readonly glob: string;
  /** Entries with this epoch or a later one stay. */
  readonly epoch: number;
}

export interface SweepProgress {
  removed(count: number): void;
  late(): void;
}

interface Found {
  readonly name: string;
  readonly key: string;
}

/** Scans the namespace in steps on every master, so that no step blocks a server. */
export class RedisScan {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #layer: string;
  #closed = false;

  constructor(connection: RedisConnection, keys: RedisKeys, clock: Clock, deadlineMs: number, layer: string) {
    this.#connection = connection;
    this.#keys = keys;
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    this.#layer = layer;
  }

  /** Makes running scans end with an error at their next step. */
  close(): void {
    this.#closed = true;
  }

  /** Finds matching keys of entries, in batches. A key that is written during the scan may be missing or occur twice, as in SCAN. */
  async *find(glob: string): AsyncGenerator<readonly string[]> {
    for (const node of await this.#nodes()) {
      for await (const found of this.#walk(node, glob)) yield found.map(({ key }) => key);
    }
  }

  /** Removes matching entries of any epoch on all nodes in parallel. @returns how many existed. */
  async remove(glob: string): Promise<number> {
    let count = 0;
    await this.#removeAll(glob, async (found) => void (count += await this.#unlink(found.map(({ name }) => name))));
    return count;
  }

  /**
   * Removes the entries that several globs have invalidated, in one scan.
   * @param progress called with the number of removed entries, and when a step has no answer in time.
   */
  async sweep(sweeps: readonly Sweep[], progress: SweepProgress): Promise<void> {
    const matching = sweeps.map(({ glob, epoch }) => ({ matches: globMatcher(glob), epoch }));
    const remove = async (found: readonly Found[]) => {
      const byEpoch = new Map<number, string[]>();
      for (const { name, key } of found) {
        let epoch = 0;
        for (const one of matching) if (one.epoch > epoch && one.matches(key)) epoch = one.epoch;
        if (epoch === 0) continue;
        const names = byEpoch.get(epoch);
        if (names === undefined) byEpoch.set(epoch, [name]);
        else names.push(name);
      }
      for (const [epoch, names] of byEpoch) progress.removed(await this.#removeOlder(names, epochDigits(epoch)));
    };
    await this.#removeAll(sweeps.length === 1 ? sweeps[0]!.glob : '*', remove, progress.late);
  }

  async #removeAll(glob: string, remove: (found: readonly Found[]) => Promise<void>, late?: () => void): Promise<void> {
    const nodes = await this.#nodes(late);
    await Promise.all(nodes.map((node) => this.#removeFrom(node, glob, remove, late)));
  }

  /** Returns the masters. The client of a cluster must first connect to some of them. */
  #nodes(late?: () => void): Promise<readonly RedisNode[]> {
    return this.#step(() => this.#connection.nodes(), late);
  }

  async #removeFrom(
    node: RedisNode,
    glob: string,
    remove: (found: readonly Found[]) => Promise<void>,
    late: (() => void) | undefined,
  ): Promise<void> {
    let removing: Promise<void> = Promise.resolve();
    for await (const found of this.#walk(node, glob, late)) {
      // Fetch the next step while the keys of this one are removed.
      await removing;
      removing = this.#step(() => remove(found), late);
      removing.catch(() => undefined);
    }
    await removing;
  }

  async *#walk(node: RedisNode, glob: string, late?: () => void): AsyncGenerator<readonly Found[]> {
    const pattern = this.#keys.scanPattern(glob);
    const matches = globMatcher(glob);
    let cursor = '0';
    do {
      const asked = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', COUNT];
      const [next, names] = (await this.#step(() => node(asked), late)) as [unknown, unknown[]];
      cursor = String(next);
      const found: Found[] = [];
      for (const name of new Set(names.map(String))) {
        const key = this.#keys.keyOf(name);
        if (key !== undefined && matches(key)) found.push({ name: this.#keys.entry(key), key });
      }
      if (found.length > 0) yield found;
    } while (cursor !== '0');
  }

  /** Runs one step. @param late if given, a late step is repeated, so that a scan of thousands of steps need not start again. */
  async #step<T>(operation: () => Promise<T>, late: (() => void) | undefined): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await withDeadline(operation(), this.#deadlineMs, this.#clock, this.#layer);
      } catch (error) {
        const wasLate = error instanceof CacheError && error.code === 'LAYER_TIMEOUT';
        if (late === undefined || !wasLate || attempt === STEP_ATTEMPTS || this.#closed) throw error;
        late();
      }
      await pause(STEP_RETRY_MS * 2 ** (attempt - 1), this.#clock);
      if (this.#closed)
        throw new CacheError('CACHE_CLOSED', 'redisLayer: the cache was closed during a walk over its keys.');
    }
  }

  async #unlink(names: readonly string[]): Promise<number> {
    return this.#byNode(names, async (some) => Number(await scripts.unlink.run(this.#connection, some, [])));
  }

  async #removeOlder(names: readonly string[], epoch: string): Promise<number> {
    return this.#byNode(names, async (some) => Number(await scripts.removeOlder.run(this.#connection, some, [epoch])));
  }

  /** Removes each key of a cluster separately, because the keys of one node may be in several slots, which one command must not mix. */
  async #byNode(names: readonly string[], remove: (names: readonly string[]) => Promise<number>): Promise<number> {
    if (!this.#connection.cluster) return remove(names);
    const counts = await Promise.all(names.map((name) => remove([name])));
    return counts.reduce((total, count) => total + count, 0);
  }
}
