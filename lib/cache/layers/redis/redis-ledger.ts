import { globMatcher, type GlobMatcher } from '../../glob.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { FENCE_TTL_MS, MAX_GLOBS, scripts } from './redis-scripts.js';

/** The namespace's state as one read found it; all are microseconds of the server's clock. */
export interface LedgerState {
  readonly epoch: number;
  /** The epoch of the last invalidation by tag. */
  readonly tags: number;
  /** The epoch of the last invalidation by glob. */
  readonly globs: number;
  /** The later of the two. */
  readonly ledger: number;
  /** Loads that began under another are refused. */
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
  /** Globs up to this epoch have been evicted. */
  #lostUntil = 0;
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
    const [epoch, tags, globs, birth, floor] = reply.toString('latin1').split(' ').map(Number);
    if (epoch === undefined || tags === undefined || globs === undefined) return undefined;
    if (birth === undefined || floor === undefined) return undefined;
    const state = { epoch, tags, globs, ledger: Math.max(tags, globs), birth, floor };
    if (epoch >= this.epoch || birth !== this.#lastState?.birth) {
      this.#lastText = reply;
      this.#lastState = state;
    }
    return state;
  }

  /** The state, made where there is none. */
  async touch(): Promise<LedgerState> {
    return this.#ours(await scripts.touch.run(this.#connection, [this.#keys.state], []));
  }

  /** A new epoch. */
  async next(): Promise<number> {
    return this.parse(await scripts.next.run(this.#connection, [this.#keys.state], []))?.epoch ?? 0;
  }

  /** True where this copy knows everything up to that state; else {@link sync} first. */
  covers(state: LedgerState): boolean {
    return this.#version >= state.ledger && this.#birth === state.birth && this.#floor >= state.floor;
  }

  /** Brings this copy up to the state as it is by now, which may be another than was seen. */
  async sync(state: LedgerState): Promise<void> {
    // What is being fetched may have been asked for before that state was.
    await this.#syncing?.catch(() => undefined);
    if (this.covers(state)) return;
    await (this.#syncing ??= this.#fetch().finally(() => (this.#syncing = undefined)));
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
    return epoch >= this.#lostUntil && (this.#globs.length < MAX_GLOBS || epoch >= this.#globs[0]!.epoch);
  }

  async #fetch(): Promise<void> {
    const { state: name, tags, globs } = this.#keys;
    const seen = [String(this.#version), String(this.#birth)];
    const news = (await scripts.news.run(this.#connection, [name, tags, globs], seen)) as readonly unknown[];
    const state = this.#ours(news[0]);
    if (state.birth !== this.#birth) this.#begin(state.birth);
    let newestTag = 0;
    for (const [tag, epoch] of pairs(news[1])) {
      this.#tags.set(tag, epoch);
      newestTag = epoch;
    }
    let newestGlob = 0;
    for (const [glob, epoch] of pairs(news[2])) {
      this.#globs.push({ epoch, matches: globMatcher(glob) });
      newestGlob = epoch;
    }
    // Evicted with what they said: nothing tagged, and no load, from before can be trusted.
    const lostTags = state.tags > this.#version && newestTag < state.tags;
    this.#floor = Math.max(this.#floor, state.floor, lostTags ? state.tags : 0);
    if (state.globs > this.#version && newestGlob < state.globs) this.#lostUntil = state.globs;
    this.#version = Math.max(this.#version, state.ledger);
    this.#forget();
  }

  #begin(birth: number): void {
    this.#birth = birth;
    this.#version = 0;
    this.#floor = 0;
    this.#lostUntil = 0;
    this.#tags.clear();
    this.#globs = [];
  }

  #ours(reply: unknown): LedgerState {
    const state = this.parse(reply);
    if (state === undefined) throw new Error('The state of the namespace is not of this library.');
    return state;
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
