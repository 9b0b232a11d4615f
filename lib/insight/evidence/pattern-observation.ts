import { MissReason } from '../../cache/base/observer.js';
import { AccessKind, type TrackedAccess } from '../stream/tracked-access.js';
import type { ChangeEvidence, EmptyEvidence, ExpiryEvidence, InvalidationEvidence, KeyEvidence, LifetimeEvidence, PolicyInForce, SizeEvidence, StartEvidence } from './evidence.js'; // prettier-ignore
import { EntryNotes } from './entry-notes.js';
import { mixed } from '../../cache/base/text-hash.js';
import { keyHash } from '../stream/key-hash.js';
import { hashNumbered, isNumbered, keyPartsOf, type KeyTemplateText, MOST_KEY_PARTS, numbered } from './key-parts.js';
import { DistinctCount, RepeatTable } from './repeat-table.js';

/** The inputs of keys are compared from this number of loads of a pattern on. */
const PARTS_FROM = 50;
/** The maximum number of compared inputs. */
const MAX_PARTS = 4;
/** The assumed TTL of an empty result, milliseconds; recommendations propose the same. */
const EMPTY_MS = 30_000;
/** The time after a start whose misses belong to the start, milliseconds. */
const START_MS = 300_000;
/** The number of size classes, by powers of two. */
const CLASSES = 40;
/** The offsets of the sums by size class. */
const OfSize = { entries: 0, bytes: CLASSES, hits: 2 * CLASSES } as const;
/** Values up to 2^12 bytes are never large. */
const SMALLEST_LARGE = 13;

/** Fields of a policy that entries do not show. */
const UNKNOWN = { refreshesAhead: false, keepsEmpty: false, lock: false };

/** One input of the keys. Most patterns have inputs with only one value; these have no tables. */
interface PartTable {
  readonly name: string;
  /** The hash of its first value. */
  readonly first: number;
  varied: { readonly without: RepeatTable; readonly values: DistinctCount } | undefined;
}

/** The facts about one load. The same object is reused for the next load. */
export interface ObservedLoad {
  key: string;
  /** Hash of the key, unsigned. */
  hash: number;
  at: number;
  /** The TTL of the value; if it was not stored, the last TTL of the pattern. */
  ttlMs: number;
  /** How long its entry may be served stale; -1 if it was not stored. */
  staleMs: number;
  /** True if the value is null or undefined and was not stored. */
  empty: boolean;
  value: unknown;
  /** Computes the digest of the value; 0 if it has none. Called only if needed. */
  digestOf: (value: unknown) => number;
}

/** The seeds and the space for hashing the parts of a key, shared by all patterns. */
export class PartHashes {
  /** The seed of the hash of each numbered part. */
  readonly seeds: Int32Array;
  /** The hashes of the parts of one key. */
  readonly hashes = new Uint32Array(MOST_KEY_PARTS);

  constructor(readonly salt: number) {
    this.seeds = Int32Array.from({ length: MOST_KEY_PARTS }, (_, index) => keyHash(numbered(index), salt));
  }
}

/** The observations of one pattern: counters and tables of a limited size, about 9 KB if its keys have parts, otherwise 6 KB. */
export class PatternObservation {
  readonly #keys: RepeatTable;
  #parts: PartTable[] | undefined;
  #empty: RepeatTable | undefined;
  #endedEntries = 0;
  #unread = 0;
  #unreadBytes = 0;
  /** {@link CLASSES} sums for each field of {@link OfSize}. */
  readonly #bySize = new Float32Array(3 * CLASSES);
  #largest = 0;
  #reloads = 0;
  #unchanged = 0;
  #compared = 0;
  #changed = 0;
  /** Times between the end of an entry and the next miss, by half powers of two, milliseconds. */
  readonly #gaps = new Float32Array(2 * CLASSES);
  #expired = 0;
  #coldMisses = 0;
  #coldKeys = 0;
  readonly #entries = new EntryNotes();
  /** Tables of numbered parts. */
  readonly #numbered: (PartTable | undefined)[] = [];
  /** The load that is compared now, and the digest of its value if it was computed. */
  #load: ObservedLoad | undefined;
  #digest: number | undefined;
  readonly #digested = (): number => (this.#digest ??= this.#load!.digestOf(this.#load!.value));
  /** The TTL of the last stored value; -1 if there was none. */
  #ttlMs = -1;
  #staleMs = 0;
  #fadedAt: number;

