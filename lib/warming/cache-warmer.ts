import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { Inject, Injectable, type OnModuleDestroy, Optional } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import type { WarmingOptions } from './warming.options.js';
import { type Clock, systemClock } from '../cache/base/clock.js';
import { CACHE_CLOCK } from '../cache/base/tokens.js';
import type { Duration } from '../cache/base/duration.js';
import { CacheError, type CacheErrorCode } from '../cache/base/errors.js';
import { Operation } from '../cache/base/observer.js';
import { ShutdownBudget } from '../cache/base/shutdown-budget.js';
import { WarmingHits, type WarmedEntries } from './warming-hits.js';
import { ReplicaLock } from './replica-lock.js';
import type { WarmingStrategy, WarmingStrategyOptions } from './strategy.js';
import { type RegisteredStrategy, StrategyPass, type TaskStrategy } from './strategy-pass.js';
import { StrategyRegistry } from './strategy-registry.js';
import { WarmingFeed } from './warming-feed.js';
import { WarmingMetrics } from './warming-metrics.js';
import type { WarmingProgress, WarmingReport, WarmingRunHandle, WarmingTrigger } from './warming-report.js';
import { type BegunPass, WarmingRun } from './warming-run.js';
import {
  WARMING_OPTIONS,
  WARMING_TARGET,
  type WarmableEntry,
  type WarmedBatch,
  type WarmingTarget,
} from './warming-target.js';

const DEFAULT_CONCURRENCY = 4;
const MAX_REPORTS = 100;
/** How long to wait for aborted runs to end, milliseconds. */
const STOP_MS = 1_000;
/** The strategy name of entries that are warmed without a strategy. */
const DIRECT = 'direct';

/** Options of a run. */
export interface StartOptions {
  /** @default 'manual' */
  readonly trigger?: WarmingTrigger;
  /** Waits for another replica that warms the same strategy, then warms the remaining keys. @default false: skips the strategy */
  readonly waitForReplica?: boolean;
  /** Omits a frequent run from the log and the stored reports. @default false */
  readonly quiet?: boolean;
}

