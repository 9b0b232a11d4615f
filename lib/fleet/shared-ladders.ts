import { randomUUID } from 'node:crypto';
import { TIMED_OUT, within } from '../cache/base/bounded-wait.js';
import type { Clock } from '../cache/base/clock.js';
import { runInSlices } from '../cache/base/slices.js';
import type { SharedMap } from '../cache/layers/layer.js';
import type { CacheInsight } from '../insight/cache-insight.js';
import type { LadderExchange } from '../insight/ladder-exchange.js';
import { readLadderNotes } from '../insight/ladder-notes.js';
import { notesOfOthers } from './notes-of-others.js';

/** What an instance notes at most, and what is read of another one, bytes. */
const MOST_BYTES = 65_536;
/** Intervals for which notes are kept. */
const KEPT = 3;
const READ_WITHIN_MS = 1_500;
const WITHDRAW_WITHIN_MS = 1_000;

export interface SharedLaddersOptions {
  readonly insight: Pick<CacheInsight, 'exchange'>;
  /** Undefined if no layer can hold notes. */
  readonly sharedMap: SharedMap | undefined;
  /** How often notes are exchanged, milliseconds; undefined if fleets are off. */
  readonly everyMs: number | undefined;
  readonly clock: Clock;
}

/** Lets the TTL ladders of a fleet count what other instances loaded: see `insight/ladder-exchange.ts`. */
export class SharedLadders {
  readonly #instance = randomUUID();
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(private readonly options: SharedLaddersOptions) {}

  onApplicationBootstrap(): void {
    const { insight, sharedMap, everyMs } = this.options;
    if (sharedMap === undefined || everyMs === undefined) return;
    const exchange = insight.exchange(everyMs);
    if (exchange !== undefined) this.#next(exchange, sharedMap, everyMs);
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    if (this.#cancel === undefined) return;
    this.#cancel();
    const { sharedMap, clock } = this.options;
    await within(sharedMap!.withdraw(this.#instance), WITHDRAW_WITHIN_MS, clock).catch(() => undefined);
  }

  #next(exchange: LadderExchange, sharedMap: SharedMap, everyMs: number): void {
    this.#cancel = this.options.clock.after(everyMs, () => {
      void this.#exchange(exchange, sharedMap, everyMs)
        // Where the layer is away, the exchange of the statistics says so.
        .catch(() => undefined)
        .finally(() => {
          if (!this.#stopped) this.#next(exchange, sharedMap, everyMs);
        });
    });
  }

  async #exchange(exchange: LadderExchange, sharedMap: SharedMap, everyMs: number): Promise<void> {
    const { clock } = this.options;
    const notes = await runInSlices(exchange.notes(clock.now(), MOST_BYTES));
    await within(sharedMap.publish(this.#instance, notes, KEPT * everyMs), READ_WITHIN_MS, clock);
    const read = await within(sharedMap.readAll(), READ_WITHIN_MS, clock);
    if (read === TIMED_OUT || this.#stopped) return;
    const others = notesOfOthers(read, this.#instance, (bytes) =>
      bytes.length > MOST_BYTES ? undefined : readLadderNotes(bytes),
    );
    await runInSlices(exchange.learn(others, this.#instance, clock.now()));
  }
}
