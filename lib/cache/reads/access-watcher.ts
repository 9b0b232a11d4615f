import type { AnnotatedLoader, ReadPlan } from '../policies/read-plan.js';

/** Receives a sample of the hits, and the loaders of keys. The handling of a hit must be fast. */
export interface AccessWatcher {
  /** One in this many hits is reported; `Infinity` reports none. */
  readonly oneIn: number;
  hit(this: void, key: string): void;
  /** Called with the loader when an absent key was loaded. */
  loaded(this: void, key: string, loader: AnnotatedLoader<unknown>, plan: ReadPlan): void;
}