/**
 * Fills the cache before the first request.
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
  readonly #budget: ShutdownBudget;
  readonly #efficiency: WarmingHits;
  readonly #feed: WarmingFeed;
  readonly #lock: ReplicaLock;
  readonly #strategiesAtOnce: LimitFunction;
  readonly #loadsAtOnce: LimitFunction;

  constructor(
    @Inject(WARMING_TARGET) private readonly target: WarmingTarget,
    @Inject(StrategyRegistry) private readonly registry: StrategyRegistry,
    @Optional() @Inject(WARMING_OPTIONS) options?: WarmingOptions,
    @Optional() @Inject(CACHE_CLOCK) clock?: Clock,
    @Optional() @Inject(ShutdownBudget) budget?: ShutdownBudget,
  ) {
    const concurrency = options?.concurrency ?? DEFAULT_CONCURRENCY;
    this.#clock = clock ?? systemClock;
    this.#budget = budget ?? new ShutdownBudget(this.#clock);
    setMaxListeners(0, this.#shutdown.signal);
    this.#efficiency = new WarmingHits(target, this.#clock);
    this.metrics = new WarmingMetrics((strategy) => this.#efficiency.ofStrategy(strategy));
    this.#feed = new WarmingFeed(this.#clock);
    this.#lock = new ReplicaLock(target.layers, this.#clock);
    this.#strategiesAtOnce = pLimit(concurrency);
    this.#loadsAtOnce = pLimit(concurrency);
  }

  /** The options of every strategy, in the order of registration. */
  get strategies(): readonly Readonly<WarmingStrategyOptions>[] {
    return this.registry.all.map(({ options }) => options);
  }

  /**
   * Adds a strategy that is not a provider; its `cron` takes effect once the application is up.
   * @param options required if its class has no `@WarmingStrategy`.
   * @throws CacheError `INVALID_OPTIONS`, `DUPLICATE_STRATEGY`
   */
  register(strategy: WarmingStrategy | TaskStrategy, options?: WarmingStrategyOptions): void {
    this.registry.add(strategy, options);
  }

  /**
   * Begins a run without waiting for it. If a strategy already runs, the run joins it.
   * @param names one strategy or several. @default every strategy
   * @throws CacheError `UNKNOWN_STRATEGY`, listing the known strategies.
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

  /** Runs every strategy concurrently, higher priorities first. */
  warmAll(): Promise<WarmingReport> {
    return this.start().done;
  }

  /** Runs the named strategies. @throws CacheError `UNKNOWN_STRATEGY`, listing the known strategies. */
  async warm(names: string | readonly string[]): Promise<WarmingReport> {
    return this.start(names).done;
  }

  /**
   * Stores one value, even if a fresh entry exists.
   * @param ttl milliseconds or a duration string. @default the cache's
   * @throws CacheError with the code of the reason if the cache cannot store it, such as `VALUE_NOT_SERIALIZABLE`.
   */
  async warmSpecificKey(key: string, data: unknown, ttl?: Duration): Promise<void> {
    const { rejected } = await this.#write([{ key, value: data, ...(ttl === undefined ? {} : { ttl }) }]);
    const refused = rejected[0];
    if (refused !== undefined) {
      throw new CacheError(refused.code as CacheErrorCode, `The value to warm was not stored: ${refused.code}.`);
    }
  }

  /**
   * Stores values, even if fresh entries exist, with one round trip per layer.
   * @param ttl milliseconds or a duration string. @default the cache's
   */
  async warmBatch(data: Readonly<Record<string, unknown>>, ttl?: Duration): Promise<WarmedBatch> {
    const lasts = ttl === undefined ? {} : { ttl };
    return this.#write(Object.entries(data).map(([key, value]) => ({ key, value, ...lasts })));
  }

  /** Returns the current report of one of the last hundred runs; undefined for other ids. */
  getReport(id: string): WarmingReport | undefined {
    return this.#runs.get(id)?.report();
  }

  /** Returns the reports of the last runs, newest first. @param limit at most 100 are stored. @default 10 */
  reports(limit = 10): readonly WarmingReport[] {
    return [...this.#runs.values()]
      .slice(-Math.max(1, limit))
      .reverse()
      .map((run) => run.report());
  }

  /** Returns the number of warmed entries of a pattern that have ended, and how many were read, by strategy. */
  warmedOf(pattern: string): readonly WarmedEntries[] {
    return this.#efficiency.ofPattern(pattern);
  }

  /** Resets the counts of a strategy's entries of a pattern. */
  countAnew(strategy: string, pattern: string): void {
    this.#efficiency.forget(strategy, pattern);
  }

  /**
   * Calls `listener` when a strategy starts, every five seconds while it runs, and when it has ended.
   * @returns a function that stops it.
   */
  onProgress(listener: (progress: WarmingProgress) => void): () => void {
    return this.#feed.listen(listener);
  }

  /** Aborts running strategies and waits up to a second for their end. */
  async onModuleDestroy(): Promise<void> {
    this.#shutdown.abort(new CacheError('WARMING_ABORTED', 'The application is shutting down.'));
    // Every pass listens to the signal. A strategy that ignores it is not waited for.
    await this.#budget.spend(() => Promise.all([...this.#passes.values()].map(({ ended }) => ended)), STOP_MS);
    this.#efficiency.close();
  }

  #joined(registered: RegisteredStrategy, runId: string, options: Required<StartOptions>): BegunPass {
    const { name, concurrency } = registered.options;
    const { strategy } = registered;
    const running = this.#passes.get(name);
    if (running !== undefined) return running;
    const pass = new StrategyPass(registered, {
      target: this.target,
      clock: this.#clock,
      lock: this.#lock,
      loads: concurrency === undefined ? this.#loadsAtOnce : pLimit(concurrency),
      hits: this.#efficiency.open(name, (key) => ('read' in strategy ? strategy.read?.(key) : undefined)),
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

  /** Returns the current run with exactly these passes. */
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
