import type { ConnectionEvents } from './redis-connection.js';

type Listener = (...args: never[]) => void;

/** The events of a client, whichever package it is of. */
export interface Emitter {
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
  listenerCount(event: string): number;
}

/** Reports each loss and each recovery of a client once, however often the client repeats it. */
export class ClientAvailability {
  readonly #client: Emitter;
  readonly #events: ConnectionEvents;
  readonly #whenLost = (cause?: unknown) => this.#onLost(cause);
  readonly #whenReady = () => this.#onReady();
  #lost = false;

  constructor(client: Emitter, events: ConnectionEvents) {
    this.#client = client;
    this.#events = events;
    client.on('error', this.#whenLost);
    client.on('ready', this.#whenReady);
  }

  stop(): void {
    this.#client.off('error', this.#whenLost);
    this.#client.off('ready', this.#whenReady);
    // The client stays with its owner, who may not listen: an unheard 'error' would end the process.
    if (this.#client.listenerCount('error') === 0) this.#client.on('error', () => undefined);
  }

  #onLost(cause: unknown): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#events.lost(cause);
  }

  #onReady(): void {
    this.#lost = false;
    this.#events.ready();
  }
}
