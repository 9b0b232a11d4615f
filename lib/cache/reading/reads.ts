import type { Clock } from '../clock.js';
import type { Entry } from '../entry.js';
import type { Invalidations } from '../invalidations.js';
import type { LayerChain, Located } from '../layers/layer-chain.js';
import type { MissReasons } from './miss-reasons.js';
import { type CacheObserver, MissReason, Outcome, type Series } from '../observer.js';
import type { CacheTracer, SpanHandle } from '../tracer.js';
import type { NearHits } from './near-hits.js';

/** More than this in one command would keep a server, and the first of the answers, waiting for the last. */
const READ_AT_ONCE = 500;

/** One read that memory could not answer. */
interface FarRead {
  readonly key: string;
  readonly series: Series;
  readonly startedAt: number;
  /** When memory had been asked. */
  readonly askedAt: number;
  readonly nearReason: MissReason | undefined;
  /** Where in the order of invalidations it began. */
  readonly epoch: number;
  readonly span: SpanHandle | undefined;
  readonly resolve: (entry: Entry | undefined) => void;
  readonly reject: (error: unknown) => void;
  answered: boolean;
}

/** Reads that load nothing, past memory into the far layers. */
export class Reads {
  readonly #nearHits: NearHits;
  readonly #chain: LayerChain;
  readonly #invalidations: Invalidations;
  readonly #reasons: MissReasons;
  readonly #observer: CacheObserver;
  readonly #clock: Clock;
  readonly #tracer: CacheTracer | undefined;
  #turn: FarRead[] = [];

  constructor(parts: {
    nearHits: NearHits;
    chain: LayerChain;
    invalidations: Invalidations;
    reasons: MissReasons;
    observer: CacheObserver;
    clock: Clock;
    tracer: CacheTracer | undefined;
  }) {
    this.#nearHits = parts.nearHits;
    this.#chain = parts.chain;
    this.#invalidations = parts.invalidations;
    this.#reasons = parts.reasons;
    this.#observer = parts.observer;
    this.#clock = parts.clock;
    this.#tracer = parts.tracer;
  }

  /** A fresh entry of a far layer, after memory had none; counted as one access. */
  far(key: string, series: Series, startedAt: number): Promise<Entry | undefined> {
    if (this.#tracer === undefined) return this.#far(key, series, startedAt, undefined);
    return this.#tracer.span('get', series, key, (span) => this.#far(key, series, startedAt, span));
  }

  #far(key: string, series: Series, startedAt: number, span: SpanHandle | undefined): Promise<Entry | undefined> {
    const nearReason = this.#nearReason(key, startedAt);
    this.#chain.countNear(false, this.#clock.now() - startedAt);
    if (!this.#chain.hasFar) {
      this.#tellMiss(key, series, startedAt, nearReason, undefined, span);
      return Promise.resolve(undefined);
    }
    const epoch = this.#invalidations.begin();
    const askedAt = span === undefined ? startedAt : this.#clock.now();
    span?.phase('near', askedAt - startedAt);
    return new Promise((resolve, reject) => {
      this.#turn.push({ key, series, startedAt, askedAt, nearReason, epoch, span, resolve, reject, answered: false });
      if (this.#turn.length === 1) queueMicrotask(() => this.#answerTurn());
    });
  }

  /** Reads of one turn of the event loop ask each layer together: one promise a read, instead of one a layer and step. */
  #answerTurn(): void {
    const turn = this.#turn;
    this.#turn = [];
    if (turn.length === 1) return void this.#answerOne(turn[0]!);
    for (let from = 0; from < turn.length; from += READ_AT_ONCE) {
      void this.#answerMany(turn.slice(from, from + READ_AT_ONCE));
    }
  }

  async #answerMany(reads: readonly FarRead[]): Promise<void> {
    try {
      const located = await this.#chain.locateMany(reads.map(({ key }) => key));
      for (const [index, read] of reads.entries()) {
        const place = located[index]!;
        if (this.#overtaken(read, place)) void this.#answerOne(read, this.#invalidations.epoch);
        else this.#answer(read, place, read.epoch);
      }
    } catch (error) {
      // One that has its answer is not touched by this.
      for (const read of reads) this.#fail(read, error);
    }
  }