  constructor(
    private readonly hashing: PartHashes,
    /** When the process started. */
    private readonly startedAt: number,
    private readonly fadeMs: number,
  ) {
    this.#fadedAt = startedAt;
    this.#keys = new RepeatTable(startedAt);
  }

  loaded(load: ObservedLoad, template: KeyTemplateText | undefined): void {
    const { hash, at, ttlMs, staleMs, empty } = load;
    this.#fade(at);
    this.#keys.add(hash, at, ttlMs);
    if (staleMs >= 0) {
      this.#ttlMs = ttlMs;
      this.#staleMs = staleMs;
    }
    if (empty) (this.#empty ??= new RepeatTable(this.startedAt)).add(hash, at, EMPTY_MS);
    if (this.#parts !== undefined || this.#keys.adds >= PARTS_FROM) this.#compare(load, template);
  }

  /** Adds an access of the sample. */
  accessed(access: TrackedAccess): void {
    this.#fade(access.at);
    const { kind, hash, weight } = access;
    switch (kind) {
      case AccessKind.miss:
      case AccessKind.coalesced:
        return this.#missed(access);
      case AccessKind.load:
      case AccessKind.set:
        this.#reloaded(access);
        this.#ended(hash, access.reads, weight);
        if (access.ttlMs > 0) this.#entries.stored(hash, access.at, access.ttlMs, access.bytes);
        return;
      case AccessKind.evicted:
      case AccessKind.expired:
        return this.#ended(hash, access.reads, weight);
      case AccessKind.invalidated:
        this.#ended(hash, access.reads, weight);
        return this.#entries.invalidated(hash);
    }
  }

  #missed({ kind, reason, hash, weight, at }: TrackedAccess): void {
    if (reason === MissReason.cold && at - this.startedAt <= this.#startMs) {
      this.#coldMisses += weight;
      if (kind === AccessKind.miss) this.#coldKeys += weight;
    } else if (reason === MissReason.invalidated) this.#entries.invalidated(hash);
    else if (reason === MissReason.expired) {
      const since = this.#entries.sinceEnd(hash, at);
      if (since === undefined) return;
      this.#expired += weight;
      this.#gaps[Math.min(2 * CLASSES - 1, Math.ceil(2 * Math.log2(Math.max(1, since))))]! += weight;
    }
  }

  /** A load after an invalidation or after the end of an entry: it shows whether the value has changed. */
  #reloaded({ hash, weight, changed, afterInvalidation }: TrackedAccess): void {
    if (changed === undefined) return;
    if (!afterInvalidation && !this.#entries.isInvalidated(hash)) {
      this.#compared += weight;
      if (changed) this.#changed += weight;
      return;
    }
    this.#reloads += weight;
    if (!changed) this.#unchanged += weight;
  }

