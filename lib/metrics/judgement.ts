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

/** Who judges the figures: health and advice. The metrics hold figures only and are given their judge. */
export interface Judgement {
  /** The window that health is judged by. */
  readonly window: Window;
  /** Patterns that have a target of their own. */
  readonly targets: readonly string[];
  assessHealth(facts: HealthFacts): HealthReport;
  recommend(facts: PatternFacts): LowPerformer['recommendation'];
}

/** Warnings of whoever else watches (alerts, anomalies), added to what `getRealtime()` shows. */
export type AlertSource = () => readonly HealthWarning[];
