import type { Clock } from '../../base/clock.js';
import type { RedisConnection } from './redis-connection.js';

const SAMPLES = 3;
const REFRESH_MS = 60_000;

/**
 * The difference between the server's clock and this process's clock, so that times in entries mean the same to every process. Of several
 * samples, the one with the shortest round trip is the most exact: its error is at most half the round trip (Cristian 1989).
 */
export class ServerClock {
  readonly #connection: RedisConnection;
  readonly #clock: Clock;
  readonly #key: string;
  #offset = 0;
  #measuredAt = -Infinity;
  /** The most by which the offset may be wrong, milliseconds. */
  #error = 0;
  #lastEpoch = 0;
  #measuring: Promise<void> | undefined;

  constructor(connection: RedisConnection, clock: Clock, key: string) {
    this.#connection = connection;
    this.#clock = clock;
    this.#key = key;
  }

  /** The offset to add to times of this process. */
  get offset(): number {
    if (this.#clock.now() - this.#measuredAt > REFRESH_MS && this.#connection.ready)
      void this.measure().catch(() => undefined);
    return this.#offset;
  }

  get known(): boolean {
    return this.#measuredAt !== -Infinity;
  }

  now(): number {
    return this.#clock.now() + this.#offset;
  }

  /** Returns the earliest time that the server's clock may show now, in microseconds, but later than all values returned before. */
  nextEpoch(): number {
    return (this.#lastEpoch = Math.max(this.#lastEpoch + 1, Math.floor((this.now() - this.#error) * 1_000)));
  }

  measure(): Promise<void> {
    return (this.#measuring ??= this.#measure().finally(() => (this.#measuring = undefined)));
  }

  async #measure(): Promise<void> {
    let shortest = Infinity;
    let offset = this.#offset;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const asked = this.#clock.now();
      const answer = (await this.#connection.send(this.#key, ['TIME'])) as [unknown, unknown];
      const answered = this.#clock.now();
      if (answered - asked >= shortest) continue;
      shortest = answered - asked;
      offset = Number(answer[0]) * 1000 + Number(answer[1]) / 1000 - (asked + answered) / 2;
    }
    this.#offset = offset;
    this.#error = shortest / 2;
    this.#measuredAt = this.#clock.now();
  }
}
