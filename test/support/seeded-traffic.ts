/** Numbers from 0 to 1 that are the same for the same seed (Mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mix = Math.imul(state ^ (state >>> 15), state | 1);
    mix ^= mix + Math.imul(mix ^ (mix >>> 7), mix | 61);
    return ((mix ^ (mix >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How people and crawlers request keys, and how the values change. */
export interface TrafficOptions {
  readonly seed: number;
  readonly keys: number;
  /** Exponent of Zipf's law over the keys. */
  readonly zipf: number;
  /** Accesses per second, people and crawlers together. */
  readonly perSecond: number;
  readonly seconds: number;
  /** The crawler's share of the accesses; it requests one key after the other. */
  readonly crawler: number;
  /** Keys by which the ranking has moved at the end. */
  readonly drift: number;
  /** Mean time between two changes of a changing value, seconds; `Infinity`: values never change. */
  readonly changeSeconds: number;
  /** Share of the keys whose values change. */
  readonly changing: number;
  /** Share of the changes after which the key is deleted from the cache. */
  readonly announced: number;
}

/** An event, seconds from the beginning: a request for a key, or a change of its value. */
export type TrafficEvent = (at: number, key: number, what: 'ask' | 'change' | 'announce') => void;

/** Plays traffic: the same for the same options. */
export function playTraffic(options: TrafficOptions, event: TrafficEvent): void {
  const { seed, keys, zipf, perSecond, seconds, crawler, drift, changeSeconds, changing, announced } = options;
  const random = seededRandom(seed);
  const ranks = cumulativeZipf(keys, zipf);
  const order = shuffled(keys, random);
  const changes = new ChangeQueue();
  if (changeSeconds !== Infinity) {
    for (let key = 0; key < keys; key++) {
      if (random() >= changing) continue;
      // Rates differ from key to key, by an order of magnitude.
      const mean = changeSeconds * 10 ** (random() - 0.5);
      changes.add({ at: exponential(mean, random), key, mean });
    }
  }
  let crawled = 0;
  let at = 0;
  for (;;) {
    at += exponential(1 / perSecond, random);
    if (at >= seconds) return;
    while (changes.next <= at) {
      const change = changes.take();
      event(change.at, change.key, random() < announced ? 'announce' : 'change');
      changes.add({ ...change, at: change.at + exponential(change.mean, random) });
    }
    if (random() < crawler) event(at, crawled++ % keys, 'ask');
    else {
      const rank = ranked(ranks, random());
      event(at, order[(rank + Math.floor((drift * at) / seconds)) % keys]!, 'ask');
    }
  }
}

function cumulativeZipf(keys: number, exponent: number): Float64Array {
  const sums = new Float64Array(keys);
  let sum = 0;
  for (let rank = 0; rank < keys; rank++) sums[rank] = sum += (rank + 1) ** -exponent;
  return sums.map((part) => part / sum);
}

function ranked(sums: Float64Array, part: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > part) high = middle;
    else low = middle + 1;
  }
  return low;
}

function shuffled(length: number, random: () => number): number[] {
  const order = Array.from({ length }, (_, at) => at);
  for (let at = length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

function exponential(mean: number, random: () => number): number {
  return -Math.log(1 - random()) * mean;
}

interface Change {
  readonly at: number;
  readonly key: number;
  readonly mean: number;
}

/** Changes by their time: a binary heap. */
class ChangeQueue {
  readonly #heap: Change[] = [];

  get next(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  add(change: Change): void {
    const heap = this.#heap;
    let at = heap.push(change) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (heap[above]!.at <= change.at) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = change;
  }

  take(): Change {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let least = 2 * at + 1;
      if (least >= heap.length) break;
      if (least + 1 < heap.length && heap[least + 1]!.at < heap[least]!.at) least++;
      if (heap[least]!.at >= last.at) break;
      heap[at] = heap[least]!;
      at = least;
    }
    heap[at] = last;
    return first;
  }
}
