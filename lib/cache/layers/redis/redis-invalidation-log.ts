import { globMatcher, type GlobMatcher } from '../../base/glob.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { MAX_GLOBS, scripts } from './redis-scripts.js';

/** The state of the namespace at the time of a read. Epochs and generations are microseconds of the server's clock. */
export interface InvalidationState {
  readonly epoch: number;
  /** The epoch of the last invalidation by tag or glob. */
  readonly version: number;
  readonly tags: number;
  readonly globs: number;
  /** Loads that began under another generation are refused. */
  readonly generation: number;
  /** Tagged entries with an earlier epoch count as invalidated. */
  readonly minTagEpoch: number;
  /** Entries with an earlier epoch count as invalidated, tagged or not. */
  readonly all: number;
  /** The number of the process that is known to be the only one that receives messages, or 0. */
  readonly listener: number;
  /** The stored text after the epoch. It stays the same while only the epoch changes. */
  readonly tail: string;
}

/**
 * A local copy of all processes' invalidations by tag and glob. Every read also returns the current state of the namespace. If that
 * state is newer than this copy, the new invalidations are fetched, once for all waiting reads.
 */
export class RedisInvalidationLog {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #tags = new Map<string, number>();
  /** Oldest first. */
  #globs: { readonly epoch: number; readonly matches: GlobMatcher }[] = [];
  #version = 0;
  #generation = 0;
  #minTagEpoch = 0;
  #all = 0;
  /** Redis has evicted globs up to this epoch before this copy had them. */
  #lostUntil = 0;
  #lastText: Buffer | undefined;
  #lastState: InvalidationState | undefined;
  #syncing: Promise<void> | undefined;

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** The state with the newest epoch seen so far. */
  get known(): InvalidationState | undefined {
    return this.#lastState;
  }

  /** The version up to which this copy is complete. */
  get version(): number {
    return this.#version;
  }

