import type { Clock } from '../base/clock.js';
import type { AccessStream } from '../entries/access-stream.js';
import type { Entry } from '../entries/entry.js';
import type { Invalidations } from '../invalidation/invalidations.js';
import type { LayerChain, Located } from '../layers/layer-chain.js';
import type { LoadTicket } from '../layers/load-ticket.js';
import type { MissReasons } from '../freshness/miss-reasons.js';
import { type CacheObserver, MissReason, Outcome, type Series } from '../base/observer.js';
import type { KeyPolicies } from '../policies/key-policies.js';
import type { ResolvedPolicy } from '../policies/resolved-policy.js';
import type { CacheTracer, SpanHandle } from '../base/tracer.js';
import type { LocalHits } from './local-hits.js';

/** The most keys in one command. More keys would block a server, and the first answers would wait for the last. */
const READ_AT_ONCE = 500;

/** One read that memory could not answer. */
interface RemoteRead {
  readonly key: string;
  readonly series: Series;
  readonly startedAt: number;
  /** When the search in memory ended. */
  readonly askedAt: number;
  readonly localReason: MissReason | undefined;
  /** The epoch of invalidations when the read began. */
  readonly epoch: number;
  readonly span: SpanHandle | undefined;
  readonly resolve: (entry: Entry | undefined) => void;
  readonly reject: (error: unknown) => void;
  answered: boolean;
}

/** Reads remote layers without a loader. */
export class RemoteReads {
  #turn: RemoteRead[] = [];

  constructor(
    private readonly localHits: LocalHits,
    private readonly chain: LayerChain,
    private readonly invalidations: Invalidations,
    private readonly reasons: MissReasons,
    private readonly observer: CacheObserver,
    private readonly clock: Clock,
    private readonly tracer: CacheTracer | undefined,
    private readonly policy: ResolvedPolicy,
    private readonly keyPolicies: KeyPolicies,
    private readonly stream: AccessStream | undefined,
  ) {}

  /** Looks for a fresh entry in the remote layers, after memory had none. Counts one access. */
  remote(key: string, series: Series, startedAt: number): Promise<Entry | undefined> {
    if (this.tracer === undefined) return this.#remote(key, series, startedAt, undefined);
    return this.tracer.span('get', series, key, (span) => this.#remote(key, series, startedAt, span));
  }

  #remote(key: string, series: Series, startedAt: number, span: SpanHandle | undefined): Promise<Entry | undefined> {
    const localReason = this.#localReason(key, startedAt);
    const askedAt = this.clock.now();
    this.chain.countLocal(false, askedAt - startedAt, askedAt);
    if (!this.chain.hasRemote) {
      this.#reportMiss(key, series, startedAt, localReason, undefined, span);
      return Promise.resolve(undefined);
    }
    const epoch = this.invalidations.begin();
    span?.phase('local', askedAt - startedAt);
    return new Promise((resolve, reject) => {
      this.#turn.push({ key, series, startedAt, askedAt, localReason, epoch, span, resolve, reject, answered: false });
      if (this.#turn.length === 1) queueMicrotask(() => this.#answerTurn());
    });
  }

  /**
   * Answers all reads of one turn of the event loop with one request to each layer. So a read costs one promise, instead of one per layer
   * and step.
   */
  #answerTurn(): void {
    const turn = this.#turn;
    this.#turn = [];
    // A layer with several servers collects the reads of a turn itself and answers each read when its server has answered.
    if (turn.length === 1 || this.chain.spread) return turn.forEach((read) => void this.#answerOne(read));
    for (let from = 0; from < turn.length; from += READ_AT_ONCE) {
      void this.#answerMany(turn.slice(from, from + READ_AT_ONCE));
    }
  }

  async #answerMany(reads: readonly RemoteRead[]): Promise<void> {
    try {
      const located = await this.chain.locateMany(reads.map(({ key }) => key));
      for (const [index, read] of reads.entries()) this.#answer(read, located[index]!);
    } catch (error) {
      // This skips reads that are already settled.
      for (const read of reads) this.#fail(read, error);
    }
  }

