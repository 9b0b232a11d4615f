import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { SchedulerRegistry } from '@nestjs/schedule';
import { toldError } from '../cache/told-error.js';
import { CacheWarmer } from './cache-warmer.js';
import { cronPackage } from './cron-package.js';
import type { RegisteredStrategy } from './strategy-pass.js';
import { StrategyRegistry } from './strategy-registry.js';

/** Before the names of our jobs in a registry that others use too. */
export const CRON_JOB_PREFIX = 'cache-warming:';

/** The provider of `@nestjs/schedule` that holds an application's jobs. */
const REGISTRY = 'SchedulerRegistry';

/**
 * Runs strategies by their cron expressions: in the application's own ScheduleModule where it has one, so that its jobs
 * are seen and stopped in one place, else in a registry of our own. Neither `cron` nor `@nestjs/schedule` is loaded before
 * a strategy names an expression.
 */
@Injectable()
export class WarmingScheduler implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #log = new Logger('CacheWarmer');
  readonly #names = new Set<string>();
  #jobs: SchedulerRegistry | undefined;
  #own: Promise<SchedulerRegistry> | undefined;
  #ended = false;

  constructor(
    @Inject(CacheWarmer) private readonly warmer: CacheWarmer,
    @Inject(StrategyRegistry) private readonly strategies: StrategyRegistry,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.strategies.each((registered) => this.#schedule(registered));
    await this.#own;
  }

  /** Stops our jobs and leaves the others alone. */
  onModuleDestroy(): void {
    this.#ended = true;
    for (const name of this.#names) {
      if (this.#jobs?.doesExist('cron', name)) this.#jobs.deleteCronJob(name);
    }
    this.#names.clear();
  }

  #schedule(registered: RegisteredStrategy): void {
    if (registered.options.cron === undefined) return;
    // Looked for once: where the application has none, ours is on its way.
    if (this.#own === undefined) this.#jobs ??= this.#applications();
    if (this.#jobs !== undefined) return this.#scheduleIn(this.#jobs, registered);
    this.#own ??= ownRegistry();
    this.#own
      .then((jobs) => this.#scheduleIn((this.#jobs ??= jobs), registered))
      .catch((error: unknown) =>
        this.#log.error(`"${registered.options.name}" does not run by its cron expression. ${toldError(error)}`),
      );
  }

  #scheduleIn(jobs: SchedulerRegistry, { options }: RegisteredStrategy): void {
    if (this.#ended) return;
    const name = `${CRON_JOB_PREFIX}${options.name}`;
    const job = cronPackage().CronJob.from({
      cronTime: options.cron!,
      onTick: () => void this.warmer.start(options.name, { trigger: 'cron' }),
      start: false,
      name,
      unrefTimeout: true,
    });
    jobs.addCronJob(name, job as unknown as Parameters<SchedulerRegistry['addCronJob']>[1]);
    this.#names.add(name);
    job.start();
  }

  /** By its name: whoever asked by its class would load the package. */
  #applications(): SchedulerRegistry | undefined {
    for (const { providers } of this.modules.values()) {
      for (const { name, instance } of providers.values()) {
        const found = instance as SchedulerRegistry | null;
        if (name === REGISTRY && typeof found?.addCronJob === 'function') return found;
      }
    }
    return undefined;
  }
}

async function ownRegistry(): Promise<SchedulerRegistry> {
  const { SchedulerRegistry } = await import('@nestjs/schedule');
  return new SchedulerRegistry();
}
