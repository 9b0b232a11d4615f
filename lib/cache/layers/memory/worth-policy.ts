import type { KeptEntry } from '../../entries/kept-entry.js';
import { textHash } from '../../base/text-hash.js';
import { EntryList } from './entry-list.js';
import type { Evictable, EvictionPolicy, MemoryBounds } from './eviction-policy.js';
import { Ghosts } from './ghosts.js';

/*
 * Evicts the entry with the least worth: worth = number of requests × √(milliseconds of its load) ÷ share of the cache it takes.
 *
 * An entry saves loads, and takes room from others. LRU considers neither. Greedy-dual (Young,
 * 1994) and its descendant GDSF (Cherkasova, 1998) do: an entry is evicted at a level, which is the current level of the cache
 * plus its worth, and an eviction raises the current level to that of the evicted entry. So worth ages without a clock: entries that are no longer
 * requested are overtaken by later ones. The square root reduces noise, because a load is timed only once; the
 * share is that of the tighter bound, entries or bytes.
 *
 * A hit only counts, as in CLOCK and SIEVE (Zhang and others, NSDI 2024): it moves nothing. When an entry with requests is
 * the next to evict, its count is added up and it is queued again, with its new worth from the current level on. Entries whose
 * worth has the same power of two form one queue, in order of arrival, so that the next to evict is the least of a few
 * heads instead of the top of a heap.
 *
 * Evicted keys are remembered for a while (ghosts, as in 2Q, ARC and S3-FIFO): a key that comes back still has its
 * count. Ghosts also answer the hardest question: how much is a newcomer worth that was requested once? TinyLFU (Einziger,
 * Friedman and Manes, 2017) and S3-FIFO (Yang and others, SOSP 2023) use a constant; here it is learned, as ARC (Megiddo and Modha, FAST
 * 2003) learns the size of its lists. If evicted newcomers come back, they were evicted too early, and newcomers get more worth; if
 * evicted regulars come back, newcomers stay too long. No entry is worth less than a newcomer, so that at one end of the range
 * the order is that of arrival only, and at the other newcomers are evicted first.
 *
 * Invariants. Every entry is in the queue of its worth. In a queue, levels rise from the head on; no entry is evicted below the current
 * level. An eviction takes a bounded number of turns, whatever was requested.
 *
 * Known weakness: a loop over more keys than there is room for has no hits, as with LRU.
 */
export class WorthPolicy<E extends Evictable<E> = KeptEntry> implements EvictionPolicy<E> {
  readonly name = 'worth';
  readonly #queues: readonly EntryList<E>[] = Array.from({ length: QUEUES }, () => new EntryList<E>());
  /** The level at which the head of each queue is evicted; Infinity if the queue is empty. */
  readonly #heads = new Float64Array(QUEUES).fill(Infinity);
  /** Only the queues between these have ever held an entry. */
  #lowest = QUEUES;
  #highest = -1;
  #entries = 0;
  /** The level of the last evicted entry. */
  #level = 0;
  /** Created with the first eviction. */
  #ghosts: Ghosts | undefined;
  /** The worth of a newcomer is 2 to the power of this. */
  #exponent = -2;
  #newcomer = 2 ** this.#exponent;
  /** The share of newcomers among evicted entries. */
  #newcomers = 0.5;
  /** Milliseconds: the assumed load time of an entry that was set. */
  #meanCost = 0;
  /** NaN before the first eviction: a field that was once undefined would allocate at each of them. */
  #evictedWorth = NaN;
  /** The turns left for evictions until the next entry is added. */
  #turns = TURNS_AT_ONCE;

  /** @param remembered how many evicted keys are remembered, if the entries are a sample. @default as many as there are entries */
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
      // One slow load must not make an entry expensive: use the mean.
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
    // Making room for a large entry evicts many others: the limit applies to all evictions together.
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
      // Of keys with equal counts, older entries come first, because hot entries are old.
      if (keys.length < limit) keys.push(entry.key!);
      if (++looked % LOOKED_AT_ONCE === 0) yield;
    }
    return byCount.toReversed().flat().slice(0, limit);
  }

  /** How many evicted keys are remembered. */
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
    // Entries added before there were ghosts have no fingerprint yet.
    if (entry.fingerprint === 0) entry.fingerprint = textHash(entry.key!);
    this.#ghosts.put(entry.fingerprint, note, this.#room());
  }

  /** Learns from an evicted key that came back. @param asked how often it had been requested. */
  #learn(asked: number): void {
    const step = (HIGHEST_EXPONENT - LOWEST_EXPONENT) / this.#room();
    const share = Math.min(0.999, Math.max(0.001, this.#newcomers));
    // A kind of entry that is rarely evicted is rarely met again, so it gets more weight.
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

  /** The number of requests, as it counts for the worth. */
  #countOf(entry: E): number {
    const asked = askedFor(entry);
    return asked === 1 ? this.#newcomer : Math.max(asked, this.#newcomer);
  }

  /** Milliseconds. */
  #costOf({ cost }: E): number {
    return cost > 0 ? cost : this.#meanCost || 1;
  }

  /** The level at which it is evicted: its level when it was queued, plus its worth, in steps modulo 2³⁰, so that it is a small integer. */
  #goesAt(entry: E, at: number): number {
    const step = stepOf(at);
    const now = Math.floor(this.#level / step);
    const ago = ((now % STEPS_MODULO) - entry.queuedAt + STEPS_MODULO) % STEPS_MODULO;
    return (now - ago) * step + worthOf(at);
  }

  /** The queue whose head is evicted first. */
  #next(): number {
    const heads = this.#heads;
    let next = this.#lowest;
    for (let at = next + 1; at <= this.#highest; at++) if (heads[at]! < heads[next]!) next = at;
    return next;
  }
}

/** The highest count: four bits. */
const MOST_ASKED = 15;
/** Marks an entry that expired or was invalidated: it was not evicted, so its return teaches nothing. */
const LEFT_BY_ITSELF = 16;
const LEAST_REMEMBERED = 64;
/** Entries per step when all are ranked. */
const LOOKED_AT_ONCE = 256;
const LOWEST_EXPONENT = -3;
const HIGHEST_EXPONENT = 4;
/** The weight of one load in the mean of loads, and of one evicted entry in their mean. */
const WEIGHT_OF_ONE = 1 / 64;
const MEGABYTE = 1_024 * 1_024;
/** The least age of an entry in the computation of its worth. */
const SHORTEST_MS = 1_000;

const MOST_TURNS = 64;
const LEAST_TURNS = 2;
const TURNS_AT_ONCE = 1_024;

/** Queues of worth 2⁻³² to 2⁶³. */
const QUEUES = 96;
const QUEUE_OF_ONE = 32;
/** A level is kept to one part in 65,536 of an entry's worth. */
const STEPS = 65_536;
const STEPS_MODULO = 2 ** 30;

/*
 * An entry's tally, from the lowest bit on: the number of requests since it was queued (four bits), the number before (four
 * bits), its queue.
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
