import { TIMED_OUT, within } from './bounded-wait.js';
import type { Clock } from './clock.js';
import type { Engine } from './engine.js';
import { CacheError } from './errors.js';
import type { Layer, LayerFactory } from './layers/layer.js';

const DRAIN_MS = 5_000;

/** Opens and closes the layers of a cache. */
export class Lifecycle {
  readonly #engine: Engine;
  readonly #factories: readonly LayerFactory[];
  readonly #clock: Clock;
  #connecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(engine: Engine, factories: readonly LayerFactory[], clock: Clock) {
    this.#engine = engine;
    this.#factories = factories;
    this.#clock = clock;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Connects every layer. One that cannot be reached now is named in the log once and goes on trying.
   * @throws CacheError `LAYER_REQUIRED` where a required one cannot.
   */
  connect(): Promise<void> {
    return (this.#connecting ??= this.#connect());
  }

  /** Waits for running loads, five seconds at most with everything else, then aborts their signals and lets the layers go. */
  disconnect(): Promise<void> {
    return (this.#closing ??= this.#disconnect());
  }

  async #connect(): Promise<void> {
    const { chain, bus, writes } = this.#engine;
    await Promise.all(chain.layers.map((layer, index) => this.#connectLayer(layer, this.#factories[index]!)));
    await bus.listen({
      onMessage: (message) => writes.applyRemote(message),
      onGap: () => writes.distrust(),
    });
  }

  async #connectLayer(layer: Layer, { required }: LayerFactory): Promise<void> {
    try {
      await layer.connect?.();
    } catch (cause) {
      if (required) {
        throw new CacheError(
          'LAYER_REQUIRED',
          `Layer '${layer.name}' is required and cannot be reached; start its server, or set required: false to go on without it.`,
          { cause },
        );
      }
      this.#engine.log.say('warn', 'LAYER_FAILED', layer.name, `Layer '${layer.name}' cannot be reached; the cache goes on without it until it answers.`, cause); // prettier-ignore
    }
  }

  async #disconnect(): Promise<void> {
    const { running, flights, bus, chain, log } = this.#engine;
    const deadline = this.#clock.now() + DRAIN_MS;
    running.abortAll(new CacheError('CACHE_CLOSED', 'The cache is closing: this load was given up.'));
    const drained = async () => {
      // Loads get a fifth of the time: what heeds its signal needs none. Writes nobody waited for get two fifths more.
      await within(Promise.allSettled(flights.all()), DRAIN_MS / 5, this.#clock);
      await within(chain.idle(), (DRAIN_MS * 2) / 5, this.#clock);
      await bus.close();
      await Promise.allSettled(chain.layers.map(async (layer) => layer.disconnect()));
    };
    const ended = await within(drained(), deadline - this.#clock.now(), this.#clock);
    if (ended === TIMED_OUT) log.tell('warn', 'CACHE_CLOSED', 'A layer did not close in time and was left.');
  }
}
