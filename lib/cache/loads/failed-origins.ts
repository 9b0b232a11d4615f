const REMEMBERED = 10_000;

/** Keys whose origin has just failed. For a while their origin is not called, if a stale value can be served. */
export class FailedOrigins {
  readonly #until = new Map<string, number>();
  readonly #pauseMs: number;

  /** @param pauseMs how long the origin is not called after a failure, milliseconds. */
  constructor(pauseMs = 1_000) {
    this.#pauseMs = pauseMs;
  }

  failed(key: string, now: number): void {
    this.#until.delete(key);
    this.#until.set(key, now + this.#pauseMs);
    if (this.#until.size > REMEMBERED) this.#until.delete(this.#until.keys().next().value!);
  }

  recovered(key: string): void {
    if (this.#until.size > 0) this.#until.delete(key);
  }

  holds(key: string, now: number): boolean {
    if (this.#until.size === 0) return false;
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (until > now) return true;
    this.#until.delete(key);
    return false;
  }
}
