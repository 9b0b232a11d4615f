import { collectedFamilies, type FamilySource, type MetricFamily } from '../metrics/family.js';

/**
 * All figures, cumulative since `startedAt`. Taking a snapshot costs nothing on the hot path. Each point is read when it is iterated: if an
 * exporter pauses between points to let requests be answered, later points have later values.
 */
export interface MetricsSnapshot {
  /** When the snapshot began, milliseconds since the Unix epoch. */
  readonly at: number;
  /** When counting began, milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly families: readonly MetricFamily[];
}

/** What an exporter is started with. */
export interface ExportSource extends FamilySource {
  /** The application's name, for exporters that name the sender. */
  readonly serviceName: string;
  /** True if figures continue those of an earlier run: that run has already exported the values at the start. */
  readonly restored?: boolean;
}

/**
 * Returns the source of an application's exporters.
 * @param restored whether the figures continue those of an earlier run. This is known after the earlier figures have been read.
 */
export function exportSourceOf(
  metrics: FamilySource,
  serviceName: string,
  restored: () => boolean = () => false,
): ExportSource {
  return {
    serviceName,
    families: () => metrics.families(),
    collectFamilies: () => collectedFamilies(metrics),
    get restored() {
      return restored();
    },
  };
}

/**
 * Sends the figures to another system. If an exporter throws or rejects, that is logged once, and it is called again at its next interval.
 * It is never called while its last export is still running.
 */
export interface MetricsExporter {
  /** The exporter's name in the log. */
  readonly name: string;
  /** How often {@link MetricsExporter.export} is called. @default 10 000 ms. With 0 it is never called: a reader collects the figures from the exporter instead. */
  readonly intervalMs?: number;
  /** Called once, first. The boot waits for it, at most two seconds. Exports begin after it has settled. */
  start(source: ExportSource): void | Promise<void>;
  /** Called every {@link MetricsExporter.intervalMs}. With many series it should yield to the event loop. */
  export(snapshot: MetricsSnapshot): void | Promise<void>;
  /** Called once, after a last export; flushes and closes what the exporter opened itself. */
  stop(): void | Promise<void>;
}
