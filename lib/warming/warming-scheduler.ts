import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { SchedulerRegistry } from '@nestjs/schedule';
import type * as CronPackage from 'cron';
import { redactedMessage } from '../cache/base/redacted-error.js';
import { CacheWarmer } from './cache-warmer.js';
import type { RegisteredStrategy } from './strategy-pass.js';
import { StrategyRegistry } from './strategy-registry.js';

/** Prefix of the names of these jobs in a shared registry. */
export const CRON_JOB_PREFIX = 'cache-warming:';

type CronJob = Parameters<SchedulerRegistry['addCronJob']>[1];
type Jobs = Pick<SchedulerRegistry, 'doesExist' | 'addCronJob' | 'deleteCronJob'>;

/** The provider of `@nestjs/schedule` that contains an application's jobs. */
const REGISTRY = 'SchedulerRegistry';

/**
 * Runs strategies by their cron expressions. If the application has a ScheduleModule, it contains the jobs, so that all jobs are
 * listed and stopped in one place. Otherwise this class runs them. `cron` is loaded with the first expression, `@nestjs/schedule` never.
 */
@Injectable()
export class WarmingScheduler implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #log = new Logger('CacheWarmer');
  readonly #names = new Set<string>();
  #jobs: Jobs | undefined;
  /** Jobs whose package is being loaded. */
  readonly #loading: Promise<void>[] = [];
  #ended = false;

  constructor(
    @Inject(CacheWarmer) private readonly warmer: CacheWarmer,
    @Inject(StrategyRegistry) private readonly strategies: StrategyRegistry,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.strategies.each((registered) => this.#schedule(registered));
    await Promise.all(this.#loading);
  }

  /** Stops only the jobs of warming. */
  onModuleDestroy(): void {
    this.#ended = true;
    for (const name of this.#names) {
      if (this.#jobs?.doesExist('cron', name)) this.#jobs.deleteCronJob(name);
    }
    this.#names.clear();
  }

  #schedule(registered: RegisteredStrategy): void {
    if (registered.options.cron === undefined) return;
    const jobs = (this.#jobs ??= this.#applications() ?? new OwnJobs());
    const { cron } = this.strategies;
    if (cron.loaded !== undefined) return this.#scheduleIn(jobs, cron.loaded, registered);
    const loading = cron.load().then((loaded) => this.#scheduleIn(jobs, loaded, registered));
    this.#loading.push(
      loading.catch((error: unknown) =>
        this.#log.error(`"${registered.options.name}" does not run by its cron expression. ${redactedMessage(error)}`),
      ),
    );
  }

  #scheduleIn(jobs: Jobs, { CronJob }: typeof CronPackage, { options }: RegisteredStrategy): void {
    if (this.#ended) return;
    const name = `${CRON_JOB_PREFIX}${options.name}`;
    const job = CronJob.from({
      cronTime: options.cron!,
      onTick: () => void this.warmer.start(options.name, { trigger: 'cron' }),
      start: false,
      name,
      unrefTimeout: true,
    });
    jobs.addCronJob(name, job as unknown as CronJob);
    this.#names.add(name);
    job.start();
  }

  /** Finds the registry by name, because importing its class would load the package. */
  #applications(): Jobs | undefined {
    for (const { providers } of this.modules.values()) {
      for (const { name, instance } of providers.values()) {
        const found = instance as SchedulerRegistry | null;
        if (name === REGISTRY && typeof found?.addCronJob === 'function') return found;
      }
    }
    return undefined;
  }
}

/** Jobs of an application without a ScheduleModule. */
class OwnJobs implements Jobs {
  readonly #jobs = new Map<string, CronJob>();

  doesExist(_: 'cron', name: string): boolean {
    return this.#jobs.has(name);
  }

  addCronJob(name: string, job: CronJob): void {
    this.#jobs.set(name, job);
  }

  deleteCronJob(name: string): void {
    void this.#jobs.get(name)?.stop();
    this.#jobs.delete(name);
  }
}
