import { TIMED_OUT, within } from './base/bounded-wait.js';
import type { Clock } from './base/clock.js';
import type { Engine } from './engine.js';
import { CacheError } from './base/errors.js';
import { redactedMessage } from './base/redacted-error.js';
import { isReported } from './base/reported-errors.js';
import type { Layer, LayerFactory } from './layers/layer.js';

/** The most time for closing, milliseconds. */
export const CLOSE_MS = 4_500;

/** Opens and closes the layers of a cache. */
export class Lifecycle {
  readonly #engine: Engine;
  readonly #factories: readonly LayerFactory[];
  readonly #clock: Clock;
  #connecting: Promise<void> | undefined;
  #listening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  /** Called if another process may have overridden or reverted policies. */
  onPolicies: (() => void) | undefined;

  constructor(engine: Engine, factories: readonly LayerFactory[], clock: Clock) {
    this.#engine = engine;
    this.#factories = factories;
    this.#clock = clock;
    // Without connect(), the first use of a remote layer starts listening to the other processes.
    engine.chain.onFirstUse(() => {
      if (!this.closed) this.#listen().catch(() => undefined);
    });
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Connects every layer. If a layer cannot be reached, this is logged once and the layer keeps trying.
   * @throws CacheError `LAYER_REQUIRED` if a required layer cannot be reached.
   */
  connect(): Promise<void> {
    return (this.#connecting ??= this.#connect());
  }

  /**
   * Aborts the signals of running loads, waits for these loads and for writes, and closes the layers.
   * @param withinMs the time limit for all steps together, milliseconds.
   */
  disconnect(withinMs = CLOSE_MS): Promise<void> {
    return (this.#closing ??= this.#disconnect(Math.min(withinMs, CLOSE_MS)));
  }

  async #connect(): Promise<void> {
    const { chain } = this.#engine;
    await Promise.all(chain.layers.map((layer, index) => this.#connectLayer(layer, this.#factories[index]!)));
    await this.#listen();
  }

  #listen(): Promise<void> {
    const { bus, receivedInvalidations } = this.#engine;
    return (this.#listening ??= bus.listen({
      onMessage: (message) => {
        receivedInvalidations.apply(message);
        if (message.policies === true) this.onPolicies?.();
      },
      onGap: () => {
        receivedInvalidations.messagesMissed();
        this.onPolicies?.();
      },
    }));
  }

  async #connectLayer(layer: Layer, { required }: LayerFactory): Promise<void> {
    const release = required ? this.#engine.log.hold(layer.name) : undefined;
    try {
      await layer.connect?.();
      release?.(true);
    } catch (cause) {
      release?.(false);
      if (required) {
        throw new CacheError(
          'LAYER_REQUIRED',
          `Layer '${layer.name}' is required and cannot be used: ${redactedMessage(cause)} Set required: false to start without it.`,
          { cause },
        );
      }
      if (isReported(cause)) return;
      this.#engine.log.once('warn', 'LAYER_FAILED', layer.name, `Layer '${layer.name}' cannot be used, and the cache works without it until it can: ${redactedMessage(cause)}`); // prettier-ignore
    }
  }

  /** Closes the layers even if one of them hangs: each step gets a share of the time. */
  async #disconnect(withinMs: number): Promise<void> {
    const { signals, inFlight, bus, chain, log, callers } = this.#engine;
    const deadline = this.#clock.now() + withinMs;
    const step = <T>(work: Promise<T>, share: number) =>
      within(work, Math.max(0, Math.min(withinMs * share, deadline - this.#clock.now())), this.#clock);
    signals.abortAll(new CacheError('CACHE_CLOSED', 'The cache is closing, so this load was aborted.'));
    // A load that reacts to its signal ends at once.
    await step(Promise.allSettled(inFlight.all()), 0.2);
    await step(chain.idle(), 0.3);
    await step(bus.close(), 0.1);
    const ended = await step(Promise.allSettled(chain.layers.map(async (layer) => layer.disconnect())), 1);
    if (ended === TIMED_OUT)
      log.write('warn', 'CACHE_CLOSED', 'A layer did not close in time. The cache does not wait for it any longer.');
    // Let the caller's own continuation run first.
    setImmediate(() => callers.close());
  }
}
