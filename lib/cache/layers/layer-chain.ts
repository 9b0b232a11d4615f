import type { Clock } from '../base/clock.js';
import type { Entry } from '../entries/entry.js';
import { CacheError } from '../base/errors.js';
import { frozen } from '../entries/frozen.js';
import { backfilledEntry } from '../entries/kept-entry.js';
import { KnownClasses } from '../entries/known-classes.js';
import type { PatternClasses } from '../entries/pattern-classes.js';
import { failedKeys, KeysFailed } from './keys-failed.js';
import { KeysBeingWritten } from './keys-being-written.js';
import { PackedValue } from './encoding/packed-value.js';
import { restored } from './restored-entry.js';
import { isInUse, type Layer, type LayerWrite, type LocalLayer } from './layer.js';
import { type CacheObserver, LayerOperation, LayerResult } from '../base/observer.js';
import type { OnceLog } from '../base/once-log.js';
import { isReported } from '../base/reported-errors.js';
import type { ResolvedPolicy } from '../policies/resolved-policy.js';
import type { LoadTicket } from './load-ticket.js';

/** What the remote layers returned for a key. */
export interface Located {
  /** The freshest entry found, fresh or stale. */
  readonly entry: Entry | undefined;
  /** Index of the layer that returned the entry, or -1. */
  readonly layer: number;
  /** True if a layer failed. Then the key may exist although it was not found. */
  readonly failed: boolean;
  /** True if a layer was not asked because its circuit was open. */
  readonly refused: boolean;
}

/** The outcome of a write or an invalidation in all layers. */
export interface Effect {
  /** True if at least one layer has completed the operation. */
  readonly kept: boolean;
  /** True if every layer has completed the operation. */
  readonly complete: boolean;
  /** True if the operation itself notified the other processes. */
  readonly announced: boolean;
  /** The number of removed entries, of the layer that removed the most. */
  readonly removed: number;
}

/** The values that one turn of the event loop loaded. They are written to the remote layer together. */
interface WritesOfTurn {
  readonly writes: [key: string, entry: Entry, ticket: LoadTicket | undefined][];
  /** Called in the order of the writes, when they are stored. */
  readonly reports: ((kept: boolean) => void)[];
  /** Sends the writes now, unless they were sent. */
  readonly send: () => void;
  /** Resolves when the writes have ended. */
  readonly ended: Promise<void>;
}

/**
 * The number of writes at which a turn sends them before it ends. A turn can be long, because a store in this process may answer without
 * ending it.
 */
const WRITTEN_AT_ONCE = 500;

type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refused: boolean };

/**
 * The layers of a cache; the local layer comes first. If a layer rejects, the error is counted and logged once, and the layer is skipped.
 */
export class LayerChain {
  readonly layers: readonly Layer[];
  /** The first layer, if it answers synchronously. */
  readonly local: LocalLayer | undefined;
  /** Index of the first layer that answers asynchronously. */
  readonly firstRemote: number;
  readonly hasRemote: boolean;
  /** True if entries stay in memory. Then an entry may hold its value as JSON text. */
  readonly keepsTexts: boolean;
  /** True if no layer stores an entry object. */
  readonly encodes: boolean;
  /** True if other processes read a layer of this cache. */
  readonly hasShared: boolean;
  /** True if a layer has several servers. Then the reads of one turn are not answered together. */
  readonly spread: boolean;
  readonly beingWritten = new KeysBeingWritten();
  /** Index of the layer that carries messages between processes, or -1. */
  readonly #messenger: number;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #log: OnceLog;
  readonly #classes: KnownClasses;
  #underWay = 0;
  #onFirstUse: (() => void) | undefined;
  #idle: (() => void)[] = [];
  #turn: WritesOfTurn | undefined;

  constructor(
    layers: readonly Layer[],
    observer: CacheObserver,
    clock: Clock,
    log: OnceLog,
    classes = new KnownClasses([]),
  ) {
    this.layers = layers;
    const [first] = layers;
    this.local = first !== undefined && isLocal(first) ? first : undefined;
    this.firstRemote = this.local === undefined ? 0 : 1;
    this.hasRemote = layers.length > this.firstRemote;
    this.keepsTexts = this.local !== undefined && !this.hasRemote;
    this.encodes = this.hasRemote && layers.every((layer) => layer.encodes === true);
    this.hasShared = layers.some(({ shared }) => shared);
    this.spread = layers.some((layer) => layer.spread === true);
    this.#messenger = layers.findIndex((layer) => layer.coordination !== undefined);
    this.#observer = observer;
    this.#clock = clock;
    this.#log = log;
    this.#classes = classes;
  }

