import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { RESOLVED_OPTIONS } from './cache-observability.module-definition.js';
import { systemClock } from './cache/clock.js';
import { ExportSchedule } from './exporters/export-schedule.js';
import { CacheMetrics } from './metrics/cache-metrics.js';
import { nestLog } from './nest-log.js';
import { Persistence } from './persistence/persistence.js';
import type { ResolvedOptions } from './options/resolved-options.js';
import { packageName } from './service-name.js';

/** Runs the application's exporters from its start to its end. */
@Injectable()
export class Exporting implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #schedule: ExportSchedule;

  constructor(
    @Inject(RESOLVED_OPTIONS) options: ResolvedOptions,
    @Inject(CacheMetrics) metrics: CacheMetrics,
    @Inject(Persistence) persistence: Persistence,
  ) {
    const { exporters = [] } = options;
    const serviceName = options.serviceName ?? (exporters.length > 0 ? packageName() : '');
    const source = {
      serviceName,
      families: () => metrics.families(),
      collectFamilies: () => metrics.collectFamilies(),
      get restored() {
        return persistence.restored;
      },
    };
    this.#schedule = new ExportSchedule({ exporters, source, clock: systemClock, log: nestLog() });
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.#schedule.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#schedule.stop();
  }
}
