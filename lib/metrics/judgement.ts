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

/** The figures by which the health of the cache is judged, for one window at one time. */
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
  /** The current TTL, milliseconds; null if unknown. */
  readonly ttlMs: number | null;
}

/** A handler or method that declares a pattern. */
export interface DeclaringMethod {
  /** The name of its class. */
  readonly class: string;
  readonly method: string;
  /** `http` or another transport of a handler; `method` for a method of a provider. */
  readonly transport: string;
  /** The endpoint as statistics name it, such as `GET /feeds/:id`; null if it is not an endpoint. */
  readonly endpoint: string | null;
}

/** A pattern as handlers and methods declare it. */
export interface PatternDeclaration {
  /** The current TTL, milliseconds, for recommendations; null if it depends on the value. */
  readonly ttlMs: number | null;
  /** The pattern as `@Cached` writes it, such as `product:{params.id}`. */
  readonly text?: string;
  /** Every handler and method that declares the pattern. */
  readonly declaredBy?: readonly DeclaringMethod[];
  /** Holds the policy that applies now. An override replaces the policy. */
  readonly plan?: { readonly policy: ResolvedPolicy<never> };
}

/** Derives health and recommendations from figures. The metrics themselves only count. */
export interface Judgement {
  /** The window by which the health is judged. */
  readonly window: Window;
  /** The patterns with a target. */
  readonly targets: readonly string[];
  assessHealth(facts: HealthFacts): HealthReport;
  recommend(facts: PatternFacts): Pick<LowPerformer, 'code' | 'recommendation'>;
}

/** Returns warnings of another source (alerts, anomalies). `getRealtime()` shows them too. */
export type AlertSource = () => readonly HealthWarning[];