  name(layer: number): string | undefined {
    return this.layers[layer]?.name;
  }

  /** Counts the synchronous answer of the local layer for one key. */
  countLocal(hit: boolean, durationMs: number, at: number): void {
    if (this.local === undefined) return;
    const result = hit ? LayerResult.hit : LayerResult.miss;
    this.#observer.layer(0, LayerOperation.get, result, durationMs, 1, hit ? 1 : 0, at);
  }

  /**
   * Asks the remote layers in turn until one has a fresh entry. @param classes the possible classes of the value. @default those of the key
   */
  async locate(key: string, ticket: LoadTicket | undefined, classes?: PatternClasses): Promise<Located> {
    this.#sendWritesOf([key]);
    const written = this.beingWritten.any ? this.beingWritten.ended([key]) : undefined;
    if (written !== undefined) await written;
    let entry: Entry | undefined;
    let found = -1;
    let failed = false;
    let refused = false;
    for (let layer = this.firstRemote; layer < this.layers.length; layer++) {
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
        continue;
      }
      const restored = this.#restored(key, reply.value, classes);
      if (restored !== undefined && (entry === undefined || restored.freshUntil > entry.freshUntil)) {
        entry = restored;
        found = layer;
        if (entry.freshUntil > this.#clock.now()) break;
      }
    }
    return { entry, layer: found, failed, refused };
  }

