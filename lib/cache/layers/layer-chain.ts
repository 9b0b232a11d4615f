import type { Clock } from '../clock.js';
import type { Entry } from '../entry.js';
import { CacheError } from '../errors.js';
import { frozen } from '../entries/frozen.js';
import { backfilledEntry } from '../entries/kept-entry.js';
import type { Layer, LayerWrite, LoadTicket, NearLayer } from './layer.js';
import { type CacheObserver, CircuitState, LayerOperation, LayerResult } from '../observer.js';
import type { OnceLog } from '../once-log.js';

/** What a walk down the chain found. */
export interface Located {
  /** The freshest entry there is, fresh or stale. */
  readonly entry: Entry | undefined;
  /** Index of the layer that had it, or -1. */
  readonly layer: number;
  /** A layer failed, so that absence proves nothing. */
  readonly failed: boolean;
  /** A layer did not even try (open circuit). */
  readonly refused: boolean;
}

type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refused: boolean };

/** The layers, nearest first. One that rejects is counted, named in the log once, and passed over. */
export class LayerChain {
  readonly layers: readonly Layer[];
  /** The first layer, where it answers in the same turn. */
  readonly near: NearLayer | undefined;
  /** Index of the first layer that does not. */
  readonly firstFar: number;
  readonly hasFar: boolean;
  /** No layer keeps an entry itself. */
  readonly encodes: boolean;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #log: OnceLog;
  #underWay = 0;
  #idle: (() => void)[] = [];

  constructor(layers: readonly Layer[], observer: CacheObserver, clock: Clock, log: OnceLog) {
    this.layers = layers;
    const [first] = layers;
    this.near = first !== undefined && isNear(first) ? first : undefined;
    this.firstFar = this.near === undefined ? 0 : 1;
    this.hasFar = layers.length > this.firstFar;
    this.encodes = this.hasFar && layers.every((layer) => layer.encodes === true);
    this.#observer = observer;
    this.#clock = clock;
    this.#log = log;
  }

  name(layer: number): string | undefined {
    return this.layers[layer]?.name;
  }

  /** Tells what the nearest layer, asked without a promise, had for one key. */
  countNear(hit: boolean, durationMs: number): void {
    if (this.near === undefined) return;
    this.#observer.layer(0, LayerOperation.get, hit ? LayerResult.hit : LayerResult.miss, durationMs, 1, hit ? 1 : 0);
  }

  /** Asks the far layers in turn until one has a fresh entry. */
  async locate(key: string, ticket: LoadTicket | undefined, from = this.firstFar): Promise<Located> {
    let entry: Entry | undefined;
    let found = -1;
    let failed = false;
    let refused = false;
    for (let layer = from; layer < this.layers.length; layer++) {
      const reply = await this.#call(
        layer,
        LayerOperation.get,
        1,
        (asked) => asked.get(key, ticket),
        (value) => (value === undefined ? 0 : 1),
      );
      if (!reply.ok) {
        if (reply.refused) refused = true;
        else failed = true;
      } else if (reply.value !== undefined && (entry === undefined || reply.value.freshUntil > entry.freshUntil)) {
        entry = reply.value;
        found = layer;
        if (entry.freshUntil > this.#clock.now()) break;
      }
    }
    return { entry, layer: found, failed, refused };
  }

