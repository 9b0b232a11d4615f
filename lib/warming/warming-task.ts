/** The result of a task. */
export interface TaskOutcome {
  /** The warmed keys, as far as known: they are watched for hits. */
  readonly keys: readonly string[];
  readonly warmed: number;
  readonly skipped: number;
  readonly bytes: number;
}

/** Work that a built-in strategy yields in place of an entry: it writes its entries itself. */
export class WarmingTask {
  /** The key that the task warms, once it is known. */
  key: string | undefined;

  constructor(readonly perform: (signal: AbortSignal) => Promise<TaskOutcome>) {}
}