  /**
   * Locates many keys as {@link locate} does, with one round trip per layer. Each layer is asked only for the keys that the earlier layers
   * did not have fresh.
   * @param calls the number of single reads that were combined. @default 1
   */
  async locateMany(
    keys: readonly string[],
    tickets?: readonly LoadTicket[],
    classesAt?: (index: number) => PatternClasses | undefined,
    calls?: number,
  ): Promise<Located[]> {
    this.#sendWritesOf(keys);
    const written = this.beingWritten.any ? this.beingWritten.ended(keys) : undefined;
    if (written !== undefined) await written;
    if (this.layers.length === this.firstRemote + 1) return this.#locateInOne(keys, tickets, classesAt, calls);
    const found: { entry: Entry | undefined; layer: number; failed: boolean; refused: boolean }[] = keys.map(() => ({
      entry: undefined,
      layer: -1,
      failed: false,
      refused: false,
    }));
    let open = keys.map((_, index) => index);
    for (let layer = this.firstRemote; layer < this.layers.length && open.length > 0; layer++) {
      const asking = open;
      const unanswered = new Set<string>();
      const reply = await this.#call(
        layer,
        LayerOperation.get,
        asking.length,
        (asked) =>
          asked.getMany(
            asking.map((index) => keys[index]!),
            tickets === undefined ? undefined : asking.map((index) => tickets[index]!),
            unanswered,
            calls,
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
          const entry = this.#restored(keys[index]!, reply.value[position], classesAt?.(index));
          if (entry === undefined && unanswered.has(keys[index]!)) place.failed = true;
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

  /**
   * Locates keys in the only remote layer. It creates the results after the layer has answered, because objects that live during a whole
   * read of many keys make garbage collection expensive.
   */
  async #locateInOne(
    keys: readonly string[],
    tickets: readonly LoadTicket[] | undefined,
    classesAt: ((index: number) => PatternClasses | undefined) | undefined,
    calls: number | undefined,
  ): Promise<Located[]> {
    const layer = this.firstRemote;
    const unanswered = new Set<string>();
    const reply = await this.#call(
      layer,
      LayerOperation.get,
      keys.length,
      (asked) => asked.getMany(keys, tickets, unanswered, calls),
      countOf,
    );
    if (!reply.ok) {
      const nowhere = reply.refused ? REFUSED : FAILED;
      return keys.map(() => nowhere);
    }
    const entries = reply.value;
    return keys.map((key, at) => {
      const entry = this.#restored(key, entries[at], classesAt?.(at));
      if (entry !== undefined) return new Found(entry, layer);
      return unanswered.has(key) ? FAILED : ABSENT;
    });
  }

  /** Restores the instances in a value. If the pattern of the entry is not known to hold their classes, the entry counts as absent. */
  #restored(key: string, entry: Entry | undefined, classes: PatternClasses | undefined): Entry | undefined {
    return entry?.value instanceof PackedValue
      ? restored(entry, entry.value, classes ?? this.#classes.ofKey(key), this.#log)
      : entry;
  }

  /** Freezes the value of a found entry, because it will have more than one reader. */
  shared(entry: Entry): Entry {
    if (!entry.mutable) frozen(entry.value);
    return entry;
  }

  /** Stores an entry found in layer `found` in the earlier layers, with its remaining times. @returns the stored entry. */
  backfill(
    key: string,
    entry: Entry,
    found: number,
    epoch: number,
    policy: Pick<ResolvedPolicy, 'maxEntrySize'>,
    track = 0,
  ): Entry {
    this.shared(entry);
    // There is no earlier layer.
    if (found === 0) return entry;
    const copy = backfilledEntry(entry, epoch, policy);
    copy.track = track;
    for (let layer = this.firstRemote; layer < found; layer++) void this.#write(layer, key, copy, undefined);
    if (this.local !== undefined) this.#setLocal(this.local, key, copy, this.#clock.now());
    return copy;
  }

  /** Writes a loaded entry to the local layer, if no layer is remote. @param now the reading of the clock. */
  setLocally(key: string, entry: Entry, now: number): void {
    if (this.local !== undefined) this.#setLocal(this.local, key, entry, now);
  }

  /**
   * Writes a loaded entry to every layer. The local layer has it when this function returns, all layers when the promise resolves.
   * @param now the time of the clock.
   * @param report called when all layers were written, with true if at least one has stored it.
   */
  set(
    key: string,
    entry: Entry,
    ticket: LoadTicket | undefined,
    now: number,
    report: (kept: boolean) => void,
  ): Promise<void> {
    this.setLocally(key, entry, now);
    const isSingle = !this.spread && this.layers.length === this.firstRemote + 1;
    return isSingle ? this.#setSoon(key, entry, ticket, report) : this.#setEach(key, entry, ticket, report);
  }

  #setEach(key: string, entry: Entry, ticket: LoadTicket | undefined, report: (kept: boolean) => void): Promise<void> {
    const writes: Promise<Reply<void>>[] = [];
    for (let layer = this.firstRemote; layer < this.layers.length; layer++)
      writes.push(this.#write(layer, key, entry, ticket));
    const local = this.local !== undefined;
    return Promise.all(writes).then((replies) => report(local || replies.some(({ ok }) => ok)));
  }

  /** Writes the values that one turn of the event loop loads together. So an entry costs no promise. */
  #setSoon(key: string, entry: Entry, ticket: LoadTicket | undefined, report: (kept: boolean) => void): Promise<void> {
    const turn = (this.#turn ??= this.#beginTurn());
    turn.writes.push([key, entry, ticket]);
    turn.reports.push(report);
    if (turn.writes.length === WRITTEN_AT_ONCE) turn.send();
    return turn.ended;
  }

  /**
   * Begins to collect writes. Several writes are sent after the reads that their callers make next, because the server answers in order. If
   * memory has the values, no caller waits for the writes, and the reads are answered before the server runs the writes.
   */
  #beginTurn(): WritesOfTurn {
    const writes: WritesOfTurn['writes'] = [];
    const reports: WritesOfTurn['reports'] = [];
    let sent!: (ended: Promise<void>) => void;
    const ended = new Promise<void>((resolve) => (sent = resolve));
    const send = () => {
      if (this.#turn?.writes !== writes) return;
      this.#turn = undefined;
      sent(this.#setTogether({ writes, reports }).finally(() => this.#ended()));
    };
    this.#underWay++;
    queueMicrotask(() => (writes.length === 1 || this.local === undefined ? send() : process.nextTick(send)));
    return { writes, reports, send, ended };
  }

  /** Sends the writes of this turn before a read of one of their keys. Such a read means that memory did not store the value. */
  #sendWritesOf(keys: readonly string[]): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    const asked = new Set(keys);
    if (turn.writes.some(([key]) => asked.has(key))) turn.send();
  }

  async #setTogether({ writes, reports }: Pick<WritesOfTurn, 'writes' | 'reports'>): Promise<void> {
    const index = this.firstRemote;
    const local = this.local !== undefined;
    const [first] = writes;
    if (writes.length === 1) {
      const { ok } = await this.#write(index, first![0], first![1], first![2]);
      return reports[0]!(local || ok);
    }
    const layer = this.layers[index]!;
    if (this.#onFirstUse !== undefined) this.#use();
    const startedAt = this.#clock.now();
    let failed = NO_KEYS;
    let result: LayerResult = LayerResult.ok;
    try {
      await layer.setMany(writes as LayerWrite[], writes.length);
      this.#answered(layer);
    } catch (error) {
      const cause = error instanceof KeysFailed ? error.cause : error;
      failed = new Set(failedKeys(error, writes.map(([key]) => key))); // prettier-ignore
      result = failure(cause);
      this.#logFailure(layer, cause);
    }
    const now = this.#clock.now();
    for (let at = 0; at < writes.length; at++) {
      const lost = failed.has(writes[at]![0]);
      this.#observer.layer(index, LayerOperation.set, lost ? result : LayerResult.ok, now - startedAt, 1, 0, now);
      reports[at]!(local || !lost);
    }
  }

  /** Writes a new entry to every layer. The local layer has it when this function returns, all layers when the promise resolves. */
  put(key: string, entry: Entry, now: number): Promise<Effect> | Effect {
    if (!this.hasRemote) {
      this.#setLocal(this.local!, key, entry, now);
      return DONE_LOCALLY;
    }
    this.#turn?.send();
    return this.#effect(this.layers.map((_, layer) => this.#write(layer, key, entry, undefined)));
  }

  /** Replaces the entry whose read filled `ticket`. */
  replace(key: string, entry: Entry, ticket: LoadTicket): Promise<Effect> {
    this.#turn?.send();
    return this.#effect(this.layers.map((_, layer) => this.#write(layer, key, entry, ticket)));
  }

  /** Writes many entries, in one round trip per layer. */
  setMany(entries: readonly LayerWrite[]): Promise<Effect> {
    if (entries.length === 0) return Promise.resolve(DONE_LOCALLY);
    return this.#all(LayerOperation.set, entries.length, (layer) => layer.setMany(entries));
  }

  deleteMany(keys: readonly string[]): Promise<Effect> {
    const [key] = keys;
    return this.#all(LayerOperation.delete, keys.length, (layer) =>
      keys.length === 1 ? Promise.resolve(layer.delete(key!)).then(Number) : layer.deleteMany(keys),
    );
  }

