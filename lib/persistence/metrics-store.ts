import type { SharedMap } from '../cache/layers/layer.js';

/** Where metrics are kept between two runs. Everything may reject. */
export interface MetricsStore {
  /** For the log. */
  readonly description: string;
  /** Undefined where nothing has been kept yet. */
  read(): Promise<Uint8Array | undefined>;
  write(image: Uint8Array): Promise<void>;
}

/** Longer than the longest window: what is older has only its total left. */
const KEEP_MS = 7 * 86_400_000;

/** Metrics in a layer that processes share, under a name that is the same after the restart. */
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

  write(image: Uint8Array): Promise<void> {
    return this.#sharedMap.publish(this.#name, image, KEEP_MS);
  }
}
