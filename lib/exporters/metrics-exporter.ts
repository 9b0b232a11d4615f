import { collectedFamilies, type FamilySource, type MetricFamily } from '../metrics/family.js';

/**
 * Every figure, cumulative since `startedAt`. Reading costs nothing on the hot path. Points are read when they are iterated: an
 * exporter that rests between them, so that requests are answered, reads the later ones as they are then.
 */
export interface MetricsSnapshot {
  /** When it was begun, milliseconds since the Unix epoch. */
  readonly at: number;
  /** When counting began, milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly families: readonly MetricFamily[];
}

/** What an exporter is started with. */
export interface ExportSource extends FamilySource {
  /** The application's name, for exporters that name the sender. */
  readonly serviceName: string;
  /** True where figures go on from those of an earlier run: what stands there at the start has been exported by that. */
  readonly restored?: boolean;
}

/**
 * The source of an application's exporters.
 * @param restored whether the figures go on from an earlier run, which is known once they have been read
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
 * Sends the figures elsewhere. One that throws or rejects is logged once and asked again at the next interval;
 * it is never asked while its last export still runs.
 */
export interface MetricsExporter {
  /** Its name in the log. */
  readonly name: string;
  /** How often {@link MetricsExporter.export} is called. @default 10 000 ms; 0: never, a reader asks the exporter instead. */
  readonly intervalMs?: number;
  /** Called once, before everything else. The boot waits two seconds for it; exports wait until it has settled. */
  start(source: ExportSource): void | Promise<void>;
  /** Called every {@link MetricsExporter.intervalMs}. With many series it should let the event loop have its turns. */
  export(snapshot: MetricsSnapshot): void | Promise<void>;
  /** Called once, after a last export; flushes and closes what the exporter opened itself. */
  stop(): void | Promise<void>;
}
