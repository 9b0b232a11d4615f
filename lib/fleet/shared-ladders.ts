import type { Clock } from '../cache/base/clock.js';
import { runInSlices } from '../cache/base/slices.js';
import type { SharedMap } from '../cache/layers/layer.js';
import type { CacheInsight } from '../insight/cache-insight.js';
import type { LadderExchange } from '../insight/ladder-exchange.js';
import { readLadderNotes } from '../insight/ladder-notes.js';
import { SharedNotes } from './shared-notes.js';

/** The maximum size of notes that are written or read, bytes. */
const MOST_BYTES = 65_536;
/** The number of intervals for which notes are stored. */
const KEPT = 3;

export interface SharedLaddersOptions {
  readonly insight: Pick<CacheInsight, 'exchange'>;
  /** Undefined if no layer can store notes. */
  readonly sharedMap: SharedMap | undefined;
  /** The interval between exchanges, milliseconds; undefined if `fleet` is off. */
  readonly everyMs: number | undefined;
  readonly clock: Clock;
}

/** Exchanges the loads of instances, so that the TTL ladders of a fleet count them: see `insight/ladder-exchange.ts`. */
export class SharedLadders {
  #notes: SharedNotes | undefined;

  constructor(private readonly options: SharedLaddersOptions) {}

  onApplicationBootstrap(): void {
    const { insight, sharedMap, everyMs, clock } = this.options;
    if (sharedMap === undefined || everyMs === undefined) return;
    const exchange = insight.exchange(everyMs);
    if (exchange === undefined) return;
    const notes = new SharedNotes(sharedMap, clock);
    notes.exchangeEvery(everyMs, () => this.#exchange(exchange, notes, everyMs));
    this.#notes = notes;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#notes?.stop();
  }

  async #exchange(exchange: LadderExchange, notes: SharedNotes, everyMs: number): Promise<void> {
    const { clock } = this.options;
    await notes.publish(await runInSlices(exchange.notes(clock.now(), MOST_BYTES)), KEPT * everyMs);
    const others = await notes.others((bytes) => (bytes.length > MOST_BYTES ? undefined : readLadderNotes(bytes)));
    if (others !== undefined) await runInSlices(exchange.learn(others, notes.instance, clock.now()));
  }
}
