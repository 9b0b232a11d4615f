import type { RedisBus } from './redis-bus.js';
import type { BusMessage } from '../layer.js';

/** The result of a script's `publish()` if the user may not use the channel. */
const REFUSED = 2;

/**
 * Messages to the other processes that scripts send together with their operation, in one round trip. In a cluster, an operation on several
 * keys runs on several nodes, so its message is sent after it.
 */
export class RedisAnnouncer {
  readonly #bus: RedisBus;
  #active: boolean;

  constructor(bus: RedisBus, active: boolean) {
    this.#bus = bus;
    this.#active = active;
  }

  /** True while scripts send their messages. */
  get active(): boolean {
    return this.#active;
  }

  /** Returns the arguments of a script's `publish()`: this process's own channel, which begins with the shared channel, and the message. */
  argumentsOf(message: BusMessage | undefined): [own: string, message: string] {
    return [this.#bus.own, message === undefined || !this.#active ? '' : this.#bus.textOf(message)];
  }

  /** Handles the result of the script's `publish()`. */
  sent(reply: unknown): void {
    if (Number(reply) === REFUSED) this.#active = false;
  }
}
