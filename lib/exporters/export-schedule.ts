import type { CacheLog } from '../cache/cache-log.js';
import type { Clock } from '../cache/clock.js';
import { CacheError } from '../cache/errors.js';
import { toldError } from '../cache/told-error.js';
import { collectedFamilies } from '../metrics/family.js';
import type { ExportSource, MetricsExporter, MetricsSnapshot } from './metrics-exporter.js';

/** How often exporters export that do not say, milliseconds. */
export const EXPORT_EVERY = 10_000;
/** How long a last export, and then a stop, may take, milliseconds. */
const LAST_EXPORT = 1_500;

export interface ExportScheduleOptions {
  readonly exporters: readonly MetricsExporter[];
  readonly source: ExportSource;
  readonly clock: Clock;
  readonly log: CacheLog;
}

/**
 * Runs exporters, each at its own interval. Nothing here keeps the process alive; an export that still runs is not joined
 * by another; one that fails is logged once and tried again; none delays a shutdown by more than three seconds.
 */
export class ExportSchedule {
  readonly #options: ExportScheduleOptions;
  readonly #startedAt: number;
  readonly #running = new Map<MetricsExporter, Promise<void>>();
  readonly #failed = new Set<MetricsExporter>();
  readonly #cancels = new Map<MetricsExporter, () => void>();
  #stopped = false;

  constructor(options: ExportScheduleOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /** @throws CacheError of an exporter that cannot work as it is set up, such as `MISSING_PACKAGE`. */
  async start(): Promise<void> {
    const { exporters, source } = this.#options;
    await Promise.all(
      exporters.map(async (exporter) => {
        try {
          await exporter.start(source);
        } catch (error) {
          if (error instanceof CacheError) throw error;
          this.#fail(exporter, 'could not start', error);
        }
        this.#plan(exporter);
      }),
    );
  }

  /** Exports a last time and stops every exporter. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
    await Promise.all(
      this.#options.exporters.map(async (exporter) => {
        if (intervalOf(exporter) > 0) await this.#within(LAST_EXPORT, this.#export(exporter));
        await this.#within(
          LAST_EXPORT,
          this.#isolated(exporter, 'could not stop', () => exporter.stop()),
        );
      }),
    );
  }

  #plan(exporter: MetricsExporter): void {
    const interval = intervalOf(exporter);
    if (this.#stopped || interval <= 0) return;
    const cancel = this.#options.clock.after(interval, () => {
      if (!this.#running.has(exporter)) void this.#export(exporter);
      this.#plan(exporter);
    });
    this.#cancels.set(exporter, cancel);
  }

  async #export(exporter: MetricsExporter): Promise<void> {
    await this.#running.get(exporter);
    const run = this.#isolated(exporter, 'could not export', async () => exporter.export(await this.#snapshot()));
    this.#running.set(exporter, run);
    await run;
    this.#running.delete(exporter);
  }

  async #snapshot(): Promise<MetricsSnapshot> {
    const at = this.#options.clock.now();
    const families = [...(await collectedFamilies(this.#options.source))];
    return { at, startedAt: this.#startedAt, families };
  }

  async #isolated(exporter: MetricsExporter, what: string, run: () => void | Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#fail(exporter, what, error);
    }
  }

  #fail(exporter: MetricsExporter, what: string, cause: unknown): void {
    if (this.#failed.has(exporter)) return;
    this.#failed.add(exporter);
    const reason = toldError(cause);
    this.#options.log(
      'warn',
      'EXPORT_FAILED',
      `The exporter "${exporter.name}" ${what}: ${reason}. It is tried again.`,
      {
        exporter: exporter.name,
      },
    );
  }

  async #within(limitMs: number, work: Promise<void>): Promise<void> {
    let cancel = (): void => undefined;
    const limit = new Promise<void>((resolve) => (cancel = this.#options.clock.after(limitMs, resolve)));
    await Promise.race([work, limit]);
    cancel();
  }
}

function intervalOf(exporter: MetricsExporter): number {
  return exporter.intervalMs ?? EXPORT_EVERY;
}
