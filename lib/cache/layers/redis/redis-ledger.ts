import { globMatcher, type GlobMatcher } from '../../glob.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { FENCE_TTL_MS, MAX_GLOBS, scripts } from './redis-scripts.js';

/** The namespace's state as one read found it; all are microseconds of the server's clock. */
export interface LedgerState {
  readonly epoch: number;
  /** The epoch of the last invalidation by tag or glob. */
  readonly ledger: number;
  readonly birth: number;
  /** Tagged entries from before count as invalidated. */
  readonly floor: number;
}

/**
 * The invalidations by tag and glob of all processes, kept up here as a copy: every read brings the version of the
 * original along, and only where that has moved on are the news fetched, once for all who wait.
 */
export class RedisLedger {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #tags = new Map<string, number>();
  #globs: { readonly epoch: number; readonly matches: GlobMatcher }[] = [];
  #version = 0;
  #birth = 0;
  #floor = 0;
  #lastText: Buffer | undefined;
  #lastState: LedgerState | undefined;
  #syncing: Promise<void> | undefined;

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** The newest epoch that was seen. */
  get epoch(): number {
    return this.#lastState?.epoch ?? 0;
  }

  /** The state with that epoch. */
  get known(): LedgerState | undefined {
    return this.#lastState;
  }

  /** What a reply holds; undefined where there is no state, as in a server that was emptied. */
  parse(reply: unknown): LedgerState | undefined {
    if (!Buffer.isBuffer(reply)) return undefined;
    if (this.#lastText?.equals(reply) === true) return this.#lastState;
    const [epoch, ledger, birth, floor] = reply.toString('latin1').split(' ').map(Number);
    if (epoch === undefined || ledger === undefined || birth === undefined || floor === undefined) return undefined;
    const state = { epoch, ledger, birth, floor };
    if (epoch >= this.epoch || birth !== this.#lastState?.birth) {
      this.#lastText = reply;
      this.#lastState = state;
    }
    return state;
  }

  /** The state, made where there is none. */
  async touch(): Promise<LedgerState> {
    const state = this.parse(await scripts.touch.run(this.#connection, [this.#keys.state], []));
    if (state === undefined) throw new Error('The state of the namespace is not of this library.');
    return state;
  }

  /** A new epoch. */
  async next(): Promise<number> {
    return this.parse(await scripts.next.run(this.#connection, [this.#keys.state], []))?.epoch ?? 0;
  }

  /** True where this copy knows everything up to that state; else {@link sync} first. */
  covers(state: LedgerState): boolean {
    return this.#version >= state.ledger && this.#birth === state.birth && this.#floor >= state.floor;
  }

  async sync(state: LedgerState): Promise<void> {
    while (!this.covers(state)) {
      await (this.#syncing ??= this.#fetch(state).finally(() => (this.#syncing = undefined)));
    }
  }

  /** False where an entry of that epoch has been invalidated by a tag or glob since. */
  valid(key: string, tags: readonly string[], epoch: number): boolean {
    for (let index = this.#globs.length - 1; index >= 0; index--) {
      const glob = this.#globs[index]!;
      if (glob.epoch <= epoch) break;
      if (glob.matches(key)) return false;
    }
    if (tags.length === 0) return true;
    if (epoch < this.#floor) return false;
    for (const tag of tags) if ((this.#tags.get(tag) ?? 0) > epoch) return false;
    return true;
  }

  /** False where globs since that epoch may have been forgotten, so that what was loaded since cannot be judged. */
  remembers(epoch: number): boolean {
    return this.#globs.length < MAX_GLOBS || epoch >= this.#globs[0]!.epoch;
  }

  async #fetch(state: LedgerState): Promise<void> {
    const since = this.#birth === state.birth ? this.#version : 0;
    const range = (key: string) =>
      this.#connection.send(this.#keys.state, ['ZRANGEBYSCORE', key, `(${since}`, '+inf', 'WITHSCORES']);
    const [tags, globs] = await Promise.all([range(this.#keys.tags), range(this.#keys.globs)]);
    if (since === 0) {
      this.#tags.clear();
      this.#globs = [];
    }
    let newest = 0;
    for (const [tag, epoch] of pairs(tags)) {
      this.#tags.set(tag, epoch);
      newest = Math.max(newest, epoch);
    }
    for (const [glob, epoch] of pairs(globs)) {
      this.#globs.push({ epoch, matches: globMatcher(glob) });
      newest = Math.max(newest, epoch);
    }
    // Evicted with what it said: nothing tagged from before can be trusted.
    const lost = newest < state.ledger && this.#version < state.ledger;
    this.#floor = Math.max(state.floor, lost ? state.ledger : 0, this.#birth === state.birth ? this.#floor : 0);
    this.#birth = state.birth;
    this.#version = Math.max(state.ledger, newest, since);
    this.#forget();
  }

  #forget(): void {
    const oldest = this.#version - FENCE_TTL_MS * 1000;
    this.#globs = this.#globs.filter(({ epoch }) => epoch > oldest).slice(-MAX_GLOBS);
    for (const [tag, epoch] of this.#tags) if (epoch < this.#floor) this.#tags.delete(tag);
  }
}

/** Members and scores of a sorted set, as either version of the protocol gives them. */
export function* pairs(reply: unknown): Iterable<[string, number]> {
  if (!Array.isArray(reply)) return;
  if (Array.isArray(reply[0])) {
    // RESP3 nests them.
    for (const [name, epoch] of reply as [unknown, unknown][]) yield [String(name), Number(epoch)];
    return;
  }
  for (let index = 0; index + 1 < reply.length; index += 2) yield [String(reply[index]), Number(reply[index + 1])];
}
