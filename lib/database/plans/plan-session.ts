/** A connection for one plan, outside all transactions of the application. */
export interface PlanSession {
  /** Returns the rows of a statement. */
  run(sql: string): Promise<readonly unknown[]>;
  /** @param broken true if the connection may still be busy and must not be reused. */
  release(broken: boolean): void;
}

/** Opens a session. */
export type OpenPlanSession = () => Promise<PlanSession>;

/** Marks statements of this library: they are not counted. */
export const OWN_STATEMENT = '/* nestjs-cache-observability: plan */ ';