  deleteByPattern(glob: string): Promise<Effect> {
    return this.#all(LayerOperation.invalidate, 1, (layer) => layer.deleteByPattern(glob));
  }

  invalidateTags(tags: readonly string[]): Promise<Effect> {
    return this.#all(LayerOperation.invalidate, tags.length, (layer) => layer.invalidateTags(tags));
  }

  clear(): Promise<Effect> {
    return this.#all(LayerOperation.invalidate, 1, (layer) => layer.clear());
  }

  /** Resolves when no layer has a running request. Writes and back-fills for which no caller waits count too. */
  idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #setLocal(local: LocalLayer, key: string, entry: Entry, now: number): void {
    local.set(key, entry, undefined, now);
    this.#observer.layer(0, LayerOperation.set, LayerResult.ok, 0, 1, 0, now);
  }

  #write(layer: number, key: string, entry: Entry, ticket: LoadTicket | undefined): Promise<Reply<void>> {
    return this.#call(layer, LayerOperation.set, 1, (asked) => asked.set(key, entry, ticket));
  }

  #all<T>(operation: LayerOperation, keys: number, ask: (layer: Layer) => T | Promise<T>): Promise<Effect> {
    this.#turn?.send();
    return this.#effect(this.layers.map((_, layer) => this.#call(layer, operation, keys, ask)));
  }

  async #effect(asked: readonly Promise<Reply<unknown>>[]): Promise<Effect> {
    const replies = await Promise.all(asked);
    let removed = 0;
    for (const reply of replies)
      if (reply.ok && typeof reply.value === 'number') removed = Math.max(removed, reply.value);
    const messenger = this.#messenger;
    return {
      kept: replies.some(({ ok }) => ok),
      complete: replies.every(({ ok }) => ok),
      announced: messenger !== -1 && replies[messenger]!.ok && this.layers[messenger]!.announces === true,
      removed,
    };
  }

  async #call<T>(
    index: number,
    operation: LayerOperation,
    keys: number,
    ask: (layer: Layer) => T | Promise<T>,
    hitsOf?: (value: Awaited<T>) => number,
  ): Promise<Reply<Awaited<T>>> {
    const layer = this.layers[index]!;
    if (this.#onFirstUse !== undefined) this.#use();
    const startedAt = this.#clock.now();
    this.#underWay++;
    try {
      const value = await ask(layer);
      const hits = hitsOf === undefined ? 0 : hitsOf(value);
      const result = hitsOf === undefined ? LayerResult.ok : hits > 0 ? LayerResult.hit : LayerResult.miss;
      const now = this.#clock.now();
      this.#observer.layer(index, operation, result, now - startedAt, keys, hits, now);
      this.#answered(layer);
      return { ok: true, value };
    } catch (cause) {
      const result = failure(cause);
      const now = this.#clock.now();
      this.#observer.layer(index, operation, result, now - startedAt, keys, 0, now);
      this.#logFailure(layer, cause);
      return { ok: false, refused: result === LayerResult.refused };
    } finally {
      this.#ended();
    }
  }

  #logFailure({ name }: Layer, cause: unknown): void {
    if (isReported(cause)) return;
    const message = `Layer '${name}' failed; the cache goes on without it until it answers again.`;
    this.#log.once('warn', 'LAYER_FAILED', name, message, cause);
  }

  #ended(): void {
    if (--this.#underWay === 0) for (const idle of this.#idle.splice(0)) idle();
  }

  /** Calls back once, at the first use of a remote layer. */
  onFirstUse(callback: () => void): void {
    if (this.hasRemote) this.#onFirstUse = callback;
  }

  #use(): void {
    const callback = this.#onFirstUse;
    this.#onFirstUse = undefined;
    callback?.();
  }

  /**
   * Ends the logged failure of a layer that is in use again. During an outage a write succeeds when it is queued, which does not end the
   * failure.
   */
  #answered(layer: Layer): void {
    if (!this.#log.hasLogged('LAYER_FAILED', layer.name)) return;
    if (!isInUse(layer.status())) return;
    failureEnded(this.#log, layer.name);
  }
}

