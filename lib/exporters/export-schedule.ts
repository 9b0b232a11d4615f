import { bounded, TIMED_OUT, within } from '../cache/base/bounded-wait.js';
import type { CacheLog } from '../cache/base/cache-log.js';
import type { CallbackErrors } from '../cache/base/callback-errors.js';
import type { Clock } from '../cache/base/clock.js';
import { CacheError } from '../cache/base/errors.js';
import { redactedMessage } from '../cache/base/redacted-error.js';
import { collectedFamilies } from '../metrics/family.js';
import type { ExportSource, MetricsExporter, MetricsSnapshot } from './metrics-exporter.js';

/** The default interval between exports, milliseconds. */
export const EXPORT_EVERY = 10_000;
/** How long the boot waits for exporters to start, milliseconds. */
const START_MS = 2_000;
/** The time limit for the last export and the stop together, milliseconds. */
const STOP_MS = 2_000;
/** An export that takes longer is reported, milliseconds. No other export begins meanwhile, so that hanging exports do not pile up. */
const HANGING_MS = 30_000;

export interface ExportScheduleOptions {
  readonly exporters: readonly MetricsExporter[];
  readonly source: ExportSource;
  readonly clock: Clock;
  readonly log: CacheLog;
  readonly callbacks: CallbackErrors;
}

/**
 * Runs exporters, each at its own interval. The timers do not keep the process alive. Exports of one exporter never overlap. Only the
 * first failure of an exporter is logged; after it, exports continue. No exporter delays a boot or a shutdown by more than two seconds.
 */
export class ExportSchedule {
  readonly #options: ExportScheduleOptions;
  readonly #startedAt: number;
  readonly #running = new Map<MetricsExporter, Promise<void>>();
  /** The exporters whose `start` has settled. Only these export. */
  readonly #started = new Set<MetricsExporter>();
  readonly #failed = new Set<MetricsExporter>();
  readonly #cancels = new Map<MetricsExporter, () => void>();
  #stopped = false;

  constructor(options: ExportScheduleOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /**
   * Resolves when every exporter has started, or after two seconds: a slower exporter exports once it has started.
   * @throws CacheError if the setup of an exporter is wrong, such as `MISSING_PACKAGE`.
   */
  async start(): Promise<void> {
    await Promise.all(this.#options.exporters.map((exporter) => this.#startSoon(exporter)));
  }

  async #startSoon(exporter: MetricsExporter): Promise<void> {
    const { clock, log } = this.#options;
    const starting = this.#start(exporter);
    if ((await within(starting, START_MS, clock)) !== TIMED_OUT) return;
    const { name } = exporter;
    log(
      'warn',
      'EXPORTER_NOT_STARTED',
      `The exporter "${name}" has not started after ${START_MS / 1_000} s. The application starts without it. Its exports begin when it has started.`,
      { exporter: name },
    );
    starting.catch((error: unknown) => this.#fail(exporter, 'could not start', error));
  }

  async #start(exporter: MetricsExporter): Promise<void> {
    try {
      await exporter.start(this.#options.source);
    } catch (error) {
      if (error instanceof CacheError) throw error;
      this.#fail(exporter, 'could not start', error);
    }
    this.#started.add(exporter);
    this.#plan(exporter);
  }

  /**
   * Exports a last time and stops every exporter.
   * @param withinMs the time limit, milliseconds. It also holds if an exporter hangs.
   */
  async stop(withinMs = STOP_MS): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
    const { exporters, clock } = this.#options;
    const deadline = clock.now() + withinMs;
    await Promise.all(
      exporters.map(async (exporter) => {
        if (intervalOf(exporter) > 0 && this.#started.has(exporter))
          await within(this.#export(exporter), (withinMs * 2) / 3, clock);
        const stopping = this.#isolated(exporter, 'could not stop', () => exporter.stop());
        await within(stopping, deadline - clock.now(), clock);
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
    const { clock } = this.#options;
    const run = this.#isolated(exporter, 'could not export', async () => exporter.export(await this.#snapshot()));
    this.#running.set(exporter, run);
    const report = () =>
      this.#warn(
        exporter,
        `has been exporting for ${HANGING_MS / 1000} s. Its next export begins after this one has ended.`,
      );
    await bounded(run, { ms: Infinity, clock, slow: { ms: HANGING_MS, report } }, () => undefined);
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
    this.#options.callbacks.count('exporter');
    this.#warn(exporter, `${what}: ${redactedMessage(cause)}. Its later failures are not logged.`);
  }

  /** Logs once per exporter. */
  #warn(exporter: MetricsExporter, what: string): void {
    if (this.#failed.has(exporter)) return;
    this.#failed.add(exporter);
    const { name } = exporter;
    this.#options.log('warn', 'EXPORT_FAILED', `The exporter "${name}" ${what}`, { exporter: name });
  }
}

function intervalOf(exporter: MetricsExporter): number {
  return exporter.intervalMs ?? EXPORT_EVERY;
}
