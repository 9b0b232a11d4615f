/** What a task did. */
export interface TaskOutcome {
  /** Keys it warmed, as far as they are known: they are watched for hits. */
  readonly keys: readonly string[];
  readonly warmed: number;
  readonly skipped: number;
  readonly bytes: number;
}

/** Something the built-in strategies yield in place of an entry: work that brings its entries into the cache itself. */
export class WarmingTask {
  constructor(readonly perform: (signal: AbortSignal) => Promise<TaskOutcome>) {}
}
