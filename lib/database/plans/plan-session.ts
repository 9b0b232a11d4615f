/** A connection for one plan alone, in no transaction of the application. */
export interface PlanSession {
  /** The rows of a statement. */
  run(sql: string): Promise<readonly unknown[]>;
  /** @param broken it may still be busy, and must not be used again. */
  release(broken: boolean): void;
}

/** Opens a session. */
export type OpenPlanSession = () => Promise<PlanSession>;

/** Before every statement of ours: they are not counted as the application's. */
export const OWN_STATEMENT = '/* nestjs-cache-observability: plan */ ';