  /** Parses the state in a reply; undefined without a state, as on a server that was emptied. */
  parse(reply: unknown): InvalidationState | undefined {
    if (!Buffer.isBuffer(reply)) return undefined;
    if (this.#lastText?.equals(reply) === true) return this.#lastState;
    const text = reply.toString('latin1');
    const numbers = text.split(' ').map(Number);
    if (numbers.length !== 7 || !numbers.every(Number.isSafeInteger)) return undefined;
    const [epoch, tags, globs, generation, minTagEpoch, all, listener] = numbers as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const state = {
      epoch,
      version: Math.max(tags, globs),
      tags,
      globs,
      generation,
      minTagEpoch,
      all,
      listener,
      tail: text.slice(text.indexOf(' ')),
    };
    const last = this.#lastState;
    if (last === undefined || epoch >= last.epoch || generation !== last.generation) {
      this.#lastText = reply;
      this.#lastState = state;
    }
    return state;
  }

  /** Returns the state, creating it if there is none. */
  async touch(): Promise<InvalidationState> {
    return this.#ours(await scripts.touch.run(this.#connection, [this.#keys.state, this.#keys.sweeps], []));
  }

  /** Returns a new epoch. */
  async next(): Promise<number> {
    return this.#ours(await scripts.next.run(this.#connection, [this.#keys.state, this.#keys.sweeps], [])).epoch;
  }

  /** Completes this copy up to the state in a reply, or up to the current state if the reply has none. Returns that state. */
  async current(reply: unknown): Promise<InvalidationState> {
    const state = this.parse(reply) ?? (await this.touch());
    if (!this.covers(state)) await this.sync(state);
    return state;
  }

  /** True if this copy is complete up to that state; else call {@link sync} first. */
  covers({ version, generation, minTagEpoch, all }: InvalidationState): boolean {
    return (
      this.#version >= version &&
      this.#generation === generation &&
      this.#minTagEpoch >= minTagEpoch &&
      this.#all >= all
    );
  }

  /** Updates this copy to the current state, which may be newer than `state`. */
  async sync(state: InvalidationState): Promise<void> {
    // A running fetch may have been sent before that state existed.
    await this.#syncing?.catch(() => undefined);
    if (this.covers(state)) return;
    await (this.#syncing ??= this.#fetch().finally(() => (this.#syncing = undefined)));
  }

  /** Adds the invalidations that a script returned. */
  apply(news: readonly unknown[]): void {
    const state = this.#ours(news[0]);
    if (state.generation !== this.#generation) this.#begin(state.generation);
    let newestTag = 0;
    for (const [tag, epoch] of pairs(news[1])) {
      // Another fetch may have returned a newer epoch.
      this.#tags.set(tag, Math.max(epoch, this.#tags.get(tag) ?? 0));
      newestTag = epoch;
    }
    let newestGlob = 0;
    for (const [glob, epoch] of pairs(news[2])) {
      newestGlob = epoch;
      // Two fetches may return the same globs.
      if (epoch > (this.#globs.at(-1)?.epoch ?? 0)) this.#globs.push({ epoch, matches: globMatcher(glob) });
    }
    // If Redis has evicted a list, earlier tagged entries, or earlier loads, cannot be checked against it.
    const lostTags = state.tags > this.#version && newestTag < state.tags;
    this.#minTagEpoch = Math.max(this.#minTagEpoch, state.minTagEpoch, lostTags ? state.tags : 0);
    this.#all = Math.max(this.#all, state.all);
    if (state.globs > this.#version && newestGlob < state.globs) this.#lostUntil = state.globs;
    this.#version = Math.max(this.#version, state.version);
    this.#forget(Number(news[3]));
  }

  /** False if an entry of that epoch has been invalidated since: by a tag, by a glob, or together with all entries. */
  valid(key: string, tags: readonly string[], epoch: number): boolean {
    if (epoch < this.#all) return false;
    for (let index = this.#globs.length - 1; index >= 0; index--) {
      const glob = this.#globs[index]!;
      if (glob.epoch <= epoch) break;
      if (glob.matches(key)) return false;
    }
    if (tags.length === 0) return true;
    if (epoch < this.#minTagEpoch) return false;
    for (const tag of tags) if ((this.#tags.get(tag) ?? 0) > epoch) return false;
    return true;
  }

  /** False if globs since that epoch may have been forgotten: a load that began then cannot be checked. */
  remembers(epoch: number): boolean {
    return epoch >= this.#lostUntil && (this.#globs.length < MAX_GLOBS || epoch >= this.#globs[0]!.epoch);
  }

  async #fetch(): Promise<void> {
    const { state, tags, globs, sweeps } = this.#keys;
    const seen = [String(this.#version), String(this.#generation)];
    this.apply((await scripts.news.run(this.#connection, [state, tags, globs, sweeps], seen)) as readonly unknown[]);
  }

  #begin(generation: number): void {
    this.#generation = generation;
    this.#version = 0;
    this.#minTagEpoch = 0;
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

  /** Drops globs that Redis no longer has, and tags that `minTagEpoch` covers. @param oldest the epoch of the oldest glob in Redis. */
  #forget(oldest: number): void {
    this.#globs = this.#globs.filter(({ epoch }) => epoch >= oldest).slice(-MAX_GLOBS);
    for (const [tag, epoch] of this.#tags) if (epoch < this.#minTagEpoch) this.#tags.delete(tag);
  }
}

/** Yields the members and scores of a sorted set, from a reply of RESP2 or RESP3. */
export function* pairs(reply: unknown): Iterable<[string, number]> {
  if (!Array.isArray(reply)) return;
  if (Array.isArray(reply[0])) {
    // RESP3 returns nested pairs.
    for (const [name, epoch] of reply as [unknown, unknown][]) yield [String(name), Number(epoch)];
    return;
  }
  for (let index = 0; index + 1 < reply.length; index += 2) yield [String(reply[index]), Number(reply[index + 1])];
}

/** Reads the state of the namespace from its node. Uses MGET, because GET fails for a key of another type. */
export async function stateIn(connection: RedisConnection, keys: RedisKeys): Promise<unknown> {
  return ((await connection.send(keys.state, ['MGET', keys.state])) as unknown[])[0];
}
