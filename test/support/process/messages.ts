/** A command of the test to a process. */
export interface Ask {
  readonly what: 'load' | 'get' | 'peek' | 'set' | 'delete' | 'glob' | 'tags';
  /** `memory`: the cache as an application has it; `redis`: the same without memory. */
  readonly through: 'memory' | 'redis';
  /** A key, or the glob of a deletion by glob. */
  readonly key: string;
  readonly tags: string[];
  readonly version: number;
  /** How long a load takes after it has read its origin. */
  readonly pauseMs: number;
}

/** From the test to a process. */
export type ToProcess =
  | { readonly kind: 'ask'; readonly id: number; readonly ask: Ask }
  | { readonly kind: 'version'; readonly question: number; readonly version: number };

/** From a process to the test: the result of a command. */
export interface Answered {
  readonly kind: 'answered';
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** From a process to the test: a load calls its origin. */
export interface Asked {
  readonly kind: 'asked';
  readonly question: number;
  readonly key: string;
}
