import type { Entry, EntryMeta } from './entry.js';
import type { Outcome, Series } from './observer.js';
import type { LoadContext } from './policy.js';
import type { ResolvedPolicy } from './policies/resolved-policy.js';

/** Where an access is counted and how its entry is kept: compiled once a handler. */
export interface ReadPlan<V = unknown> {
  readonly series: Series;
  readonly policy: ResolvedPolicy<V>;
}

/** What `through` gives back. */
export interface Answer<V = unknown> {
  /** Isolated: safe to hand to the caller. */
  readonly value: V;
  /** Undefined when it was not kept: skipped, refused by `cacheIf`, not serialisable, too large. */
  readonly entry: Entry | undefined;
  readonly outcome: Outcome;
}

/** A load's context as the engine passes it: the public one, and a way to keep status and headers beside the value. */
export interface AnnotatedLoadContext<V = unknown> extends LoadContext<V> {
  annotate(meta: EntryMeta): void;
}

/** A {@link Loader} fits; one that takes the annotated context may say what belongs to the answer beside its value. */
export type AnnotatedLoader<V> = (context: AnnotatedLoadContext<V>) => V | Promise<V>;
