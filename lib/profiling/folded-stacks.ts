/** The time of one stack, summed over all its samples. */
export interface FoldedStack {
  /** Frames, outermost first. */
  readonly frames: readonly string[];
  readonly samples: number;
  readonly microseconds: number;
}

const OTHER = '__other__';

/** Sums the time of each stack, for at most `limit` stacks. The time of further stacks is added to `__other__`. */
export class FoldedStacks {
  readonly #stacks = new Map<string, { frames: readonly string[]; samples: number; microseconds: number }>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(frames: readonly string[], microseconds: number): void {
    const key = frames.join(';');
    let stack = this.#stacks.get(key);
    if (stack === undefined) {
      const full = this.#stacks.size >= this.#limit;
      const admitted = full ? [OTHER] : frames;
      stack = (full ? this.#stacks.get(OTHER) : undefined) ?? { frames: admitted, samples: 0, microseconds: 0 };
      this.#stacks.set(full ? OTHER : key, stack);
    }
    stack.samples++;
    stack.microseconds += microseconds;
  }

  clear(): void {
    this.#stacks.clear();
  }

  /** Returns every stack with its time in whole microseconds, rounded up so that none is zero. */
  list(): FoldedStack[] {
    return [...this.#stacks.values()].map(({ frames, samples, microseconds }) => ({
      frames,
      samples,
      microseconds: Math.max(1, Math.round(microseconds)),
    }));
  }
}

/** Writes one line for each stack, `outer;inner 42`, as flamegraph.pl and speedscope read it. The number is microseconds. */
export function foldedText(stacks: readonly FoldedStack[]): string {
  return stacks.map(({ frames, microseconds }) => `${frames.join(';')} ${microseconds}\n`).join('');
}
