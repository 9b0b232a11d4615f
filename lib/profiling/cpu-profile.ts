import { pause } from '../cache/base/bounded-wait.js';
import { systemClock } from '../cache/base/clock.js';
import { CacheError } from '../cache/base/errors.js';

/** The longest CPU profile, seconds. It is limited because profiling slows the process down. */
export const MAX_CPU_PROFILE_SECONDS = 60;

/** Takes CPU profiles of this process on demand, one at a time. A request during a profile gets that profile. */
export class CpuProfiler {
  readonly #closing = new AbortController();
  #running: Promise<object> | undefined;

  /**
   * Returns a profile in V8's `.cpuprofile` format, as DevTools and speedscope open it.
   * @param seconds more than 0, at most {@link MAX_CPU_PROFILE_SECONDS}.
   * @throws CacheError `INVALID_OPTIONS` for another duration.
   */
  async take(seconds: number): Promise<object> {
    if (!(seconds > 0 && seconds <= MAX_CPU_PROFILE_SECONDS)) {
      throw new CacheError(
        'INVALID_OPTIONS',
        `seconds: a CPU profile takes more than 0 and at most ${MAX_CPU_PROFILE_SECONDS} seconds.`,
      );
    }
    this.#running ??= this.#profile(seconds).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Ends a running profile early, so that the request that waits for it does not delay the shutdown. */
  close(): void {
    this.#closing.abort();
  }

  async #profile(seconds: number): Promise<object> {
    // Loaded on demand: most processes are never profiled.
    const { Session } = await import('node:inspector/promises');
    const session = new Session();
    session.connect();
    try {
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      await pause(seconds * 1000, systemClock, this.#closing.signal);
      const { profile } = await session.post('Profiler.stop');
      return profile;
    } finally {
      session.disconnect();
    }
  }
}
