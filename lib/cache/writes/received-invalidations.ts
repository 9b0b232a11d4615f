import type { MissReasons } from '../freshness/miss-reasons.js';
import type { LayerChain } from '../layers/layer-chain.js';
import type { BusMessage } from '../layers/layer.js';
import type { Writes } from './writes.js';

/**
 * Applies the invalidations that other processes have sent. The sender has already changed the shared layers, so only the other layers
 * change here.
 */
export class ReceivedInvalidations {
  constructor(
    private readonly chain: LayerChain,
    private readonly reasons: MissReasons,
    private readonly writes: Pick<Writes, 'fence' | 'offer'>,
  ) {}

  /** Removes from the layers of this process what the message names. Running loads then do not store older values. */
  apply(message: BusMessage): void {
    if (message.all === true) this.reasons.allInvalidated();
    this.#apply(message);
  }

  /** Clears the layers of this process, because messages may have been missed. */
  messagesMissed(): void {
    this.reasons.allLost();
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
      // Memory, the first layer, changes synchronously. Do not await the other layers.
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
