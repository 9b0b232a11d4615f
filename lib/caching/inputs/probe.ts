import type { CallHandler } from '@nestjs/common';
import { lastValueFrom } from 'rxjs';
import type { CacheLog } from '../../cache/base/cache-log.js';

/**
 * Runs the handler on a share of hits too, and logs a difference between its result and the cached one. This finds undeclared
 * inputs, such as a user in AsyncLocalStorage. Use it in development only. A difference may also mean that the origin's data
 * changed.
 */
export class Probe {
  #differences = 0;

  /** @param share of hits, from 0 to 1. @param owner for messages: `FeedController.discover()`. */
  constructor(
    private readonly share: number,
    private readonly random: () => number,
    private readonly log: CacheLog,
    private readonly owner: string,
  ) {}

  /**
   * Decides by chance whether to probe a hit, and probes it in the background. @param cached returns the value that a caller
   * gets from the entry
   */
  offer(cached: () => unknown, next: CallHandler): void {
    this.offerRun(cached, () => lastValueFrom(next.handle()));
  }

  offerRun(cached: () => unknown, run: () => unknown): void {
    if (this.random() < this.share) void this.#compare(cached, run);
  }

  async #compare(cached: () => unknown, run: () => unknown): Promise<void> {
    try {
      const now = await run();
      if (JSON.stringify(now) === JSON.stringify(cached())) return;
    } catch {
      // If the origin fails, there is nothing to compare.
      return;
    }
    this.#differences += 1;
    this.log(
      'warn',
      'PROBE_DIFFERS',
      `${this.owner}: a cached result differs from a new one. It may depend on an input that is not in its key ` +
        '(a user in AsyncLocalStorage, the time). Declare that input with `vary`. Ignore this if the origin has just changed.',
      { differences: this.#differences },
    );
  }
}
