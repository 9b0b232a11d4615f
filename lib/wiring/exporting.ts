import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { APPLICATION_CACHE } from './application-cache.js';
import { RESOLVED_OPTIONS } from '../options/cache-observability.module-definition.js';
import type { Clock } from '../cache/base/clock.js';
import { ShutdownBudget } from '../cache/base/shutdown-budget.js';
import { CACHE_CLOCK } from '../cache/base/tokens.js';
import { ExportSchedule } from '../exporters/export-schedule.js';
import { exportSourceOf } from '../exporters/metrics-exporter.js';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import { nestLog } from './nest-log.js';
import type { ObservedCache } from './observed-cache.js';
import { Persistence } from '../persistence/persistence.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { defaultServiceName } from '../options/service-name.js';

/** How long exporters may take for the last export and to stop, milliseconds. */
const STOP_MS = 1_500;

/** Runs the application's exporters from boot to shutdown. */
@Injectable()
export class Exporting implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #schedule: ExportSchedule;
  readonly #shutdown: ShutdownBudget;

  constructor(
    @Inject(RESOLVED_OPTIONS) options: ResolvedOptions,
    @Inject(CacheMetrics) metrics: CacheMetrics,
    @Inject(Persistence) persistence: Persistence,
    @Inject(ShutdownBudget) shutdown: ShutdownBudget,
    @Inject(APPLICATION_CACHE) cache: ObservedCache,
    @Inject(CACHE_CLOCK) clock: Clock,
  ) {
    this.#shutdown = shutdown;
    const { exporters = [] } = options;
    const serviceName = options.serviceName ?? (exporters.length > 0 ? defaultServiceName() : '');
    this.#schedule = new ExportSchedule({
      exporters,
      source: exportSourceOf(metrics, serviceName, () => persistence.restored),
      clock,
      log: nestLog(cache.callbacks),
      callbacks: cache.callbacks,
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.#schedule.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#shutdown.spend((ms) => this.#schedule.stop(ms), STOP_MS);
  }
}
