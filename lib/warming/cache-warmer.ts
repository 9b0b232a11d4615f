import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { Inject, Injectable, type OnModuleDestroy, Optional } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import type { WarmingOptions } from './warming.options.js';
import { type Clock, systemClock } from '../cache/clock.js';
import type { Duration } from '../cache/duration.js';
import { CacheError, type CacheErrorCode } from '../cache/errors.js';
import { Operation } from '../cache/observer.js';
import { EfficiencyLedger } from './efficiency.js';
import { ReplicaLock } from './replica-lock.js';
import type { WarmingStrategy, WarmingStrategyOptions } from './strategy.js';
import { type RegisteredStrategy, StrategyPass, type TaskStrategy } from './strategy-pass.js';
import { StrategyRegistry } from './strategy-registry.js';
import { WarmingFeed } from './warming-feed.js';
import { WarmingMetrics } from './warming-metrics.js';
import type { WarmingProgress, WarmingReport, WarmingRunHandle, WarmingTrigger } from './warming-report.js';
import { type BegunPass, WarmingRun } from './warming-run.js';
import {
  WARMING_CLOCK,
  WARMING_OPTIONS,
  WARMING_TARGET,
  type WarmableEntry,
  type WarmedBatch,
  type WarmingTarget,
} from './warming-target.js';

const DEFAULT_CONCURRENCY = 4;
const MAX_REPORTS = 100;
/** How entries warmed without a strategy are counted. */
const DIRECT = 'direct';

/** How a run is begun. */
export interface StartOptions {
  /** @default 'manual' */
  readonly trigger?: WarmingTrigger;
  /** Wait for another replica that warms the same strategy, then look for what it left. @default false: leave it to it */
  readonly waitForReplica?: boolean;
  /** Keeps a run that comes every few seconds out of the log and of the reports that are kept. @default false */
  readonly quiet?: boolean;
}

/**
 * Fills the cache before anybody asks.
 *
 * @example
 * ```ts
 * const report = await warmer.warm('top-categories');
 * await warmer.warmBatch({ 'product:1': first, 'product:2': second }, '10m');
 * ```
 *
 * @publicApi
 */
@Injectable()
export class CacheWarmer implements OnModuleDestroy {
  readonly metrics: WarmingMetrics;
  readonly #clock: Clock;
  readonly #runs = new Map<string, WarmingRun>();
  readonly #passes = new Map<string, BegunPass>();
  readonly #shutdown = new AbortController();
  readonly #efficiency: EfficiencyLedger;
  readonly #feed: WarmingFeed;
  readonly #lock: ReplicaLock;
  readonly #strategiesAtOnce: LimitFunction;
  readonly #loadsAtOnce: LimitFunction;