  async #answerOne(read: FarRead, since = read.epoch): Promise<void> {
    try {
      const located = await this.#chain.locate(read.key, undefined);
      if (since === read.epoch && this.#overtaken(read, located)) {
        await this.#answerOne(read, this.#invalidations.epoch);
      } else this.#answer(read, located, since);
    } catch (error) {
      this.#fail(read, error);
    }
  }

  /** Written or invalidated while it was on its way: what is there now is the answer. */
  #overtaken({ key, epoch }: FarRead, { entry }: Located): boolean {
    return entry !== undefined && this.#invalidations.concernedSince(epoch, key, entry.tags);
  }

  #answer(read: FarRead, located: Located, since: number): void {
    if (read.answered) return;
    const { key, series, startedAt, span } = read;
    span?.phase('far', this.#clock.now() - read.askedAt, this.#chain.name(located.layer));
    const entry = this.#kept(key, located, since);
    if (entry === undefined) this.#tellMiss(key, series, startedAt, read.nearReason, located, span);
    else this.#tellHit(series, located.layer, startedAt, span);
    read.answered = true;
    this.#invalidations.end();
    read.resolve(entry);
  }

  #fail(read: FarRead, error: unknown): void {
    if (read.answered) return;
    read.answered = true;
    this.#invalidations.end();
    read.reject(error);
  }

  /** Fresh entries in the order of the keys, one round trip a layer; every key is counted as one access. A new array. */
  async many(keys: readonly string[], onFarHit: (key: string) => void): Promise<(Entry | undefined)[]> {
    const startedAt = this.#clock.now();
    const entries = new Array<Entry | undefined>(keys.length);
    if (this.#nearHits.hitMany(keys, entries, startedAt) === keys.length) return entries;
    const missing = indicesOfNone(entries);
    const asked = missing.map((index) => keys[index]!);
    const nearReasons = asked.map((key) => this.#nearReason(key, startedAt));
    for (let index = 0; index < asked.length; index++) this.#chain.countNear(false, 0);
    await this.#locateMany(asked, (position, entry, place) => {
      const key = asked[position]!;
      const series = this.#observer.seriesOf(key);
      entries[missing[position]!] = entry;
      if (entry === undefined) this.#tellMiss(key, series, startedAt, nearReasons[position], place, undefined);
      else {
        this.#tellHit(series, place!.layer, startedAt, undefined);
        onFarHit(key);
      }
    });
    return entries;
  }

  /** Which of the keys are fresh somewhere, one round trip a layer; uncounted, and put into the nearer layers. */
  async freshEntries(keys: readonly string[]): Promise<Map<string, Entry>> {
    const now = this.#clock.now();
    const fresh = new Map<string, Entry>();
    for (const key of keys) {
      const near = this.#nearHits.peek(key, now);
      if (near !== undefined) fresh.set(key, near);
    }
    const asked = keys.filter((key) => !fresh.has(key));
    if (asked.length === 0) return fresh;
    await this.#locateMany(asked, (position, entry) => {
      if (entry !== undefined) fresh.set(asked[position]!, entry);
    });
    return fresh;
  }

  async #locateMany(
    keys: readonly string[],
    each: (position: number, entry: Entry | undefined, place: Located | undefined) => void,
  ): Promise<void> {
    const epoch = this.#invalidations.begin();
    try {
      const located = this.#chain.hasFar ? await this.#chain.locateMany(keys) : undefined;
      keys.forEach((key, position) => {
        const place = located?.[position];
        each(position, place === undefined ? undefined : this.#kept(key, place, epoch), place);
      });
    } finally {
      this.#invalidations.end();
    }
  }

  /** What is kept of a key anywhere, fresh or stale; uncounted. */
  async any(key: string): Promise<Entry | undefined> {
    const now = this.#clock.now();
    const near = this.#nearHits.peek(key, now);
    if (near !== undefined) return near;
    const stale = this.#chain.near?.get(key);
    if (!this.#chain.hasFar) return stale;
    const epoch = this.#invalidations.begin();
    try {
      const { entry } = await this.#chain.locate(key, undefined);
      if (entry === undefined || this.#invalidations.concernedSince(epoch, key, entry.tags)) return stale;
      return stale === undefined || entry.freshUntil > stale.freshUntil ? entry : stale;
    } finally {
      this.#invalidations.end();
    }
  }

  /** The found entry where it is fresh, put into the nearer layers, unless an invalidation came between. */
  #kept(key: string, { entry, layer }: Located, epoch: number): Entry | undefined {
    if (entry === undefined || entry.freshUntil <= this.#clock.now()) return undefined;
    if (this.#invalidations.concernedSince(epoch, key, entry.tags)) return undefined;
    // Nobody nearer keeps it, and nobody else has this copy.
    return layer === 0 ? entry : this.#chain.backfill(key, entry, layer, epoch);
  }

  #nearReason(key: string, now: number): MissReason | undefined {
    const entry = this.#chain.near?.lookup(key);
    if (entry === undefined) return undefined;
    if (entry.freshUntil > now) return MissReason.invalidated;
    if (entry.goneAt <= now) this.#chain.near?.get(key);
    return MissReason.expired;
  }

  #tellHit(series: Series, layer: number, startedAt: number, span: SpanHandle | undefined): void {
    const tookMs = this.#clock.now() - startedAt;
    span?.outcome('hit', this.#chain.name(layer));
    this.#observer.access(series, Outcome.hit, layer, tookMs, tookMs, MissReason.none);
  }

  #tellMiss(
    key: string,
    series: Series,
    startedAt: number,
    nearReason: MissReason | undefined,
    located: Located | undefined,
    span: SpanHandle | undefined,
  ): void {
    const tookMs = this.#clock.now() - startedAt;
    const failed = located?.failed === true;
    const outcome = failed ? Outcome.error : Outcome.miss;
    const reason =
      failed || located?.refused === true
        ? MissReason.error
        : located?.entry !== undefined
          ? MissReason.expired
          : (nearReason ?? this.#reasons.of(key, startedAt));
    span?.outcome(failed ? 'error' : 'miss');
    this.#observer.access(series, outcome, -1, tookMs, tookMs, reason);
  }
}

function indicesOfNone(entries: readonly unknown[]): number[] {
  const none: number[] = [];
  for (let index = 0; index < entries.length; index++) if (entries[index] === undefined) none.push(index);
  return none;
}
