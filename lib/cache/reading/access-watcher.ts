import type { AnnotatedLoader, ReadPlan } from '../read-plan.js';

/** Who wants to know which keys are asked for most, and what loads them. What it does on a hit must be quick. */
export interface AccessWatcher {
  /** Every so many hits one is told. */
  readonly oneIn: number;
  hit(this: void, key: string): void;
  /** A key was not there, and this is what loads it. */
  loaded(this: void, key: string, loader: AnnotatedLoader<unknown>, plan: ReadPlan): void;
}
