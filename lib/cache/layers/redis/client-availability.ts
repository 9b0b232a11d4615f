import type { ConnectionEvents } from './redis-connection.js';
import { type Emitter, listenTo, stopListening } from './shared-listeners.js';

/**
 * Reports each loss and each recovery of a client once. A client repeats its error at each failed attempt to connect; these are reported as
 * `notRestored`.
 */
export class ClientAvailability {
  readonly #client: Emitter;
  readonly #events: ConnectionEvents;
  readonly #whenLost = (cause?: unknown) => this.#onLost(cause);
  readonly #whenReady = () => this.#onReady();
  #lost = false;

  constructor(client: Emitter, events: ConnectionEvents) {
    this.#client = client;
    this.#events = events;
    listenTo(client, 'error', this.#whenLost);
    listenTo(client, 'ready', this.#whenReady);
  }

  stop(): void {
    stopListening(this.#client, 'error', this.#whenLost);
    stopListening(this.#client, 'ready', this.#whenReady);
    // The client belongs to the application, which may not listen: an unhandled 'error' event would end the process.
    if (this.#client.listenerCount('error') === 0) this.#client.on('error', () => undefined);
  }

  #onLost(cause: unknown): void {
    if (this.#lost) return this.#events.notRestored?.(cause);
    this.#lost = true;
    this.#events.lost(cause);
  }

  #onReady(): void {
    this.#lost = false;
    this.#events.ready();
  }
}
