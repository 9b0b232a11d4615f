import type { LimitFunction } from 'p-limit';
import { bounded } from '../cache/base/bounded-wait.js';
import type { Clock } from '../cache/base/clock.js';
import { CacheError, type CacheErrorCode } from '../cache/base/errors.js';
import { checkKey, checkTags } from '../cache/base/keys.js';
import { Operation } from '../cache/base/observer.js';
import { Batch } from './batch.js';
import type { HitWatch } from './warming-hits.js';
import { checkedEntry } from './entry-check.js';
import type { WarmingEntry, WarmingStrategyOptions } from './strategy.js';
import type { StrategyTally } from './strategy-tally.js';
import type { WarmableEntry, WarmingTarget } from './warming-target.js';
import { WarmingTask } from './warming-task.js';

const BATCH_SIZE = 100;
const CHECK_LINGER_MS = 10;
const WRITE_LINGER_MS = 50;
/** Time limit of one load, so that a hanging load does not block others. */
const LOAD_TIMEOUT_MS = 30_000;

interface WriterContext {
  readonly target: WarmingTarget;
  readonly clock: Clock;
  readonly loads: LimitFunction;
  readonly hits: HitWatch;
}

/**
 * Writes entries to the cache: checks in batches which keys are fresh, loads the others concurrently, and writes them in batches.
 * It never rejects.
 */
export class WarmingWriter {
  readonly #checks: Batch<WarmingEntry>;
  readonly #writes: Batch<WarmableEntry>;
  readonly #loading = new Set<Promise<void>>();
  #outstanding = 0;
  #roomMade: (() => void) | undefined;

  constructor(
    private readonly options: Readonly<WarmingStrategyOptions>,
    private readonly context: WriterContext,
    private readonly tally: StrategyTally,
    private readonly signal: AbortSignal,
  ) {
    const { clock } = context;
    signal.addEventListener('abort', () => this.#settled(0), { once: true });
    this.#checks = new Batch({ size: BATCH_SIZE, lingerMs: CHECK_LINGER_MS }, clock, (entries) => this.#check(entries));
    this.#writes = new Batch({ size: BATCH_SIZE, lingerMs: WRITE_LINGER_MS }, clock, (entries) => this.#write(entries));
  }

  /** Resolves when there is room for another entry; at most two batches are written at a time. */
  async room(): Promise<void> {
    while (this.#outstanding >= 2 * BATCH_SIZE && !this.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#roomMade = resolve;
      });
    }
  }

  /** Takes one value that a strategy yielded, valid or not. */
  take(yielded: unknown): void {
    if (yielded instanceof WarmingTask) {
      this.#outstanding++;
      this.#loadAside(() => this.#perform(yielded));
      return;
    }
    try {
      const entry = checkedEntry(yielded, this.options.name);
      checkKey(entry.key);
      if (entry.tags !== undefined) checkTags(entry.tags);
      this.#outstanding++;
      this.#checks.add(entry);
    } catch (error) {
      this.tally.entryFailed(asInvalid(error, this.options.name));
    }
  }

  /** Resolves when every accepted entry is written, or the signal has aborted. */
  async drain(): Promise<void> {
    await this.#checks.drain();
    while (this.#loading.size > 0) await Promise.all(this.#loading);
    await this.#writes.drain();
  }

  async #check(entries: readonly WarmingEntry[]): Promise<void> {
    let fresh: ReadonlySet<string> = new Set<string>();
    try {
      fresh = await this.context.target.freshKeys(entries.map(({ key }) => key));
    } catch {
      // If the check for fresh keys fails, load all of them.
    }
    for (const entry of entries) {
      if (fresh.has(entry.key)) {
        this.tally.keysSkipped++;
        this.#settled(1);
      } else if (entry.load === undefined) {
        this.#writes.add(this.#writable(entry, entry.value));
      } else {
        this.#loadAside(() => this.#load(entry, entry.load));
      }
    }
  }

  async #load(entry: WarmingEntry, load: (signal: AbortSignal) => unknown): Promise<void> {
    if (this.signal.aborted) return this.#settled(1);
    const since = this.context.target.mark?.();
    try {
      const value = await this.#bounded((async () => load(this.signal))());
      this.#writes.add({ ...this.#writable(entry, value), ...(since === undefined ? {} : { since }) });
    } catch (error) {
      since?.release();
      if (!this.signal.aborted) this.tally.entryFailed(error, entry.key);
      this.#settled(1);
    }
  }

  async #perform(task: WarmingTask): Promise<void> {
    try {
      if (this.signal.aborted) return;
      const outcome = await this.#bounded(task.perform(this.signal));
      this.tally.keysWarmed += outcome.warmed;
      this.tally.keysSkipped += outcome.skipped;
      this.tally.bytes += outcome.bytes;
      this.context.hits.watch(outcome.keys);
    } catch (error) {
      if (!this.signal.aborted) this.tally.entryFailed(error);
    } finally {
      this.#settled(1);
    }
  }

  async #write(entries: readonly WarmableEntry[]): Promise<void> {
    try {
      const { written, rejected, bytes } = await this.context.target.setMany(entries, Operation.warm);
      this.tally.keysWarmed += written;
      this.tally.bytes += bytes;
      const kept = new Set(entries.map(({ key }) => key));
      for (const { key, code } of rejected) {
        kept.delete(key);
        // Not stored, either because the key was invalidated during the load (the next caller loads it), or because its handler does not store it.
        if (code === 'INVALIDATED' || code === 'NOT_CACHEABLE') this.tally.keysSkipped++;
        else this.tally.entryFailed(rejection(code), key);
      }
      this.context.hits.watch([...kept]);
    } catch (error) {
      this.tally.entryFailed(error, undefined, entries.length);
    } finally {
      for (const { since } of entries) since?.release();
      this.#settled(entries.length);
    }
  }

  #writable({ key, ttl, tags }: WarmingEntry, value: unknown): WarmableEntry {
    const lasts = ttl ?? this.options.ttl;
    return { key, value, ...(lasts === undefined ? {} : { ttl: lasts }), ...(tags === undefined ? {} : { tags }) };
  }

  #untilAborted(work: Promise<void>): Promise<void> {
    const bounds = { ms: Infinity, clock: this.context.clock, signal: this.signal };
    return bounded(work, bounds, () => undefined).catch(() => undefined);
  }

  #bounded<T>(work: Promise<T>): Promise<T> {
    const bounds = { ms: LOAD_TIMEOUT_MS, clock: this.context.clock, signal: this.signal };
    return bounded(work, bounds, () => {
      throw new CacheError(
        'LOAD_TIMEOUT',
        `An entry of warming strategy "${this.options.name}" was not loaded within ${LOAD_TIMEOUT_MS} ms.`,
      );
    });
  }

  #loadAside(work: () => Promise<void>): void {
    // After an abort, do not wait for the place of another load.
    const loading = this.#untilAborted(this.context.loads(work)).finally(() => this.#loading.delete(loading));
    this.#loading.add(loading);
  }

  #settled(count: number): void {
    this.#outstanding -= count;
    this.#roomMade?.();
    this.#roomMade = undefined;
  }
}

function rejection(code: string): CacheError {
  return new CacheError(code as CacheErrorCode, 'The cache did not store the value.');
}

/** Returns the error for an entry whose properties throw when they are read. */
function asInvalid(error: unknown, strategy: string): CacheError {
  if (error instanceof CacheError) return error;
  return new CacheError(
    'INVALID_WARMING_ENTRY',
    `Warming strategy "${strategy}" yielded an entry that cannot be read.`,
    {
      cause: error,
    },
  );
}
