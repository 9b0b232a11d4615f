import { setMaxListeners } from 'node:events';
import type { LimitFunction } from 'p-limit';
import { bounded } from '../cache/base/bounded-wait.js';
import { milliseconds } from '../cache/base/duration.js';
import type { Clock } from '../cache/base/clock.js';
import { CacheError } from '../cache/base/errors.js';
import { WarmingWriter } from './warming-writer.js';
import type { HitWatch } from './warming-hits.js';
import type { ReplicaLock } from './replica-lock.js';
import type { WarmingStrategy, WarmingStrategyOptions } from './strategy.js';
import { StrategyTally } from './strategy-tally.js';
import type { StrategyReport, WarmingResult } from './warming-report.js';
import type { WarmingTarget } from './warming-target.js';

/** A strategy that yields no entry for this time is aborted, milliseconds. */
const STALL_MS = 300_000;

/** The dependencies of a pass. */
export interface PassContext {
  readonly target: WarmingTarget;
  readonly clock: Clock;
  readonly lock: ReplicaLock;
  readonly loads: LimitFunction;
  readonly hits: HitWatch;
  /** Aborted at shutdown. */
  readonly signal: AbortSignal;
  /** Whether to wait for another replica that warms the same strategy instead of skipping it. */
  readonly waitForReplica: boolean;
}

/** A strategy with its options. */
export interface RegisteredStrategy {
  readonly options: Readonly<WarmingStrategyOptions>;
  readonly strategy: WarmingStrategy | TaskStrategy;
}

/** A built-in strategy, which yields tasks instead of entries. */
export interface TaskStrategy {
  /** True if every replica runs it, without the lock. */
  readonly everyReplica?: boolean;
  /** Called when one of its entries is read for the first time. */
  read?(key: string): void;
  entries(signal: AbortSignal): Iterable<unknown> | AsyncIterable<unknown> | Promise<Iterable<unknown>>;
}

/** One run of a strategy through its entries. It never rejects: every error is in its report. */
export class StrategyPass {
  readonly name: string;
  readonly #tally = new StrategyTally();
  readonly #controller = new AbortController();
  #startedAt: number | undefined;
  #endedAt: number | undefined;
  #result: WarmingResult | undefined;

  constructor(
    private readonly registered: RegisteredStrategy,
    private readonly context: PassContext,
  ) {
    this.name = registered.options.name;
    // Every running load adds a listener; without this, Node warns of more than ten.
    setMaxListeners(0, this.#controller.signal);
  }

  get hits(): HitWatch {
    return this.context.hits;
  }

  report(): StrategyReport {
    const { clock, hits } = this.context;
    const startedAt = this.#startedAt ?? clock.now();
    return this.#tally.report({
      strategy: this.name,
      result: this.#result ?? 'running',
      durationMs: Math.max(0, (this.#endedAt ?? clock.now()) - startedAt),
      efficiency: hits.efficiency,
    });
  }

  async run(): Promise<void> {
    const { clock, lock, signal, waitForReplica } = this.context;
    this.#startedAt = clock.now();
    const cancelTimeout = this.#limitTime();
    const abort = () => this.#controller.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    try {
      const { strategy } = this.registered;
      if ('everyReplica' in strategy && strategy.everyReplica === true) {
        await this.#warm();
        return;
      }
      const turn = waitForReplica ? await lock.wait(this.name, this.#controller.signal) : await lock.take(this.name);
      if (turn.state === 'elsewhere') {
        this.#result = this.#controller.signal.aborted ? this.#abortedAs() : 'elsewhere';
        return;
      }
      try {
        await this.#warm();
      } finally {
        turn.release();
      }
    } finally {
      cancelTimeout();
      signal.removeEventListener('abort', abort);
      this.#endedAt = clock.now();
    }
  }

  async #warm(): Promise<void> {
    const { signal } = this.#controller;
    const writer = new WarmingWriter(this.registered.options, this.context, this.#tally, signal);
    try {
      await this.#pull(writer, signal);
    } catch (error) {
      if (!signal.aborted) this.#tally.fault(error);
    }
    await writer.drain();
    this.#result = signal.aborted ? this.#abortedAs() : this.#tally.result();
  }

  /** Reads one entry after the other, when the writer has room. */
  async #pull(writer: WarmingWriter, signal: AbortSignal): Promise<void> {
    const bounds = { signal, clock: this.context.clock, ms: STALL_MS };
    const stalled = (): never => {
      throw this.#stalled();
    };
    if (signal.aborted) return;
    const entries: unknown = await bounded(this.registered.strategy.entries(signal), bounds, stalled);
    const iterator = iteratorOf(entries, this.name);
    let ended = false;
    try {
      while (!signal.aborted) {
        await writer.room();
        if (signal.aborted) return;
        const next = await bounded(iterator.next(), bounds, stalled);
        if (next.done === true) {
          ended = true;
          return;
        }
        writer.take(next.value);
      }
    } finally {
      if (!ended) closeQuietly(iterator);
    }
  }

  #limitTime(): () => void {
    const { timeout, name } = this.registered.options;
    if (timeout === undefined) return () => undefined;
    const ms = milliseconds(timeout, `timeout of warming strategy "${name}"`);
    return this.context.clock.after(ms, () => {
      this.#controller.abort(
        new CacheError('WARMING_ABORTED', `Warming strategy "${name}" took longer than its timeout of ${ms} ms.`),
      );
    });
  }

  #abortedAs(): WarmingResult {
    return this.context.signal.aborted ? 'aborted' : 'timeout';
  }

  #stalled(): CacheError {
    return new CacheError(
      'WARMING_ABORTED',
      `Warming strategy "${this.name}" yielded nothing for ${STALL_MS / 60_000} minutes and was given up.`,
    );
  }
}

function iteratorOf(entries: unknown, strategy: string): Iterator<unknown> | AsyncIterator<unknown> {
  if (typeof entries === 'object' && entries !== null) {
    if (Symbol.asyncIterator in entries) return (entries as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    if (Symbol.iterator in entries) return (entries as Iterable<unknown>)[Symbol.iterator]();
  }
  throw new CacheError(
    'INVALID_WARMING_ENTRY',
    `entries() of warming strategy "${strategy}" did not return an iterable. Return an array or make it a generator.`,
  );
}

/** Closes the iterator of a strategy, and ignores errors. */
function closeQuietly(iterator: Iterator<unknown> | AsyncIterator<unknown>): void {
  try {
    Promise.resolve(iterator.return?.()).catch(() => undefined);
  } catch {
    // The generator still runs the last call of next().
  }
}
