import type { InvalidationBus } from '../invalidation/invalidation-bus.js';
import type { Clock } from '../base/clock.js';
import type { AccessStream } from '../entries/access-stream.js';
import type { Entry } from '../entries/entry.js';
import type { Invalidations } from '../invalidation/invalidations.js';
import type { Effect, LayerChain } from '../layers/layer-chain.js';
import type { BusMessage, LayerWrite } from '../layers/layer.js';
import type { LoadTicket } from '../layers/load-ticket.js';
import type { MissReasons } from '../freshness/miss-reasons.js';
import type { InFlightLoads } from '../loads/in-flight-loads.js';

/**
 * All operations that replace or remove entries. Each change is fenced in this process before it starts, and again after the remote layers
 * have made it, so that a running load or read does not bring the old value back. Then the change is published to the other processes.
 */
export class Writes {
  constructor(
    private readonly chain: LayerChain,
    private readonly inFlight: InFlightLoads,
    private readonly invalidations: Invalidations,
    private readonly reasons: MissReasons,
    private readonly bus: InvalidationBus,
    private readonly clock: Clock,
    private readonly stream: AccessStream | undefined,
  ) {}

  /** True if all layers store bytes. Then written values need not be frozen, because no caller shares them. */
  get encoded(): boolean {
    return this.chain.encodes;
  }

  /** True if other processes read the written entries. */
  get shares(): boolean {
    return this.chain.hasShared;
  }

  /** Fences a key before {@link set}. @returns the epoch for its new entry. */
  begin(key: string): number {
    this.invalidations.key(key);
    this.inFlight.fence(key);
    return this.invalidations.epoch;
  }

  /**
   * Writes the entry of a key, in the same turn as {@link begin}.
   * @param now the time of the clock.
   * @returns true if at least one layer stored it; synchronous if no layer is remote.
   */
  set(key: string, entry: Entry, now: number): Promise<boolean> | boolean {
    this.reasons.kept(key, entry.freshUntil);
    const change = this.chain.put(key, entry, now);
    return change instanceof Promise ? this.#setRemotely(key, entry, change) : change.kept;
  }

  async #setRemotely(key: string, entry: Entry, change: Promise<Effect>): Promise<boolean> {
    const { kept, announced } = await this.chain.beingWritten.during([key], change);
    await this.#afterwards({ keys: [key] }, announced, [[key, entry]]);
    return kept;
  }

  /** Writes many entries in one round trip per layer. @returns true if at least one layer stored them. */
  async setMany(keys: readonly string[], entriesAt: (epoch: number) => readonly LayerWrite[]): Promise<boolean> {
    this.#fenceKeys(keys);
    const entries = entriesAt(this.invalidations.epoch);
    for (const [key, entry] of entries) this.reasons.kept(key, entry.freshUntil);
    const { kept, announced } = await this.#changing(keys, this.chain.setMany(entries));
    // The layers do not announce entries with a ticket, so they are published below.
    const explicit = entries.every(([, , ticket]) => ticket === undefined);
    await this.#afterwards({ keys }, announced && explicit, entries);
    return kept;
  }

  /** Replaces an entry by one derived from it, unless it was written or invalidated after `ticket` was filled. */
  async replace(key: string, entryAt: (epoch: number) => Entry, ticket: LoadTicket): Promise<void> {
    this.#fenceKeys([key]);
    this.offer({ keys: [key] });
    const entry = entryAt(this.invalidations.epoch);
    this.reasons.kept(key, entry.freshUntil);
    // A layer that could not store the new entry must not keep the old one.
    const { complete } = await this.#changing([key], this.chain.replace(key, entry, ticket));
    if (!complete) await this.#changing([key], this.chain.deleteMany([key]));
    await this.#afterwards({ keys: [key] }, false, [[key, entry]]);
  }

  async delete(keys: readonly string[]): Promise<{ removed: number; complete: boolean }> {
    if (keys.length === 0) return { removed: 0, complete: true };
    this.#fenceKeys(keys);
    this.offer({ keys });
    for (const key of keys) this.reasons.invalidated(key);
    const effect = await this.#changing(keys, this.chain.deleteMany(keys));
    await this.#afterwards({ keys }, effect.announced);
    return effect;
  }

  async deleteByPattern(glob: string): Promise<{ removed: number; complete: boolean }> {
    this.fence({ patterns: [glob] });
    this.offer({ patterns: [glob] });
    const effect = await this.chain.deleteByPattern(glob);
    await this.#afterwards({ patterns: [glob] }, effect.announced);
    return effect;
  }

  /** @returns false if a layer failed. */
  async invalidateTags(tags: readonly string[]): Promise<boolean> {
    if (tags.length === 0) return true;
    this.fence({ tags });
    this.offer({ tags });
    const { complete, announced } = await this.chain.invalidateTags(tags);
    await this.#afterwards({ tags }, announced);
    return complete;
  }

  async clear(): Promise<boolean> {
    this.reasons.allInvalidated();
    this.fence({ all: true });
    this.offer({ all: true });
    const { complete, announced } = await this.chain.clear();
    await this.#afterwards({ all: true }, announced);
    return complete;
  }

  /** Makes later reads of these keys wait for the change if it is remote. */
  #changing<T>(keys: readonly string[], change: T | Promise<T>): T | Promise<T> {
    const isRemote = this.chain.hasRemote && change instanceof Promise;
    return isRemote ? this.chain.beingWritten.during(keys, change) : change;
  }

  /** Reports an invalidation to the stream of accesses. */
  offer(what: BusMessage): void {
    this.stream?.invalidated(what, this.clock.now());
  }

  #fenceKeys(keys: readonly string[]): void {
    this.invalidations.keys(keys);
    for (const key of keys) this.inFlight.fence(key);
  }

  /** Prevents running loads and reads from bringing back entries that the message names. */
  fence(message: BusMessage): void {
    if (message.keys !== undefined) this.#fenceKeys(message.keys);
    for (const glob of message.patterns ?? []) {
      this.invalidations.glob(glob);
      this.inFlight.fenceGlob(glob);
    }
    if (message.tags !== undefined) {
      this.invalidations.tags(message.tags);
      this.inFlight.fenceTags(message.tags);
    }
    if (message.all === true) {
      this.invalidations.all();
      this.inFlight.fenceAll();
    }
  }

  /**
   * Completes a change of remote layers: fences again what they may have answered during the change, removes from memory what a read stored
   * meanwhile, and notifies the other processes.
   */
  async #afterwards(message: BusMessage, announced: boolean, written?: readonly LayerWrite[]): Promise<void> {
    if (!this.chain.hasRemote) return;
    this.fence(message);
    const { local } = this.chain;
    if (local !== undefined) {
      if (written !== undefined) {
        for (const [key, entry] of written) if (local.peek(key) !== entry) local.delete(key);
      } else if (message.keys !== undefined) for (const key of message.keys) local.delete(key);
      for (const glob of message.patterns ?? []) await local.deleteByPattern(glob);
      if (message.all === true) void local.clear();
    }
    if (announced) this.bus.announced();
    else await this.bus.publish(message);
  }
}
