import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CronJob } from 'cron';
import { CacheWarmer } from './cache-warmer.js';
import type { RegisteredStrategy } from './strategy-pass.js';
import { StrategyRegistry } from './strategy-registry.js';

/** Before the names of our jobs in a registry that others use too. */
export const CRON_JOB_PREFIX = 'cache-warming:';

/**
 * Runs strategies by their cron expressions: in the application's own ScheduleModule where it has one, so that its jobs
 * are seen and stopped in one place, else in a registry of our own.
 */
@Injectable()
export class WarmingScheduler implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #names = new Set<string>();
  #jobs: SchedulerRegistry | undefined;

  constructor(
    @Inject(CacheWarmer) private readonly warmer: CacheWarmer,
    @Inject(StrategyRegistry) private readonly strategies: StrategyRegistry,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
  ) {}

  onApplicationBootstrap(): void {
    this.strategies.each((registered) => this.#schedule(registered));
  }

  /** Stops our jobs and leaves the others alone. */
  onModuleDestroy(): void {
    for (const name of this.#names) {
      if (this.#registry().doesExist('cron', name)) this.#registry().deleteCronJob(name);
    }
    this.#names.clear();
  }

  #schedule({ options }: RegisteredStrategy): void {
    if (options.cron === undefined) return;
    const name = `${CRON_JOB_PREFIX}${options.name}`;
    const job = CronJob.from({
      cronTime: options.cron,
      onTick: () => void this.warmer.start(options.name, { trigger: 'cron' }),
      start: false,
      name,
      unrefTimeout: true,
    });
    this.#registry().addCronJob(name, job as unknown as Parameters<SchedulerRegistry['addCronJob']>[1]);
    this.#names.add(name);
    job.start();
  }

  #registry(): SchedulerRegistry {
    return (this.#jobs ??= this.#applications() ?? new SchedulerRegistry());
  }

  #applications(): SchedulerRegistry | undefined {
    try {
      return this.moduleRef.get(SchedulerRegistry, { strict: false });
    } catch {
      return undefined;
    }
  }
}
