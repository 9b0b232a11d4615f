import type { Entry, EntryMeta } from '../entries/entry.js';
import type { ClassConstructor } from '../entries/class-traits.js';
import type { PatternClasses } from '../entries/pattern-classes.js';
import type { NotKept, Outcome, Series } from '../base/observer.js';
import type { LoadContext } from './policy.js';
import type { ResolvedPolicy } from './resolved-policy.js';

/** Where an access is counted and how its entry is kept: compiled once a handler. */
export interface ReadPlan<V = unknown> {
  readonly series: Series;
  /** The policy in force: an override exchanges that of a declared plan. */
  readonly policy: ResolvedPolicy<V>;
  /** The classes its values are known to hold; undefined for a key that no pattern declares: found by the key then. */
  readonly classes?: PatternClasses | undefined;
  /** True if values are only written as JSON: of what cannot be copied and has a `toJSON`, its JSON is kept. */
  readonly jsonOnly?: boolean | undefined;
}

/** What is known of a plan's values when it is made. */
export interface PlannedValues {
  /** The class that they are declared to be. */
  readonly returns?: ClassConstructor | undefined;
  readonly jsonOnly?: boolean;
  /** False if a load needs a caller to write to: no override may start one in the background. @default true */
  readonly background?: boolean;
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
  /** As `skip()`, with the reason. */
  drop(reason: NotKept): void;
}

/** A {@link Loader} fits; one that takes the annotated context may say what belongs to the answer beside its value. */
export type AnnotatedLoader<V> = (context: AnnotatedLoadContext<V>) => V | Promise<V>;