  /** The same for many keys: one round trip a layer, each asked only for what the nearer ones did not have fresh. */
  async locateMany(keys: readonly string[], tickets?: readonly LoadTicket[]): Promise<Located[]> {
    if (this.layers.length === this.firstFar + 1) return this.#locateInOne(keys, tickets);
    const found: { entry: Entry | undefined; layer: number; failed: boolean; refused: boolean }[] = keys.map(() => ({
      entry: undefined,
      layer: -1,
      failed: false,
      refused: false,
    }));
    let open = keys.map((_, index) => index);
    for (let layer = this.firstFar; layer < this.layers.length && open.length > 0; layer++) {
      const asking = open;
      const reply = await this.#call(
        layer,
        LayerOperation.get,
        asking.length,
        (asked) =>
          asked.getMany(
            asking.map((index) => keys[index]!),
            tickets === undefined ? undefined : asking.map((index) => tickets[index]!),
          ),
        countOf,
      );
      const now = this.#clock.now();
      open = [];
      asking.forEach((index, position) => {
        const place = found[index]!;
        if (!reply.ok) {
          if (reply.refused) place.refused = true;
          else place.failed = true;
        } else {
          const entry = reply.value[position];
          if (entry !== undefined && (place.entry === undefined || entry.freshUntil > place.entry.freshUntil)) {
            place.entry = entry;
            place.layer = layer;
          }
        }
        if (place.entry === undefined || place.entry.freshUntil <= now) open.push(index);
      });
    }
    return found;
  }

  /** With one far layer places are made once it has answered: what lives through a read of many costs its collection dear. */
  async #locateInOne(keys: readonly string[], tickets: readonly LoadTicket[] | undefined): Promise<Located[]> {
    const layer = this.firstFar;
    const reply = await this.#call(
      layer,
      LayerOperation.get,
      keys.length,
      (asked) => asked.getMany(keys, tickets),
      countOf,
    );
    if (!reply.ok) {
      const nowhere = { entry: undefined, layer: -1, failed: !reply.refused, refused: reply.refused };
      return keys.map(() => nowhere);
    }
    const entries = reply.value;
    return keys.map((_, at) => {
      const entry = entries[at];
      return entry === undefined ? ABSENT : new Found(entry, layer);
    });
  }

  /**
   * Puts an entry found in layer `found` into the nearer ones, with what is left of its times, and freezes its value, which
   * from here on has more than one reader. @returns what they keep.
   */
  backfill(key: string, entry: Entry, found: number, epoch: number): Entry {
    if (!entry.mutable) frozen(entry.value);
    // Nobody nearer keeps it.
    if (found === 0) return entry;
    const copy = backfilledEntry(entry, epoch);
    for (let layer = this.firstFar; layer < found; layer++) void this.#write(layer, key, copy, undefined);
    if (this.near !== undefined) this.#setNearest(this.near, key, copy);
    return copy;
  }

  /** Writes to every layer. The nearest has it when this returns, all of them when it resolves. */
  set(key: string, entry: Entry, ticket?: LoadTicket): Promise<boolean> | boolean {
    if (!this.hasFar) {
      this.#setNearest(this.near!, key, entry);
      return true;
    }
    const writes = this.layers.map((_, layer) => this.#write(layer, key, entry, ticket));
    return Promise.all(writes).then((replies) => replies.some(({ ok }) => ok));
  }

  /** One round trip a layer. @returns true where at least one layer has them. */
  async setMany(entries: readonly LayerWrite[]): Promise<boolean> {
    if (entries.length === 0) return true;
    const replies = await this.#all(LayerOperation.set, entries.length, (layer) => layer.setMany(entries));
    return replies.some(({ ok }) => ok);
  }

  /** Puts into the layer nearest to the caller alone. */
  setNear(entries: readonly (readonly [key: string, entry: Entry])[]): void {
    for (const [key, entry] of entries) this.near?.set(key, entry);
  }

  /** @returns the most that any layer removed, and whether all of them answered. */
  async deleteMany(keys: readonly string[]): Promise<{ removed: number; complete: boolean }> {
    const [key] = keys;
    return counted(
      await this.#all(LayerOperation.delete, keys.length, (layer) =>
        keys.length === 1 ? Promise.resolve(layer.delete(key!)).then(Number) : layer.deleteMany(keys),
      ),
    );
  }

  async deleteByPattern(glob: string): Promise<{ removed: number; complete: boolean }> {
    return counted(await this.#all(LayerOperation.invalidate, 1, (layer) => layer.deleteByPattern(glob)));
  }

  async invalidateTags(tags: readonly string[]): Promise<boolean> {
    const replies = await this.#all(LayerOperation.invalidate, tags.length, (layer) => layer.invalidateTags(tags));
    return replies.every(({ ok }) => ok);
  }

  async clear(): Promise<boolean> {
    const replies = await this.#all(LayerOperation.invalidate, 1, (layer) => layer.clear());
    return replies.every(({ ok }) => ok);
  }

  /** Resolves when no layer is asked for anything any more: also writes and back-fills that nobody waits for. */
  idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #setNearest(near: NearLayer, key: string, entry: Entry): void {
    near.set(key, entry);
    this.#observer.layer(0, LayerOperation.set, LayerResult.ok, 0, 1, 0);
  }

  #write(layer: number, key: string, entry: Entry, ticket: LoadTicket | undefined): Promise<Reply<void>> {
    return this.#call(layer, LayerOperation.set, 1, (asked) => asked.set(key, entry, ticket));
  }

  #all<T>(
    operation: LayerOperation,
    keys: number,
    ask: (layer: Layer) => T | Promise<T>,
  ): Promise<Reply<Awaited<T>>[]> {
    return Promise.all(this.layers.map((_, layer) => this.#call(layer, operation, keys, ask)));
  }

  async #call<T>(
    index: number,
    operation: LayerOperation,
    keys: number,
    ask: (layer: Layer) => T | Promise<T>,
    hitsOf?: (value: Awaited<T>) => number,
  ): Promise<Reply<Awaited<T>>> {
    const layer = this.layers[index]!;
    const startedAt = this.#clock.now();
    this.#underWay++;
    try {
      const value = await ask(layer);
      const hits = hitsOf === undefined ? 0 : hitsOf(value);
      const result = hitsOf === undefined ? LayerResult.ok : hits > 0 ? LayerResult.hit : LayerResult.miss;
      this.#observer.layer(index, operation, result, this.#clock.now() - startedAt, keys, hits);
      this.#answered(layer);
      return { ok: true, value };
    } catch (cause) {
      const result = failure(cause);
      this.#observer.layer(index, operation, result, this.#clock.now() - startedAt, keys, 0);
      this.#log.say(
        'warn',
        'LAYER_FAILED',
        layer.name,
        `Layer '${layer.name}' failed; the cache goes on without it until it answers again.`,
        cause,
      );
      return { ok: false, refused: result === LayerResult.refused };
    } finally {
      if (--this.#underWay === 0) for (const idle of this.#idle.splice(0)) idle();
    }
  }

  /** What a layer only queued has succeeded, too: during an outage that is no sign of its end. */
  #answered(layer: Layer): void {
    if (!this.#log.hasSaid('LAYER_FAILED', layer.name)) return;
    const { connected, circuitState } = layer.status();
    if (!connected || circuitState !== CircuitState.closed) return;
    this.#log.over('LAYER_FAILED', layer.name, `Layer '${layer.name}' answers again.`);
  }
}

/** An instance: see DecodedEntry. */
class Found implements Located {
  readonly failed = false;
  readonly refused = false;

  constructor(
    readonly entry: Entry,
    readonly layer: number,
  ) {}
}

const ABSENT: Located = Object.freeze({ entry: undefined, layer: -1, failed: false, refused: false });

function countOf(entries: readonly (Entry | undefined)[]): number {
  let count = 0;
  for (const entry of entries) if (entry !== undefined) count++;
  return count;
}

function isNear(layer: Layer): layer is NearLayer {
  return 'lookup' in layer && typeof layer.lookup === 'function';
}

function failure(cause: unknown): LayerResult {
  if (!(cause instanceof CacheError)) return LayerResult.error;
  if (cause.code === 'LAYER_TIMEOUT') return LayerResult.timeout;
  return cause.code === 'CIRCUIT_OPEN' ? LayerResult.refused : LayerResult.error;
}

function counted(replies: readonly Reply<number>[]): { removed: number; complete: boolean } {
  let removed = 0;
  let complete = true;
  for (const reply of replies) {
    if (reply.ok) removed = Math.max(removed, reply.value);
    else complete = false;
  }
  return { removed, complete };
}