  async #answerOne(read: RemoteRead): Promise<void> {
    try {
      this.#answer(read, await this.chain.locate(read.key, undefined));
    } catch (error) {
      this.#fail(read, error);
    }
  }

  #answer(read: RemoteRead, located: Located): void {
    if (read.answered) return;
    const { key, series, startedAt, epoch, span } = read;
    span?.phase('remote', this.clock.now() - read.askedAt, this.chain.name(located.layer));
    const entry = this.#found(key, located, epoch);
    if (entry === undefined) this.#reportMiss(key, series, startedAt, read.localReason, located, span);
    else this.#reportHit(key, series, entry, located.layer, startedAt, span);
    read.answered = true;
    this.invalidations.end();
    read.resolve(entry);
  }

  #fail(read: RemoteRead, error: unknown): void {
    if (read.answered) return;
    read.answered = true;
    this.invalidations.end();
    read.reject(error);
  }

  /** Returns fresh entries in the order of the keys, in a new array. Needs one round trip per layer. Counts one access per key. */
  async many(keys: readonly string[], onRemoteHit: (key: string) => void): Promise<(Entry | undefined)[]> {
    const startedAt = this.clock.now();
    const entries = new Array<Entry | undefined>(keys.length);
    if (this.localHits.hitMany(keys, entries, startedAt) === keys.length) return entries;
    const missing = indicesOfNone(entries);
    const asked = missing.map((index) => keys[index]!);
    const localReasons = asked.map((key) => this.#localReason(key, startedAt));
    for (let index = 0; index < asked.length; index++) this.chain.countLocal(false, 0, startedAt);
    await this.#locateMany(asked, (position, entry, place) => {
      const key = asked[position]!;
      const series = this.observer.seriesOf(key);
      entries[missing[position]!] = entry;
      if (entry === undefined) this.#reportMiss(key, series, startedAt, localReasons[position], place, undefined);
      else {
        this.#reportHit(key, series, entry, place!.layer, startedAt, undefined);
        onRemoteHit(key);
      }
    });
    return entries;
  }

  /**
   * Returns the fresh entries of the keys in any layer, with one round trip per layer. Counts nothing. Stores the entries in the earlier
   * layers.
   */
  async freshEntries(keys: readonly string[]): Promise<Map<string, Entry>> {
    const now = this.clock.now();
    const fresh = new Map<string, Entry>();
    for (const key of keys) {
      const local = this.localHits.peek(key, now);
      if (local !== undefined) fresh.set(key, local);
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
    const epoch = this.invalidations.begin();
    try {
      const located = this.chain.hasRemote ? await this.chain.locateMany(keys) : undefined;
      keys.forEach((key, position) => {
        const place = located?.[position];
        each(position, place === undefined ? undefined : this.#found(key, place, epoch), place);
      });
    } finally {
      this.invalidations.end();
    }
  }

  /**
   * Returns the stored entry of a key in any layer, fresh or stale. Counts nothing.
   * @param ticket for a write that replaces the entry: remote layers are then asked even if memory has the entry.
   */
  async any(key: string, ticket?: LoadTicket): Promise<Entry | undefined> {
    const now = this.clock.now();
    const local = this.localHits.peek(key, now);
    if (local !== undefined && (ticket === undefined || !this.chain.hasRemote)) return local;
    const kept = local ?? this.chain.local?.get(key);
    if (!this.chain.hasRemote) return kept;
    const { entry } = await this.chain.locate(key, ticket);
    if (entry === undefined) return kept;
    return kept === undefined || entry.freshUntil > kept.freshUntil ? entry : kept;
  }

  /** Returns the located entry if it is fresh, and stores it in the earlier layers. */
  #found(key: string, { entry, layer }: Located, epoch: number): Entry | undefined {
    if (entry === undefined || entry.freshUntil <= this.clock.now()) return undefined;
    // The key was written or invalidated during the read. The caller may get this entry, but it must not be stored.
    const overtaken = this.invalidations.concernedSince(epoch, key, entry.tags);
    if (!overtaken) this.reasons.kept(key, entry.freshUntil);
    // There is no earlier layer, and the copy has no other reader.
    if (layer === 0) return entry;
    if (overtaken) return this.chain.shared(entry);
    const policy = this.keyPolicies.of(key)?.policy ?? this.policy;
    const track = this.stream?.backfilled(key, this.observer.seriesOf(key), this.clock.now());
    return this.chain.backfill(key, entry, layer, epoch, policy, track);
  }

  #localReason(key: string, now: number): MissReason | undefined {
    const entry = this.chain.local?.peek(key);
    if (entry === undefined) return undefined;
    if (entry.freshUntil > now) return MissReason.invalidated;
    if (entry.removeAt <= now) this.chain.local?.get(key);
    return MissReason.expired;
  }

  #reportHit(
    key: string,
    series: Series,
    entry: Entry,
    layer: number,
    startedAt: number,
    span: SpanHandle | undefined,
  ): void {
    const tookMs = this.clock.now() - startedAt;
    span?.outcome('hit', this.chain.name(layer));
    this.observer.access(series, Outcome.hit, layer, tookMs, tookMs, MissReason.none);
    this.stream?.access(key, series, Outcome.hit, MissReason.none, layer, startedAt, entry);
  }

  #reportMiss(
    key: string,
    series: Series,
    startedAt: number,
    localReason: MissReason | undefined,
    located: Located | undefined,
    span: SpanHandle | undefined,
  ): void {
    const tookMs = this.clock.now() - startedAt;
    const failed = located?.failed === true;
    const outcome = failed ? Outcome.error : Outcome.miss;
    const reason =
      failed || located?.refused === true
        ? MissReason.error
        : located?.entry !== undefined
          ? MissReason.expired
          : (localReason ?? this.reasons.of(key, startedAt));
    span?.outcome(failed ? 'error' : 'miss');
    this.observer.access(series, outcome, -1, tookMs, tookMs, reason);
    this.stream?.access(key, series, outcome, reason, -1, startedAt);
  }
}

function indicesOfNone(entries: readonly unknown[]): number[] {
  const none: number[] = [];
  for (let index = 0; index < entries.length; index++) if (entries[index] === undefined) none.push(index);
  return none;
}
