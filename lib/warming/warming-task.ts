/** The result of a task. */
export interface TaskOutcome {
  /** The warmed keys if they are known: they are watched for hits. */
  readonly keys: readonly string[];
  readonly warmed: number;
  readonly skipped: number;
  readonly bytes: number;
}

/** A task that a built-in strategy yields instead of an entry. The task writes its entries itself. */
export class WarmingTask {
  /** The key that the task warms, once it is known. */
  key: string | undefined;

  constructor(readonly perform: (signal: AbortSignal) => Promise<TaskOutcome>) {}
}
