import type { AnnotatedLoader, ReadPlan } from '../policies/read-plan.js';

/** Who wants to know which keys are asked for most, and what loads them. What it does on a hit must be quick. */
export interface AccessWatcher {
  /** Reports one in so many hits; Infinity reports none. */
  readonly oneIn: number;
  hit(this: void, key: string): void;
  /** A key was not there, and this is what loads it. */
  loaded(this: void, key: string, loader: AnnotatedLoader<unknown>, plan: ReadPlan): void;
}