/** Logs that a failed layer answers again, after a call or after the probe that closed its circuit. */
export function failureEnded(log: OnceLog, layer: string): void {
  log.ended('LAYER_FAILED', layer, { code: 'LAYER_RESTORED', message: `Layer '${layer}' answers again.` });
}

const NO_KEYS: ReadonlySet<string> = new Set();
const DONE_LOCALLY: Effect = Object.freeze({ kept: true, complete: true, announced: false, removed: 0 });

/** A class, for the reason given at DecodedEntry. */
class Found implements Located {
  readonly failed = false;
  readonly refused = false;

  constructor(
    readonly entry: Entry,
    readonly layer: number,
  ) {}
}

const ABSENT: Located = Object.freeze({ entry: undefined, layer: -1, failed: false, refused: false });
const FAILED: Located = Object.freeze({ ...ABSENT, failed: true });
const REFUSED: Located = Object.freeze({ ...ABSENT, refused: true });

function countOf(entries: readonly (Entry | undefined)[]): number {
  let count = 0;
  for (const entry of entries) if (entry !== undefined) count++;
  return count;
}

function isLocal(layer: Layer): layer is LocalLayer {
  return 'lookup' in layer && typeof layer.lookup === 'function';
}

function failure(cause: unknown): LayerResult {
  if (!(cause instanceof CacheError)) return LayerResult.error;
  if (cause.code === 'LAYER_TIMEOUT') return LayerResult.timeout;
  return cause.code === 'CIRCUIT_OPEN' ? LayerResult.refused : LayerResult.error;
}
