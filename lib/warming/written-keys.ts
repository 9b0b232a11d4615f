import type { Series } from '../cache/observer.js';
import type { WarmingTarget } from './warming-target.js';

/** The keys that runs of one handler wrote; where several run side by side, each key is handed to one of them. */
export class WrittenKeys {
  readonly #keys = new Set<string>();
  #running = 0;
  #stop: (() => void) | undefined;

  constructor(
    private readonly target: Pick<WarmingTarget, 'watchWrites'>,
    private readonly series: Series,
  ) {}

  /** What `run` answers, and what has been written since nobody was told last. */
  async during<T>(run: () => Promise<T>): Promise<{ readonly answer: T; readonly keys: readonly string[] }> {
    if (this.#running++ === 0) this.#stop = this.target.watchWrites?.(this.series, (key) => this.#keys.add(key));
    try {
      const answer = await run();
      const keys = [...this.#keys];
      this.#keys.clear();
      return { answer, keys };
    } finally {
      if (--this.#running === 0) {
        this.#stop?.();
        this.#keys.clear();
      }
    }
  }
}
