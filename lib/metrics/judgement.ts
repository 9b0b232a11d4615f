import type { ResolvedPolicy } from '../cache/policies/resolved-policy.js';
import type {
  CacheStats,
  HealthReport,
  HealthWarning,
  LayerStats,
  LowPerformer,
  PatternStats,
  Window,
} from './snapshot.js';

/** What the cache's health is judged by: one window, taken at one moment. */
export interface HealthFacts {
  readonly stats: CacheStats;
  /** Those that have a target. */
  readonly patterns: readonly PatternStats[];
  readonly layers: readonly LayerStats[];
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/** What a recommendation is drawn from. */
export interface PatternFacts {
  readonly stats: PatternStats;
  /** The TTL in force, milliseconds; null where none is known. */
  readonly ttlMs: number | null;
}

/** A handler or method that declares a pattern: what a reader searches the code for. */
export interface DeclaringMethod {
  /** The name of its class. */
  readonly class: string;
  readonly method: string;
  /** `http` or another transport of a handler; `method` for a provider's. */
  readonly transport: string;
  /** As statistics name it, such as `GET /feeds/:id`; null where it is no endpoint. */
  readonly endpoint: string | null;
}

/** A pattern as handlers and methods declare it. */
export interface PatternDeclaration {
  /** The TTL in force, milliseconds, which recommendations name; null where it follows from the value. */
  readonly ttlMs: number | null;
  /** As `@Cached` writes it, such as `product:{params.id}`. */
  readonly text?: string;
  /** Every handler and method that declares it. */
  readonly declaredBy?: readonly DeclaringMethod[];
  /** Its policy is the one in force: an override replaces it. */
  readonly plan?: { readonly policy: ResolvedPolicy<never> };
}

/** Judges figures: health and recommendations. The metrics hold figures only and are given their judgement. */
export interface Judgement {
  /** The window that health is judged by. */
  readonly window: Window;
  /** Patterns that have a target of their own. */
  readonly targets: readonly string[];
  assessHealth(facts: HealthFacts): HealthReport;
  recommend(facts: PatternFacts): Pick<LowPerformer, 'code' | 'recommendation'>;
}

/** Warnings of another source (alerts, anomalies), which `getRealtime()` shows too. */
export type AlertSource = () => readonly HealthWarning[];