  /** The entry was replaced, evicted, invalidated, or has expired. */
  #ended(hash: number, reads: number, weight: number): void {
    const bytes = this.#entries.end(hash);
    if (bytes === undefined) return;
    const size = classOf(bytes);
    this.#bySize[OfSize.entries + size]! += weight;
    this.#bySize[OfSize.bytes + size]! += bytes * weight;
    this.#bySize[OfSize.hits + size]! += reads * weight;
    this.#largest = Math.max(this.#largest, bytes);
    this.#endedEntries += weight;
    if (reads > 0) return;
    this.#unread += weight;
    this.#unreadBytes += bytes * weight;
  }

  /** The fields of the policy that entries show; undefined before the first entry. */
  get policy(): PolicyInForce | undefined {
    if (this.#ttlMs < 0) return undefined;
    return { ttlMs: this.#ttlMs, staleWhileRevalidateMs: this.#staleMs, ...UNKNOWN };
  }

  get keys(): KeyEvidence {
    const { adds, distinct, once, share } = this.#keys.read();
    return { loads: adds, distinctKeys: distinct, askedOnce: once, repeats: share, parts: this.#partEvidence() };
  }

  get empty(): EmptyEvidence | undefined {
    if (this.#empty === undefined) return undefined;
    const { adds, share } = this.#empty.read();
    return { loads: adds, repeated: adds * share, withinMs: EMPTY_MS };
  }

  get lifetimes(): LifetimeEvidence | undefined {
    if (this.#endedEntries === 0) return undefined;
    const unreadBytes = this.#unread === 0 ? 0 : this.#unreadBytes / this.#unread;
    return { ended: this.#endedEntries, unread: this.#unread, unreadBytes };
  }

  get invalidations(): InvalidationEvidence | undefined {
    return this.#reloads === 0 ? undefined : { reloads: this.#reloads, unchanged: this.#unchanged };
  }

  get changes(): ChangeEvidence | undefined {
    return this.#compared === 0 ? undefined : { compared: this.#compared, changed: this.#changed };
  }

  get expiry(): ExpiryEvidence | undefined {
    if (this.#expired === 0) return undefined;
    let left = this.#expired * 0.9;
    let at = 0;
    while (at < 2 * CLASSES - 1 && (left -= this.#gaps[at]!) > 0) at += 1;
    const ttlMs = this.policy?.ttlMs ?? Infinity;
    const soon = this.#gaps.reduce((all, gaps, gap) => all + gaps * partBelow(ttlMs, gap), 0);
    return { expired: this.#expired, withinMs: Math.round(2 ** (at / 2)), soon: soon / this.#expired };
  }

  /** Returns undefined until the time of the start has passed. */
  startsAt(now: number): StartEvidence | undefined {
    if (this.#coldMisses === 0 || now - this.startedAt < START_MS) return undefined;
    const [coldMisses, distinctKeys] = [this.#coldMisses, this.#coldKeys];
    return { starts: 1, coldMisses, distinctKeys, withinMs: this.#startMs, agoMs: now - this.startedAt };
  }

  /** The time after a start that counts as the start: at most the TTL, because an entry that was warmed at the start ends then. */
  get #startMs(): number {
    return Math.min(START_MS, this.policy?.ttlMs ?? START_MS);
  }

  /** The figures of the large entries: the size classes above the one from which on they hold half of the bytes. */
  get sizes(): SizeEvidence | undefined {
    const entries = this.#sum(OfSize.entries, 0);
    const bytes = this.#sum(OfSize.bytes, 0);
    if (entries === 0 || bytes === 0) return undefined;
    const hits = this.#sum(OfSize.hits, 0);
    let from = CLASSES - 1;
    while (from > SMALLEST_LARGE && this.#sum(OfSize.bytes, from) < bytes * 0.5) from -= 1;
    return {
      entries,
      aboveBytes: 2 ** (from - 1),
      largeEntries: this.#sum(OfSize.entries, from),
      bytesShare: this.#sum(OfSize.bytes, from) / bytes,
      hitsShare: hits === 0 ? 0 : this.#sum(OfSize.hits, from) / hits,
      largestBytes: this.#largest,
    };
  }

  /** @param from the smallest class in the sum. */
  #sum(of: number, from: number): number {
    return this.#bySize.subarray(of + from, of + CLASSES).reduce((all, one) => all + one, 0);
  }

  #partEvidence(): KeyEvidence['parts'] {
    return (this.#parts ?? []).flatMap(({ name, varied }) => {
      if (varied === undefined) return [];
      const { share, error, sameValue } = varied.without.read();
      return { name, distinct: varied.values.estimate, repeats: share, repeatsError: error, sameValue };
    });
  }

  /** Simulates for each input a cache whose keys do not contain it. */
  #compare(load: ObservedLoad, template: KeyTemplateText | undefined): void {
    this.#load = load;
    if (template === undefined && isNumbered(load.key)) this.#compareNumbered(load);
    else this.#compareNamed(load, template);
    this.#load = undefined;
    this.#digest = undefined;
  }

  #compareNamed({ key, at, ttlMs }: ObservedLoad, template: KeyTemplateText | undefined): void {
    const parts = keyPartsOf(key, template);
    if (parts === undefined) return;
    const { salt, hashes } = this.hashing;
    for (const [index, { name, value }] of parts.entries()) hashes[index] = keyHash(value, keyHash(name, salt));
    const whole = sumOf(hashes, parts.length);
    for (const [index, { name, identifying }] of parts.entries()) {
      const hash = hashes[index]!;
      const table = identifying ? undefined : this.#tableOf(name, hash);
      if (table !== undefined) this.#without(table, hash, whole, at, ttlMs);
    }
  }

  /** Does the same as {@link #compare} for a key that code made, without allocation, because it runs on every load. */
  #compareNumbered({ key, at, ttlMs }: ObservedLoad): void {
    const { seeds, hashes } = this.hashing;
    const count = hashNumbered(key, seeds, hashes);
    if (count < 2) return;
    const whole = sumOf(hashes, count);
    for (let index = 0; index < count && index < MAX_PARTS; index++) {
      const hash = hashes[index]!;
      const table = (this.#numbered[index] ??= this.#tableOf(numbered(index), hash));
      if (table !== undefined) this.#without(table, hash, whole, at, ttlMs);
    }
  }

  #without(part: PartTable, hash: number, whole: number, at: number, ttlMs: number): void {
    if (part.varied === undefined) {
      if (hash === part.first) return;
      part.varied = { without: new RepeatTable(this.startedAt), values: new DistinctCount() };
      part.varied.values.add(part.first);
    }
    part.varied.without.add(mixed(whole - hash) >>> 0, at, ttlMs, this.#digested);
    part.varied.values.add(hash);
  }

  #tableOf(name: string, first: number): PartTable | undefined {
    const parts = (this.#parts ??= []);
    const known = parts.find((part) => part.name === name);
    if (known !== undefined || parts.length >= MAX_PARTS) return known;
    const made: PartTable = { name, first, varied: undefined };
    parts.push(made);
    return made;
  }

  #fade(now: number): void {
    if (now - this.#fadedAt < this.fadeMs) return;
    this.#fadedAt = now;
    this.#keys.fade();
    this.#empty?.fade();
    for (const { varied } of this.#parts ?? []) varied?.without.fade();
    for (const counts of [this.#bySize, this.#gaps]) {
      for (let at = 0; at < counts.length; at++) counts[at]! *= 0.5;
    }
    this.#endedEntries *= 0.5;
    this.#unread *= 0.5;
    this.#unreadBytes *= 0.5;
    this.#reloads *= 0.5;
    this.#unchanged *= 0.5;
    this.#compared *= 0.5;
    this.#changed *= 0.5;
    this.#expired *= 0.5;
  }
}

/** Returns the share of a class of gaps (half powers of two) that is below a time. */
function partBelow(ms: number, gap: number): number {
  const [from, to] = [gap === 0 ? 0 : 2 ** ((gap - 1) / 2), 2 ** (gap / 2)];
  return Math.min(1, Math.max(0, (ms - from) / (to - from)));
}

/** Returns the class of a value: the exponent of the next power of two. */
function classOf(value: number): number {
  return Math.min(CLASSES - 1, Math.max(0, Math.ceil(Math.log2(Math.max(1, value)))));
}

function sumOf(hashes: Uint32Array, count: number): number {
  let all = 0;
  for (let index = 0; index < count; index++) all = (all + hashes[index]!) >>> 0;
  return all;
}
