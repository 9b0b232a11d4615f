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

/** The figures by which the cache's health is judged: one window, read at one time. */
export interface HealthFacts {
  readonly stats: CacheStats;
  /** The patterns with a target. */
  readonly patterns: readonly PatternStats[];
  readonly layers: readonly LayerStats[];
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/** The figures from which a recommendation is derived. */
export interface PatternFacts {
  readonly stats: PatternStats;
  /** The TTL in force, milliseconds; null if none is known. */
  readonly ttlMs: number | null;
}

/** A handler or method that declares a pattern. */
export interface DeclaringMethod {
  /** The name of its class. */
  readonly class: string;
  readonly method: string;
  /** `http` or another transport of a handler; `method` for a provider's. */
  readonly transport: string;
  /** As statistics name it, such as `GET /feeds/:id`; null if it is not an endpoint. */
  readonly endpoint: string | null;
}

/** A pattern as handlers and methods declare it. */
export interface PatternDeclaration {
  /** The TTL in force, milliseconds, which recommendations name; null if it follows from the value. */
  readonly ttlMs: number | null;
  /** As `@Cached` writes it, such as `product:{params.id}`. */
  readonly text?: string;
  /** Every handler and method that declares it. */
  readonly declaredBy?: readonly DeclaringMethod[];
  /** Holds the policy in force: an override replaces the policy. */
  readonly plan?: { readonly policy: ResolvedPolicy<never> };
}

/** Derives health and recommendations from figures. The metrics themselves only count. */
export interface Judgement {
  /** The window used for the health. */
  readonly window: Window;
  /** The patterns with a target. */
  readonly targets: readonly string[];
  assessHealth(facts: HealthFacts): HealthReport;
  recommend(facts: PatternFacts): Pick<LowPerformer, 'code' | 'recommendation'>;
}

/** Warnings of another source (alerts, anomalies), which `getRealtime()` shows too. */
export type AlertSource = () => readonly HealthWarning[];
