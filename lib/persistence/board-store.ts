import type { Board } from '../cache/layers/layer.js';
import type { MetricsStore } from './metrics-store.js';

/** Longer than the longest window: what is older has only its total left. */
const KEEP_MS = 7 * 86_400_000;

/** Metrics in a layer that processes share, under a name that is the same after the restart. */
export class BoardStore implements MetricsStore {
  readonly description: string;
  readonly #board: Board;
  readonly #name: string;

  constructor(board: Board, layer: string, name: string) {
    this.#board = board;
    this.#name = name;
    this.description = `layer '${layer}'`;
  }

  read(): Promise<Uint8Array | undefined> {
    return this.#board.read(this.#name);
  }

  write(image: Uint8Array): Promise<void> {
    return this.#board.publish(this.#name, image, KEEP_MS);
  }
}
