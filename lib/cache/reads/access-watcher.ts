import type { AnnotatedLoader, ReadPlan } from '../policies/read-plan.js';

/** Receives a sample of the hits, and the loaders of keys. Its work on a hit must be fast. */
export interface AccessWatcher {
  /** Reports one in so many hits; Infinity reports none. */
  readonly oneIn: number;
  hit(this: void, key: string): void;
  /** Called when an absent key is loaded, with its loader. */
  loaded(this: void, key: string, loader: AnnotatedLoader<unknown>, plan: ReadPlan): void;
}
