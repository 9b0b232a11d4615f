import { randomUUID } from 'node:crypto';
import type { SharedMap } from '../cache/layers/layer.js';

/** Stores metrics between two runs. Every method may reject. */
export interface MetricsStore {
  /** The store's name in the log. */
  readonly description: string;
  /** Returns undefined if nothing is stored. */
  read(): Promise<Uint8Array | undefined>;
  write(dump: Uint8Array): Promise<void>;
  /** Returns false if another process has written after this one. */
  isOwn?(): Promise<boolean>;
}

/** How long metrics stay stored. It is longer than the longest window: of older metrics only the totals matter. */
const KEEP_MS = 7 * 86_400_000;

/** Stores metrics in a shared layer, under a name that is the same after a restart. */
export class SharedMapStore implements MetricsStore {
  readonly description: string;
  readonly #sharedMap: SharedMap;
  readonly #name: string;
  readonly #writers: SharedMap | undefined;
  readonly #process = Buffer.from(randomUUID());
  #hasWritten = false;

  /** @param writers the map with the last writer of each name; without it, other writers are not detected. */
  constructor(sharedMap: SharedMap, layer: string, name: string, writers?: SharedMap) {
    this.#sharedMap = sharedMap;
    this.#name = name;
    this.#writers = writers;
    this.description = `layer '${layer}'`;
  }

  read(): Promise<Uint8Array | undefined> {
    return this.#sharedMap.read(this.#name);
  }

  async write(dump: Uint8Array): Promise<void> {
    await this.#sharedMap.publish(this.#name, dump, KEEP_MS);
    await this.#writers?.publish(this.#name, this.#process, KEEP_MS);
    this.#hasWritten = true;
  }

  async isOwn(): Promise<boolean> {
    if (!this.#hasWritten) return true;
    const writer = await this.#writers?.read(this.#name);
    return writer === undefined || this.#process.equals(writer);
  }
}