  constructor(
    @Inject(WARMING_TARGET) private readonly target: WarmingTarget,
    @Inject(StrategyRegistry) private readonly registry: StrategyRegistry,
    @Optional() @Inject(WARMING_OPTIONS) options?: WarmingOptions,
    @Optional() @Inject(WARMING_CLOCK) clock?: Clock,
  ) {
    const concurrency = options?.concurrency ?? DEFAULT_CONCURRENCY;
    this.#clock = clock ?? systemClock;
    setMaxListeners(0, this.#shutdown.signal);
    this.#efficiency = new EfficiencyLedger(target);
    this.metrics = new WarmingMetrics((strategy) => this.#efficiency.ofStrategy(strategy));
    this.#feed = new WarmingFeed(this.#clock);
    this.#lock = new ReplicaLock(target.layers, this.#clock);
    this.#strategiesAtOnce = pLimit(concurrency);
    this.#loadsAtOnce = pLimit(concurrency);
  }

  /** The options of every strategy there is, in the order of their registration. */
  get strategies(): readonly Readonly<WarmingStrategyOptions>[] {
    return this.registry.all.map(({ options }) => options);
  }

  /**
   * Adds a strategy that is no provider; its `cron` takes effect once the application is up.
   * @param options needed where its class has no `@WarmingStrategy`.
   * @throws CacheError `INVALID_OPTIONS`, `DUPLICATE_STRATEGY`
   */
  register(strategy: WarmingStrategy | TaskStrategy, options?: WarmingStrategyOptions): void {
    this.registry.add(strategy, options);
  }

  /**
   * Begins a run without waiting for it. A strategy that runs already is joined, not repeated.
   * @param names one strategy or several; all of them without.
   * @throws CacheError `UNKNOWN_STRATEGY`, naming those there are.
   */
  start(names?: string | readonly string[], options: StartOptions = {}): WarmingRunHandle {
    const asked = names === undefined ? this.registry.all : this.registry.named([names].flat());
    const begun = { trigger: 'manual', waitForReplica: false, quiet: false, ...options } as const;
    const id = randomUUID();
    const passes = asked
      .toSorted((one, other) => (other.options.priority ?? 0) - (one.options.priority ?? 0))
      .map((registered) => this.#joined(registered, id, begun));
    const running = this.#runOf(passes);
    if (running !== undefined) return { id: running.id, done: running.done };
    const run = new WarmingRun(id, begun.trigger, passes, this.#clock);
    if (!begun.quiet) this.#remember(run);
    return { id, done: run.done };
  }

  /** Runs every strategy, higher priorities first, side by side. */
  warmAll(): Promise<WarmingReport> {
    return this.start().done;
  }

  /** @throws CacheError `UNKNOWN_STRATEGY`, naming those there are. */
  async warm(names: string | readonly string[]): Promise<WarmingReport> {
    return this.start(names).done;
  }

  /**
   * Puts one value into the cache, fresh or not.
   * @param ttl milliseconds or a duration string. @default the cache's
   * @throws CacheError with the code of the reason when the cache cannot keep it, such as `VALUE_NOT_SERIALIZABLE`.
   */
  async warmSpecificKey(key: string, data: unknown, ttl?: Duration): Promise<void> {
    const { rejected } = await this.#write([{ key, value: data, ...(ttl === undefined ? {} : { ttl }) }]);
    const refused = rejected[0];
    if (refused !== undefined) {
      throw new CacheError(refused.code as CacheErrorCode, `The value to warm was not kept: ${refused.code}.`);
    }
  }

  /**
   * Puts values into the cache, fresh or not, in one round trip a layer.
   * @param ttl milliseconds or a duration string. @default the cache's
   */
  async warmBatch(data: Readonly<Record<string, unknown>>, ttl?: Duration): Promise<WarmedBatch> {
    const lasts = ttl === undefined ? {} : { ttl };
    return this.#write(Object.entries(data).map(([key, value]) => ({ key, value, ...lasts })));
  }

  /** The report of one of the last hundred runs, as far as it is; undefined for others. */
  getReport(id: string): WarmingReport | undefined {
    return this.#runs.get(id)?.report();
  }

  /** Calls `listener` when a strategy starts, every five seconds while it runs, and when it has ended. Returns how to stop. */
  onProgress(listener: (progress: WarmingProgress) => void): () => void {
    return this.#feed.listen(listener);
  }

  /** Aborts what runs and resolves when it has ended. */
  async onModuleDestroy(): Promise<void> {
    this.#shutdown.abort(new CacheError('WARMING_ABORTED', 'The application is shutting down.'));
    await Promise.all([...this.#passes.values()].map(({ ended }) => ended));
    this.#efficiency.close();
  }

  #joined(registered: RegisteredStrategy, runId: string, options: Required<StartOptions>): BegunPass {
    const { name, concurrency } = registered.options;
    const running = this.#passes.get(name);
    if (running !== undefined) return running;
    const pass = new StrategyPass(registered, {
      target: this.target,
      clock: this.#clock,
      lock: this.#lock,
      loads: concurrency === undefined ? this.#loadsAtOnce : pLimit(concurrency),
      hits: this.#efficiency.open(name),
      signal: this.#shutdown.signal,
      waitForReplica: options.waitForReplica,
    });
    const ended = this.#strategiesAtOnce(() => this.#pass(pass, runId, options)).finally(() =>
      this.#passes.delete(name),
    );
    const begun = { pass, ended };
    this.#passes.set(name, begun);
    return begun;
  }

  async #pass(pass: StrategyPass, runId: string, { trigger, quiet }: Required<StartOptions>): Promise<void> {
    const end = quiet ? () => undefined : this.#feed.follow(pass, runId, trigger);
    await pass.run();
    this.metrics.ran(pass.report());
    end();
  }

  async #write(entries: readonly WarmableEntry[]): Promise<WarmedBatch> {
    const batch = await this.target.setMany(entries, Operation.warm);
    this.metrics.warmed(DIRECT, batch.written);
    const rejected = new Set(batch.rejected.map(({ key }) => key));
    this.#efficiency.open(DIRECT).watch(entries.map(({ key }) => key).filter((key) => !rejected.has(key)));
    return batch;
  }

  /** The run that is at exactly this already. */
  #runOf(passes: readonly BegunPass[]): WarmingRun | undefined {
    return [...this.#runs.values()].find(
      (run) => run.running && run.passes.length === passes.length && passes.every((pass) => run.passes.includes(pass)),
    );
  }

  #remember(run: WarmingRun): void {
    this.#runs.set(run.id, run);
    if (this.#runs.size <= MAX_REPORTS) return;
    const oldest = [...this.#runs.values()].find(({ running }) => !running) ?? [...this.#runs.values()][0];
    if (oldest !== undefined) this.#runs.delete(oldest.id);
  }
}
