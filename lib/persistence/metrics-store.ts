import type { SharedMap } from '../cache/layers/layer.js';

/** Stores metrics between two runs. Every method may reject. */
export interface MetricsStore {
  /** The store's name in the log. */
  readonly description: string;
  /** Undefined if nothing is stored yet. */
  read(): Promise<Uint8Array | undefined>;
  write(dump: Uint8Array): Promise<void>;
}

/** Longer than the longest window: older metrics have only their totals left. */
const KEEP_MS = 7 * 86_400_000;

/** Stores metrics in a layer that processes share, under a name that a restart does not change. */
export class SharedMapStore implements MetricsStore {
  readonly description: string;
  readonly #sharedMap: SharedMap;
  readonly #name: string;

  constructor(sharedMap: SharedMap, layer: string, name: string) {
    this.#sharedMap = sharedMap;
    this.#name = name;
    this.description = `layer '${layer}'`;
  }

  read(): Promise<Uint8Array | undefined> {
    return this.#sharedMap.read(this.#name);
  }

  write(dump: Uint8Array): Promise<void> {
    return this.#sharedMap.publish(this.#name, dump, KEEP_MS);
  }
}
