import { globMatcher, type GlobMatcher } from '../../base/glob.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { MAX_GLOBS, scripts } from './redis-scripts.js';

/** The state of the namespace as one read found it; all are microseconds of the server's clock. */
export interface InvalidationState {
  readonly epoch: number;
  /** The epoch of the last invalidation by tag or glob. */
  readonly version: number;
  readonly tags: number;
  readonly globs: number;
  /** Loads that began under another are refused. */
  readonly birth: number;
  /** Tagged entries from before count as invalidated. */
  readonly floor: number;
  /** Entries from before count as invalidated, tagged or not. */
  readonly all: number;
  /** All of it behind the epoch, as it is stored: the same while nothing is invalidated by tag or glob. */
  readonly tail: string;
}

/**
 * The invalidations by tag and glob of all processes, kept here as a copy: every read brings the version of the original along, and
 * only where that has moved on are the news fetched, once for all who wait.
 */
export class RedisInvalidationLog {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #tags = new Map<string, number>();
  /** Oldest first. */
  #globs: { readonly epoch: number; readonly matches: GlobMatcher }[] = [];
  #version = 0;
  #birth = 0;
  #floor = 0;
  #all = 0;
  /** Globs up to this epoch have been evicted. */
  #lostUntil = 0;
  #lastText: Buffer | undefined;
  #lastState: InvalidationState | undefined;
  #syncing: Promise<void> | undefined;

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** The state with the newest epoch that was seen. */
  get known(): InvalidationState | undefined {
    return this.#lastState;
  }

  /** Up to where this copy is complete. */
  get version(): number {
    return this.#version;
  }

  /** What a reply holds; undefined if there is no state, as in a server that was emptied. */
  parse(reply: unknown): InvalidationState | undefined {
    if (!Buffer.isBuffer(reply)) return undefined;
    if (this.#lastText?.equals(reply) === true) return this.#lastState;
    const text = reply.toString('latin1');
    const numbers = text.split(' ').map(Number);
    if (numbers.length !== 6 || !numbers.every(Number.isSafeInteger)) return undefined;
    const [epoch, tags, globs, birth, floor, all] = numbers as [number, number, number, number, number, number];
    const state = {
      epoch,
      version: Math.max(tags, globs),
      tags,
      globs,
      birth,
      floor,
      all,
      tail: text.slice(text.indexOf(' ')),
    };
    const last = this.#lastState;
    if (last === undefined || epoch >= last.epoch || birth !== last.birth) {
      this.#lastText = reply;
      this.#lastState = state;
    }
    return state;
  }

  /** The state, made where there is none. */
  async touch(): Promise<InvalidationState> {
    return this.#ours(await scripts.touch.run(this.#connection, [this.#keys.state, this.#keys.sweeps], []));
  }

  /** A new epoch. */
  async next(): Promise<number> {
    return this.#ours(await scripts.next.run(this.#connection, [this.#keys.state, this.#keys.sweeps], [])).epoch;
  }

  /** The state that a reply brought, or as it is now where it brought none, with this copy complete up to it. */
  async current(reply: unknown): Promise<InvalidationState> {
    const state = this.parse(reply) ?? (await this.touch());
    if (!this.covers(state)) await this.sync(state);
    return state;
  }

  /** True if this copy knows everything up to that state; else {@link sync} first. */
  covers({ version, birth, floor, all }: InvalidationState): boolean {
    return this.#version >= version && this.#birth === birth && this.#floor >= floor && this.#all >= all;
  }

  /** Brings this copy up to the state as it is by now, which may be another than was seen. */
  async sync(state: InvalidationState): Promise<void> {
    // What is being fetched may have been asked for before that state was.
    await this.#syncing?.catch(() => undefined);
    if (this.covers(state)) return;
    await (this.#syncing ??= this.#fetch().finally(() => (this.#syncing = undefined)));
  }

  /** Takes the news that a script returned. */
  apply(news: readonly unknown[]): void {
    const state = this.#ours(news[0]);
    if (state.birth !== this.#birth) this.#begin(state.birth);
    let newestTag = 0;
    for (const [tag, epoch] of pairs(news[1])) {
      // News of another request may have been newer.
      this.#tags.set(tag, Math.max(epoch, this.#tags.get(tag) ?? 0));
      newestTag = epoch;
    }
    let newestGlob = 0;
    for (const [glob, epoch] of pairs(news[2])) {
      newestGlob = epoch;
      // News that were asked for twice bring the same globs again.
      if (epoch > (this.#globs.at(-1)?.epoch ?? 0)) this.#globs.push({ epoch, matches: globMatcher(glob) });
    }
    // Evicted with what they held: nothing tagged, and no load, from before can be trusted.
    const lostTags = state.tags > this.#version && newestTag < state.tags;
    this.#floor = Math.max(this.#floor, state.floor, lostTags ? state.tags : 0);
    this.#all = Math.max(this.#all, state.all);
    if (state.globs > this.#version && newestGlob < state.globs) this.#lostUntil = state.globs;
    this.#version = Math.max(this.#version, state.version);
    this.#forget(Number(news[3]));
  }

  /** False if an entry of that epoch has been invalidated by a tag or glob since. */
  valid(key: string, tags: readonly string[], epoch: number): boolean {
    if (epoch < this.#all) return false;
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

  /** False if globs since that epoch may have been forgotten, so that what was loaded since cannot be judged. */
  remembers(epoch: number): boolean {
    return epoch >= this.#lostUntil && (this.#globs.length < MAX_GLOBS || epoch >= this.#globs[0]!.epoch);
  }

  async #fetch(): Promise<void> {
    const { state, tags, globs, sweeps } = this.#keys;
    const seen = [String(this.#version), String(this.#birth)];
    this.apply((await scripts.news.run(this.#connection, [state, tags, globs, sweeps], seen)) as readonly unknown[]);
  }

  #begin(birth: number): void {
    this.#birth = birth;
    this.#version = 0;
    this.#floor = 0;
    this.#all = 0;
    this.#lostUntil = 0;
    this.#tags.clear();
    this.#globs = [];
  }

  #ours(reply: unknown): InvalidationState {
    const state = this.parse(reply);
    if (state === undefined) throw new Error('The state of the namespace was not written by this library.');
    return state;
  }

  /** @param oldest the epoch of the oldest glob that the original still has. */
  #forget(oldest: number): void {
    this.#globs = this.#globs.filter(({ epoch }) => epoch >= oldest).slice(-MAX_GLOBS);
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

/** The state of the namespace in the node that holds it. Unlike GET, MGET takes what is not a string for absent. */
export async function stateIn(connection: RedisConnection, keys: RedisKeys): Promise<unknown> {
  return ((await connection.send(keys.state, ['MGET', keys.state])) as unknown[])[0];
}
