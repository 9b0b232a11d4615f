import type { CallHandler } from '@nestjs/common';
import { lastValueFrom } from 'rxjs';
import type { CacheLog } from '../../cache/cache-log.js';

/**
 * Runs a share of hits through their origin, too, and says where the answers differ: what no declaration shows, such as a
 * caller's identity in AsyncLocalStorage. For development; a difference may also be an origin that has changed meanwhile.
 */
export class Probe {
  readonly #share: number;
  readonly #random: () => number;
  readonly #log: CacheLog;
  readonly #owner: string;
  #differences = 0;

  constructor(parts: { share: number; random: () => number; log: CacheLog; owner: string }) {
    this.#share = parts.share;
    this.#random = parts.random;
    this.#log = parts.log;
    this.#owner = parts.owner;
  }

  /** Perhaps probes a hit of a handler, behind the answer's back. */
  offer(cached: unknown, next: CallHandler): void {
    this.offerRun(cached, () => lastValueFrom(next.handle()));
  }

  offerRun(cached: unknown, run: () => unknown): void {
    if (this.#random() < this.#share) void this.#compare(cached, run);
  }

  async #compare(cached: unknown, run: () => unknown): Promise<void> {
    try {
      const now = await run();
      if (JSON.stringify(now) === JSON.stringify(cached)) return;
    } catch {
      // An origin that fails now says nothing of the answer that is stored.
      return;
    }
    this.#differences += 1;
    this.#log(
      'warn',
      'PROBE_DIFFERS',
      `${this.#owner}: a cached answer differs from what it returns now. Does it depend on something its key does not have ` +
        '(a user in AsyncLocalStorage, the time)? Then say so with `vary`; if its origin has just changed, all is well.',
      { differences: this.#differences },
    );
  }
}
