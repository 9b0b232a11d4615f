import { collectedFamilies, type FamilySource, type MetricFamily } from '../metrics/family.js';

/**
 * Every figure, cumulative since `startedAt`. Reading costs nothing on the hot path. Points are read while they are iterated: an
 * exporter that pauses between them, so that requests are answered, reads later points at their later values.
 */
export interface MetricsSnapshot {
  /** When the snapshot was begun, milliseconds since the Unix epoch. */
  readonly at: number;
  /** When counting began, milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly families: readonly MetricFamily[];
}

/** What an exporter is started with. */
export interface ExportSource extends FamilySource {
  /** The application's name, for exporters that name the sender. */
  readonly serviceName: string;
  /** True if figures continue those of an earlier run, which has exported the values at the start. */
  readonly restored?: boolean;
}

/**
 * The source of an application's exporters.
 * @param restored whether the figures continue those of an earlier run, which is known once they have been read
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
 * Sends the figures elsewhere. An exporter that throws or rejects is logged once and called again at the next interval;
 * it is never called while its last export still runs.
 */
export interface MetricsExporter {
  /** Its name in the log. */
  readonly name: string;
  /** How often {@link MetricsExporter.export} is called. @default 10 000 ms; 0: never, a reader calls the exporter instead. */
  readonly intervalMs?: number;
  /** Called once, before everything else. The boot waits two seconds for it; exports begin once it has settled. */
  start(source: ExportSource): void | Promise<void>;
  /** Called every {@link MetricsExporter.intervalMs}. With many series it should yield to the event loop. */
  export(snapshot: MetricsSnapshot): void | Promise<void>;
  /** Called once, after a last export; flushes and closes what the exporter opened itself. */
  stop(): void | Promise<void>;
}
