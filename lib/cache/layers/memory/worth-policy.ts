import type { KeptEntry } from '../../entries/kept-entry.js';
import { textHash } from '../../base/text-hash.js';
import { EntryList } from './entry-list.js';
import type { Evictable, EvictionPolicy, MemoryBounds } from './eviction-policy.js';
import { Ghosts } from './ghosts.js';

/*
 * Evicts the entry with the least worth: worth = number of requests × √(milliseconds of its load) ÷ its share of the cache.
 *
 * An entry saves loads, and takes room that others could use. LRU considers neither. Greedy-dual (Young, 1994) and its descendant GDSF
 * (Cherkasova, 1998) do. Each entry has a level: the current level of the cache when it was queued, plus its worth. The entry with the
 * lowest level is evicted, and the current level rises to it. So worth ages without a clock: later entries overtake those that are no
 * longer requested. The square root reduces noise, because a load is timed only once. The share is that of the tighter limit, entries or
 * bytes.
 *
 * A hit only counts and moves nothing, as in CLOCK and SIEVE (Zhang and others, NSDI 2024). If the next entry to evict had requests, they
 * are added to its count, and it is queued again with its new worth above the current level. Entries whose worth has the same power of two
 * form one queue, in order of arrival. So the next entry to evict is the least of a few heads instead of the top of a heap.
 *
 * Evicted keys are remembered for a while (ghosts, as in 2Q, ARC and S3-FIFO): a key that comes back keeps its count. Ghosts also show how
 * much a newcomer, an entry with one request, is worth. TinyLFU (Einziger, Friedman and Manes, 2017) and S3-FIFO (Yang and others, SOSP
 * 2023) use a constant for it. Here it is learned, as ARC (Megiddo and Modha, FAST 2003) learns the size of its lists. If evicted newcomers
 * come back, they were evicted too early, and newcomers get more worth. If evicted entries with more requests come back, newcomers stay too
 * long and get less. No entry is worth less than a newcomer. So at one end of the range the order is that of arrival only, and at the other
 * end newcomers are evicted first.
 *
 * Invariants. Every entry is in the queue of its worth. In a queue, levels rise from the head on. No entry is evicted below the current
 * level. An eviction takes a bounded number of turns for any requests.
 *
 * Known weakness: a loop over more keys than there is room for has no hits, as with LRU.
 */
export class WorthPolicy<E extends Evictable<E> = KeptEntry> implements EvictionPolicy<E> {
  readonly name = 'worth';
  readonly #queues: readonly EntryList<E>[] = Array.from({ length: QUEUES }, () => new EntryList<E>());
  /** For each queue, the level at which its head is evicted; Infinity if the queue is empty. */
  readonly #heads = new Float64Array(QUEUES).fill(Infinity);
  /** All entries so far were in queues from this one to the next. */
  #lowest = QUEUES;
  #highest = -1;
  #entries = 0;
  /** The level of the entry evicted last. */
  #level = 0;
  /** Created with the first eviction. */
  #ghosts: Ghosts | undefined;
  /** The worth of a newcomer is 2 to the power of this number. */
  #exponent = -2;
  #newcomer = 2 ** this.#exponent;
  /** The share of newcomers among evicted entries. */
  #newcomers = 0.5;
  /** The mean load time, milliseconds. An entry that was set is assumed to have it. */
  #meanCost = 0;
  /** NaN before the first eviction, because a field that was once undefined would allocate at each eviction. */
  #evictedWorth = NaN;
  /** The turns left for evictions before the next entry is added. */
  #turns = TURNS_AT_ONCE;

  /** @param remembered returns how many evicted keys to remember, if the entries are a sample. @default as many as there are entries */
  constructor(
    private readonly bounds: MemoryBounds,
    private readonly remembered?: () => number,
  ) {}

