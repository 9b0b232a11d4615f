import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { RESOLVED_OPTIONS } from './cache-observability.module-definition.js';
import { systemClock } from './cache/clock.js';
import { ExportSchedule } from './exporters/export-schedule.js';
import { CacheMetrics } from './metrics/cache-metrics.js';
import { nestLog } from './nest-log.js';
import type { ResolvedOptions } from './resolved-options.js';

/** Runs the application's exporters from its start to its end. */
@Injectable()
export class Exporting implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #schedule: ExportSchedule;

  constructor(@Inject(RESOLVED_OPTIONS) options: ResolvedOptions, @Inject(CacheMetrics) metrics: CacheMetrics) {
    const { exporters = [] } = options;
    const serviceName = options.serviceName ?? (exporters.length > 0 ? packageName() : '');
    const source = { serviceName, families: () => metrics.families() };
    this.#schedule = new ExportSchedule({ exporters, source, clock: systemClock, log: nestLog() });
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.#schedule.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#schedule.stop();
  }
}

/** The name in the package.json that the process was started beside. */
function packageName(): string {
  try {
    const { name } = JSON.parse(readFileSync(join(process.cwd(), 'package.json'), 'utf8')) as { name?: unknown };
    if (typeof name === 'string' && name !== '') return name;
  } catch {
    // There is none to read: an application need not have one.
  }
  return process.env['npm_package_name'] ?? 'nestjs-application';
}
