import type { Entry, EntryMeta } from '../entries/entry.js';
import type { ClassConstructor } from '../entries/class-traits.js';
import type { PatternClasses } from '../entries/pattern-classes.js';
import type { NotKept, Outcome, Series } from '../base/observer.js';
import type { LoadContext } from './policy.js';
import type { ResolvedPolicy } from './resolved-policy.js';

/** Where an access is counted and how its entry is stored: compiled once per handler. */
export interface ReadPlan<V = unknown> {
  readonly series: Series;
  /** The policy in force: an override replaces the policy of a declared plan. */
  readonly policy: ResolvedPolicy<V>;
  /** The known classes of its values; undefined for a key that no pattern declares: then they are found by the key. */
  readonly classes?: PatternClasses | undefined;
  /**
   * True if values are only written as JSON: objects that cannot be copied and have a `toJSON` are stored as its result, and an answer
   * may hold a `JsonText`.
   */
  readonly jsonOnly?: boolean | undefined;
}

/** The facts about a plan's values that are known when it is created. */
export interface PlannedValues {
  /** The declared class of its values. */
  readonly returns?: ClassConstructor | undefined;
  readonly jsonOnly?: boolean;
  /** False if a load needs a caller to write to: no override may start one in the background. @default true */
  readonly background?: boolean;
}

/** The result of `through`. */
export interface Answer<V = unknown> {
  /** Isolated: safe to hand to the caller. A `JsonText` only if the plan is `jsonOnly`. */
  readonly value: V;
  /** Undefined if it was not stored: skipped, refused by `cacheIf`, not serialisable, too large. */
  readonly entry: Entry | undefined;
  readonly outcome: Outcome;
}

/** A load's context as the cache passes it: the public one, and methods to store status and headers with the value. */
export interface AnnotatedLoadContext<V = unknown> extends LoadContext<V> {
  annotate(meta: EntryMeta): void;
  /** Reports that this value is sent as JSON, so that its text may be stored in its place. */
  sentAsJson(): void;
  /** As `skip()`, with the reason. */
  drop(reason: NotKept): void;
}

/** A {@link Loader} fits; a loader that takes the annotated context may set status and headers. */
export type AnnotatedLoader<V> = (context: AnnotatedLoadContext<V>) => V | Promise<V>;
