import { randomUUID } from 'node:crypto';
import { TIMED_OUT, within } from '../cache/base/bounded-wait.js';
import type { Clock } from '../cache/base/clock.js';
import type { SharedMap } from '../cache/layers/layer.js';

/** Instances whose notes are read. */
const MOST_OTHERS = 64;
const READ_WITHIN_MS = 1_500;
const WITHDRAW_WITHIN_MS = 1_000;

/** The note of this instance in a shared map, renewed at an interval, and those of the others. The timer does not keep the process alive. */
export class SharedNotes {
  /** The name of this instance. */
  readonly instance = randomUUID();
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(
    private readonly map: SharedMap,
    private readonly clock: Clock,
  ) {}

  /** Calls `exchange` at an interval until it is stopped, first after one interval. */
  exchangeEvery(everyMs: number, exchange: () => Promise<void>, firstMs = everyMs): void {
    this.#cancel = this.clock.after(firstMs, () => {
      void exchange()
        // If the layer does not answer, the exchange of the statistics reports it.
        .catch(() => undefined)
        .finally(() => {
          if (!this.#stopped) this.exchangeEvery(everyMs, exchange);
        });
    });
  }

  async publish(note: Uint8Array, keepMs: number): Promise<void> {
    if (this.#stopped) return;
    await within(this.map.publish(this.instance, note, keepMs), READ_WITHIN_MS, this.clock);
  }

  /**
   * What the other instances noted, by their names; undefined if the layer took too long. Notes of other programs do not count towards
   * the most that are read, or they would hide instances.
   * @param parse returns undefined for what is not a note
   */
  async others<T>(parse: (bytes: Uint8Array) => T | undefined): Promise<ReadonlyMap<string, T> | undefined> {
    const all = await within(this.map.readAll(), READ_WITHIN_MS, this.clock);
    if (all === TIMED_OUT) return undefined;
    const others = new Map<string, T>();
    for (const [instance, bytes] of all) {
      if (instance === this.instance) continue;
      const noted = parse(bytes);
      if (noted !== undefined) others.set(instance, noted);
      if (others.size === MOST_OTHERS) break;
    }
    return others;
  }

  /** Ends the exchange, and removes the note of this instance. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#cancel === undefined) return;
    this.#cancel();
    await within(this.map.withdraw(this.instance), WITHDRAW_WITHIN_MS, this.clock).catch(() => undefined);
  }
}
