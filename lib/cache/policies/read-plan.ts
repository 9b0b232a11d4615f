import type { Entry, EntryMeta } from '../entries/entry.js';
import type { ClassConstructor } from '../entries/class-traits.js';
import type { PatternClasses } from '../entries/pattern-classes.js';
import type { NotKept, Outcome, Series } from '../base/observer.js';
import type { LoadContext } from './policy.js';
import type { ResolvedPolicy } from './resolved-policy.js';

/** Where an access is counted and how its entry is stored. Compiled once per handler. */
export interface ReadPlan<V = unknown> {
  readonly series: Series;
  /** The policy that applies now. An override replaces the policy of a declared plan. */
  readonly policy: ResolvedPolicy<V>;
  /** The known classes of the values; undefined if no pattern declares the key. Then the key determines them. */
  readonly classes?: PatternClasses | undefined;
  /**
   * True if values are only written as JSON. Then an object that cannot be copied but has a `toJSON` is stored as the result of that
   * method, and an answer may hold a `JsonText`.
   */
  readonly jsonOnly?: boolean | undefined;
}

/** Facts about the values of a plan that are known when it is created. */
export interface PlannedValues {
  /** The declared class of the values. */
  readonly returns?: ClassConstructor | undefined;
  readonly jsonOnly?: boolean;
  /** False if a load needs its caller. Then no override may start a load in the background. @default true */
  readonly background?: boolean;
}

/** The result of `through`. */
export interface Answer<V = unknown> {
  /** The isolated value, safe to give to the caller. It is a `JsonText` only if the plan is `jsonOnly`. */
  readonly value: V;
  /** Undefined if the value was not stored: skipped, refused by `cacheIf`, not serialisable or too large. */
  readonly entry: Entry | undefined;
  readonly outcome: Outcome;
}

/** The context that the cache passes to a loader: the public context, and methods that store status and headers with the value. */
export interface AnnotatedLoadContext<V = unknown> extends LoadContext<V> {
  annotate(meta: EntryMeta): void;
  /** Reports that the value is sent as JSON, so that its JSON text may be stored instead. */
  sentAsJson(): void;
  /** Skips storing as `skip()` does, and reports the reason. */
  drop(reason: NotKept): void;
}

/** A loader that may set status and headers. Every {@link Loader} is one. */
export type AnnotatedLoader<V> = (context: AnnotatedLoadContext<V>) => V | Promise<V>;
