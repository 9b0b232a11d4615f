import type { LayerEvents } from './layer.js';

/** Counts the unreadable values of a layer and logs the first. Each counts as absent. */
export class UndecodableValues {
  readonly #layer: string;
  readonly #events: LayerEvents;
  #count = 0;

  constructor(layer: string, events: LayerEvents) {
    this.#layer = layer;
    this.#events = events;
  }

  get count(): number {
    return this.#count;
  }

  report(cause: unknown): void {
    if (this.#count++ > 0) return;
    this.#events.log(
      'warn',
      'UNDECODABLE_VALUE',
      `Layer '${this.#layer}' holds a value that it cannot read, of another version or of somebody else. Such values count as absent.`,
      cause,
    );
  }
}
