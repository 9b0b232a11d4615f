import type { MissReasons } from '../freshness/miss-reasons.js';
import type { LayerChain } from '../layers/layer-chain.js';
import type { BusMessage } from '../layers/layer.js';
import type { Writes } from './writes.js';

/**
 * Applies invalidations of other processes. Their remote layers are ours, too, and they have changed them: only the layers of this
 * process are left.
 */
export class RemoteInvalidations {
  constructor(
    private readonly chain: LayerChain,
    private readonly reasons: MissReasons,
    private readonly writes: Pick<Writes, 'fence' | 'offer'>,
  ) {}

  apply(message: BusMessage): void {
    if (message.all === true) this.reasons.allInvalidated();
    this.#apply(message);
  }

  /** Clears the layers of this process, because messages may have been missed. */
  distrust(): void {
    this.reasons.allDistrusted();
    this.#apply({ all: true });
  }

  #apply(message: BusMessage): void {
    this.writes.fence(message);
    this.writes.offer(message);
    const { local } = this.chain;
    const keys = message.keys ?? [];
    for (const key of keys) this.reasons.invalidated(key);
    for (const layer of this.chain.layers) {
      if (layer.shared) continue;
      // The first layer answers synchronously; the others are not awaited.
      const removing = [
        message.all === true ? layer.clear() : undefined,
        keys.length > 0 ? layer.deleteMany(keys) : undefined,
        ...(message.patterns ?? []).map((glob) => layer.deleteByPattern(glob)),
        layer !== local && message.tags !== undefined ? layer.invalidateTags(message.tags) : undefined,
      ];
      for (const one of removing) if (one instanceof Promise) one.catch(() => undefined);
    }
  }
}
