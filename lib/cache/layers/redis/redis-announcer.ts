import type { RedisBus } from './redis-bus.js';
import type { BusMessage } from '../layer.js';

/** What a script's `publish()` returns where the user may not use the channel. */
const REFUSED = 2;

/**
 * Messages to the other processes that scripts send together with what they do, in one round trip. In a cluster what is done for
 * several keys is done on several nodes, and messages are sent after it.
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

  /** What `publish()` of a script takes: this process' own channel, which begins with the shared one, and the message. */
  argumentsOf(message: BusMessage | undefined): [own: string, message: string] {
    return [this.#bus.own, message === undefined || !this.#active ? '' : this.#bus.textOf(message)];
  }

  /** Takes what the script's `publish()` returned. */
  sent(reply: unknown): void {
    if (Number(reply) === REFUSED) this.#active = false;
  }
}
