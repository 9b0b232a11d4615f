import type { InvalidationBus } from '../coordination/bus.js';
import type { Entry } from '../entry.js';
import type { Invalidations } from '../invalidations.js';
import type { LayerChain } from '../layers/layer-chain.js';
import type { BusMessage, LayerWrite } from '../layers/layer.js';
import type { MissReasons } from '../reading/miss-reasons.js';
import type { SingleFlight } from '../loading/single-flight.js';

/**
 * Everything that replaces or removes entries. Each change is fenced in this process before it is made and again once the
 * far layers have made it, so that neither a load nor a read that was on its way brings the old value back, and is then
 * told to the other processes.
 */
export class Writes {
  readonly #chain: LayerChain;
  readonly #flights: SingleFlight;
  readonly #invalidations: Invalidations;
  readonly #reasons: MissReasons;
  readonly #bus: InvalidationBus;

  constructor(parts: {
    chain: LayerChain;
    flights: SingleFlight;
    invalidations: Invalidations;
    reasons: MissReasons;
    bus: InvalidationBus;
  }) {
    this.#chain = parts.chain;
    this.#flights = parts.flights;
    this.#invalidations = parts.invalidations;
    this.#reasons = parts.reasons;
    this.#bus = parts.bus;
  }

  /** Whether written values end as bytes everywhere: they need not be frozen, since nobody reads them. */
  get encoded(): boolean {
    return this.#chain.encodes;
  }

  /** @param entryAt the entry, given its place in the order. @returns true where at least one layer has it. */
  async set(key: string, entryAt: (epoch: number) => Entry): Promise<{ entry: Entry; kept: boolean }> {
    this.#fenceKeys([key]);
    const entry = entryAt(this.#invalidations.epoch);
    this.#reasons.kept(key, entry.freshUntil);
    const kept = await this.#chain.set(key, entry);
    await this.#afterwards({ keys: [key] }, [[key, entry]]);
    return { entry, kept };
  }

  /** One round trip a layer. @returns true where at least one layer has them. */
  async setMany(keys: readonly string[], entriesAt: (epoch: number) => readonly LayerWrite[]): Promise<boolean> {
    this.#fenceKeys(keys);
    const entries = entriesAt(this.#invalidations.epoch);
    for (const [key, entry] of entries) this.#reasons.kept(key, entry.freshUntil);
    const kept = await this.#chain.setMany(entries);
    await this.#afterwards({ keys }, entries);
    return kept;
  }

  async delete(keys: readonly string[]): Promise<{ removed: number; complete: boolean }> {
    if (keys.length === 0) return { removed: 0, complete: true };
    this.#fenceKeys(keys);
    for (const key of keys) this.#reasons.invalidated(key);
    const done = await this.#chain.deleteMany(keys);
    await this.#afterwards({ keys });
    return done;
  }

  async deleteByPattern(glob: string): Promise<{ removed: number; complete: boolean }> {
    this.#noteMatching(glob);
    this.#fence({ patterns: [glob] });
    const done = await this.#chain.deleteByPattern(glob);
    await this.#afterwards({ patterns: [glob] });
    return done;
  }

  /** @returns false where a layer did not take it. */
  async invalidateTags(tags: readonly string[]): Promise<boolean> {
    if (tags.length === 0) return true;
    this.#fence({ tags });
    const complete = await this.#chain.invalidateTags(tags);
    await this.#afterwards({ tags });
    return complete;
  }

  async clear(): Promise<boolean> {
    this.#reasons.allInvalidated();
    this.#fence({ all: true });
    const complete = await this.#chain.clear();
    await this.#afterwards({ all: true });
    return complete;
  }

  /** What another process did: its layers are shared, ours are not. */
  applyRemote(message: BusMessage): void {
    this.#fence(message);
    const { near } = this.#chain;
    const keys = message.keys ?? [];
    for (const key of keys) this.#reasons.invalidated(key);
    for (const glob of message.patterns ?? []) this.#noteMatching(glob);
    if (message.all === true) this.#reasons.allInvalidated();
    for (const layer of this.#chain.layers) {
      if (layer.shared) continue;
      // Layers of this process alone; only the nearest answers in the same turn, the others are told and not waited for.
      const told = [
        message.all === true ? layer.clear() : undefined,
        keys.length > 0 ? layer.deleteMany(keys) : undefined,
        ...(message.patterns ?? []).map((glob) => layer.deleteByPattern(glob)),
        layer !== near && message.tags !== undefined ? layer.invalidateTags(message.tags) : undefined,
      ];
      for (const one of told) if (one instanceof Promise) one.catch(() => undefined);
    }
  }

  /** Nothing in this process can be trusted any more: messages may have been missed. */
  distrust(): void {
    this.applyRemote({ all: true });
  }

  #fenceKeys(keys: readonly string[]): void {
    this.#invalidations.keys(keys);
    for (const key of keys) this.#flights.fence(key);
  }

  #fence(message: BusMessage): void {
    if (message.keys !== undefined) this.#fenceKeys(message.keys);
    for (const glob of message.patterns ?? []) {
      this.#invalidations.glob(glob);
      this.#flights.fenceGlob(glob);
    }
    if (message.tags !== undefined) {
      this.#invalidations.tags(message.tags);
      this.#flights.fenceTags(message.tags);
    }
    if (message.all === true) {
      this.#invalidations.all();
      this.#flights.fenceAll();
    }
  }

  /**
   * Fences once more what far layers were still able to answer meanwhile, takes out of memory what a read between has put
   * there, and tells the others.
   */
  async #afterwards(message: BusMessage, written?: readonly LayerWrite[]): Promise<void> {
    if (!this.#chain.hasFar) return;
    this.#fence(message);
    const { near } = this.#chain;
    if (near !== undefined) {
      if (written !== undefined) {
        for (const [key, entry] of written) if (near.lookup(key) !== entry) near.delete(key);
      } else if (message.keys !== undefined) for (const key of message.keys) near.delete(key);
      for (const glob of message.patterns ?? []) void near.deleteByPattern(glob);
      if (message.all === true) void near.clear();
    }
    await this.#bus.publish(message);
  }

  #noteMatching(glob: string): void {
    const { near } = this.#chain;
    if (near === undefined) return;
    for (const batch of near.keys(glob) as Iterable<readonly string[]>) {
      for (const key of batch) this.#reasons.invalidated(key);
    }
  }
}