  get evictedWorth(): number | undefined {
    return Number.isNaN(this.#evictedWorth) ? undefined : this.#evictedWorth;
  }

  use(entry: E): void {
    if ((entry.tally & MOST_ASKED) < MOST_ASKED) entry.tally++;
  }

  useOften(entry: E, times: number): void {
    entry.tally += Math.min(times, MOST_ASKED - unread(entry));
  }

  recall(entry: E, replaced: E | undefined): void {
    if (replaced === undefined) {
      const note = this.#recalled(entry);
      if (note !== 0 && note < LEFT_BY_ITSELF) this.#learn(note);
      entry.tally = tallyOf((note & MOST_ASKED) + 1);
    } else {
      entry.fingerprint = replaced.fingerprint;
      entry.tally = tallyOf(askedFor(replaced) + unread(replaced));
      // One slow load must not make an entry expensive, so use the mean.
      if (entry.cost > 0 && replaced.cost > 0) entry.cost = (entry.cost + replaced.cost) / 2;
    }
    if (entry.cost > 0) this.#meanCost += (entry.cost - this.#meanCost) * (this.#meanCost === 0 ? 1 : WEIGHT_OF_ONE);
  }

  add(entry: E): void {
    this.#entries++;
    this.#turns = TURNS_AT_ONCE;
    this.#enqueue(entry);
  }

  remove(entry: E): void {
    this.#entries--;
    this.#dequeue(entry);
  }

  expire(entry: E): void {
    this.#remember(entry, Math.min(MOST_ASKED, askedFor(entry) + unread(entry)) | LEFT_BY_ITSELF);
    this.remove(entry);
  }

  evict(now: number): E {
    let at = this.#next();
    let entry = this.#queues[at]!.first!;
    // A large entry can evict many others, so the limit applies to all these evictions together.
    const most = Math.max(LEAST_TURNS, Math.min(MOST_TURNS, this.#turns));
    let turns = 0;
    for (; turns < most && unread(entry) > 0; turns++) {
      this.#dequeue(entry);
      entry.tally = tallyOf(askedFor(entry) + unread(entry));
      this.#enqueue(entry);
      at = this.#next();
      entry = this.#queues[at]!.first!;
    }
    this.#turns -= turns;
    if (this.#heads[at]! > this.#level) this.#level = this.#heads[at]!;
    const asked = askedFor(entry);
    this.#newcomers += ((asked === 1 ? 1 : 0) - this.#newcomers) / this.#room();
    this.#ghosts ??= new Ghosts();
    this.#remember(entry, asked);
    this.#noteWorth(entry, now);
    this.remove(entry);
    return entry;
  }

  clear(): void {
    for (const queue of this.#queues) queue.clear();
    this.#heads.fill(Infinity);
    this.#entries = 0;
  }

  *inOrder(): Generator<E> {
    for (const queue of this.#queues) yield* queue;
  }

  *hottest(entries: Iterable<E>, limit: number): Generator<void, string[]> {
    const byCount: string[][] = Array.from({ length: 2 * MOST_ASKED + 1 }, () => []);
    let looked = 0;
    for (const entry of entries) {
      const keys = byCount[askedFor(entry) + unread(entry)]!;
      // For equal counts, older entries come first, because entries with many requests tend to be old.
      if (keys.length < limit) keys.push(entry.key!);
      if (++looked % LOOKED_AT_ONCE === 0) yield;
    }
    return byCount.toReversed().flat().slice(0, limit);
  }

  /** Returns how many evicted keys are remembered. */
  #room(): number {
    if (this.remembered !== undefined) return this.remembered();
    return Math.min(this.bounds.maxEntries, Math.max(LEAST_REMEMBERED, this.#entries));
  }

  #recalled(entry: E): number {
    entry.fingerprint = this.#ghosts === undefined ? 0 : textHash(entry.key!);
    if (this.#ghosts === undefined) return 0;
    return this.#ghosts.take(entry.fingerprint);
  }

  #remember(entry: E, note: number): void {
    if (this.#ghosts === undefined) return;
    // Entries that were added before there were ghosts have no fingerprint yet.
    if (entry.fingerprint === 0) entry.fingerprint = textHash(entry.key!);
    this.#ghosts.put(entry.fingerprint, note, this.#room());
  }

  /** Learns from an evicted key that came back. @param asked the number of its requests before the eviction. */
  #learn(asked: number): void {
    const step = (HIGHEST_EXPONENT - LOWEST_EXPONENT) / this.#room();
    const share = Math.min(0.999, Math.max(0.001, this.#newcomers));
    // If entries of a kind are rarely evicted, they rarely come back. So they get more weight.
    const by = asked === 1 ? step * Math.max(1, (1 - share) / share) : -step * Math.max(1, share / (1 - share));
    this.#exponent = Math.min(HIGHEST_EXPONENT, Math.max(LOWEST_EXPONENT, this.#exponent + by));
    this.#newcomer = 2 ** this.#exponent;
  }

  #noteWorth(entry: E, now: number): void {
    const saved = this.#countOf(entry) * this.#costOf(entry);
    const minutes = Math.max(SHORTEST_MS, now - entry.createdAt) / 60_000;
    const worth = saved / (entry.bytes / MEGABYTE) / minutes;
    const mean = this.#evictedWorth;
    this.#evictedWorth = Number.isNaN(mean) ? worth : mean + (worth - mean) * WEIGHT_OF_ONE;
  }

  #enqueue(entry: E): void {
    const at = this.#queueOf(entry);
    const queue = this.#queues[at]!;
    entry.tally = (entry.tally & ~QUEUE_MASK) | (at << QUEUE_SHIFT);
    entry.queuedAt = Math.floor(this.#level / stepOf(at)) % STEPS_MODULO;
    queue.push(entry);
    if (queue.first === entry) this.#heads[at] = this.#goesAt(entry, at);
    if (at < this.#lowest) this.#lowest = at;
    if (at > this.#highest) this.#highest = at;
  }

  #dequeue(entry: E): void {
    const at = entry.tally >>> QUEUE_SHIFT;
    const queue = this.#queues[at]!;
    const wasFirst = queue.first === entry;
    queue.remove(entry);
    if (wasFirst) this.#heads[at] = queue.first === undefined ? Infinity : this.#goesAt(queue.first, at);
  }

  #queueOf(entry: E): number {
    const share = Math.max(1 / this.bounds.maxEntries, entry.bytes / this.bounds.maxBytes);
    const worth = (this.#countOf(entry) * Math.sqrt(this.#costOf(entry))) / share;
    return Math.max(0, Math.min(QUEUES - 1, QUEUE_OF_ONE + Math.floor(Math.log2(worth))));
  }

  /** Returns the number of requests as it counts for the worth. */
  #countOf(entry: E): number {
    const asked = askedFor(entry);
    return asked === 1 ? this.#newcomer : Math.max(asked, this.#newcomer);
  }

  /** Returns the load time that counts for the worth, milliseconds. */
  #costOf({ cost }: E): number {
    return cost > 0 ? cost : this.#meanCost || 1;
  }

  /**
   * Returns the level at which an entry is evicted: the level when it was queued, plus its worth. `queuedAt` holds the level in steps
   * modulo 2³⁰, so that it is a small integer.
   */
  #goesAt(entry: E, at: number): number {
    const step = stepOf(at);
    const now = Math.floor(this.#level / step);
    const ago = ((now % STEPS_MODULO) - entry.queuedAt + STEPS_MODULO) % STEPS_MODULO;
    return (now - ago) * step + worthOf(at);
  }

  /** Returns the queue whose head is evicted next. */
  #next(): number {
    const heads = this.#heads;
    let next = this.#lowest;
    for (let at = next + 1; at <= this.#highest; at++) if (heads[at]! < heads[next]!) next = at;
    return next;
  }
}

/** The highest count, in four bits. */
const MOST_ASKED = 15;
/** Marks an entry that expired or was invalidated. It was not evicted, so nothing is learned if it comes back. */
const LEFT_BY_ITSELF = 16;
const LEAST_REMEMBERED = 64;
/** The entries per step when all entries are ranked. */
const LOOKED_AT_ONCE = 256;
const LOWEST_EXPONENT = -3;
const HIGHEST_EXPONENT = 4;
/** The weight of one load in the mean load time, and of one evicted entry in the mean of evicted entries. */
const WEIGHT_OF_ONE = 1 / 64;
const MEGABYTE = 1_024 * 1_024;
/** The least age of an entry in the mean of evicted entries. */
const SHORTEST_MS = 1_000;

const MOST_TURNS = 64;
const LEAST_TURNS = 2;
const TURNS_AT_ONCE = 1_024;

/** The number of queues, for worths from 2⁻³² to 2⁶³. */
const QUEUES = 96;
const QUEUE_OF_ONE = 32;
/** A level is rounded to one part in 65,536 of an entry's worth. */
const STEPS = 65_536;
const STEPS_MODULO = 2 ** 30;

/*
 * The tally of an entry, from the lowest bit on: the number of requests since it was queued (four bits), the number of requests before
 * (four bits), and its queue.
 */
const ASKED_SHIFT = 4;
const QUEUE_SHIFT = 8;
const QUEUE_MASK = 0x7f << QUEUE_SHIFT;

type Tallied = Pick<KeptEntry, 'tally'>;

function unread(entry: Tallied): number {
  return entry.tally & MOST_ASKED;
}

function askedFor(entry: Tallied): number {
  return (entry.tally >>> ASKED_SHIFT) & MOST_ASKED;
}

function tallyOf(asked: number): number {
  return Math.min(MOST_ASKED, asked) << ASKED_SHIFT;
}

const WORTH = Float64Array.from({ length: QUEUES }, (_, at) => 2 ** (at - QUEUE_OF_ONE));

function worthOf(queue: number): number {
  return WORTH[queue]!;
}

function stepOf(queue: number): number {
  return WORTH[queue]! / STEPS;
}
