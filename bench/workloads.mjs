// Requests to a cache, generated from a seed or read from traces. Each workload gives the key of each request, and for
// each key the bytes of its value and the milliseconds of its load.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Numbers from 0 to 1, the same for the same seed: mulberry32. */
export function randomOf(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws from a log-normal distribution, which response times and sizes usually follow. */
export function lognormal(random, median, sigma) {
  return median * Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
}

/** Returns a function that draws ranks below `keys` by Zipf's law: each with a probability proportional to 1 / rank^skew. */
function zipf(random, keys, skew) {
  const sums = new Float64Array(keys);
  for (let rank = 0, sum = 0; rank < keys; rank++) sums[rank] = sum += (rank + 1) ** -skew;
  return () => {
    const at = random() * sums[keys - 1];
    let low = 0;
    let high = keys - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Kinds of responses of an API: share of requests, number of keys, skew of popularity, size in bytes, load time. */
const KINDS = [
  { weight: 0.12, keys: 300, skew: 1.1, bytes: 1_500, ms: 4 },
  { weight: 0.35, keys: 40_000, skew: 0.95, bytes: 5_000, ms: 15 },
  { weight: 0.18, keys: 4_000, skew: 0.9, bytes: 24_000, ms: 50 },
  { weight: 0.2, keys: 150_000, skew: 0.75, bytes: 10_000, ms: 90 },
  { weight: 0.12, keys: 30_000, skew: 0.9, bytes: 300, ms: 25 },
  { weight: 0.03, keys: 1_000, skew: 0.7, bytes: 150_000, ms: 200 },
];

/** Gives each key the size and load time of a random kind, whether the key is popular or not. */
function attributed(name, keys, seed) {
  const random = randomOf(seed);
  const count = keys.reduce((most, key) => Math.max(most, key + 1), 0);
  const bytes = new Float64Array(count);
  const ms = new Float64Array(count);
  for (let key = 0; key < count; key++) {
    const kind = KINDS[Math.floor(random() * KINDS.length)];
    bytes[key] = sizeOf(random, kind);
    ms[key] = costOf(random, kind);
  }
  return { name, keys, bytes, ms };
}

const sizeOf = (random, { bytes }) => Math.round(Math.min(1_000_000, Math.max(100, lognormal(random, bytes, 0.8))));
const costOf = (random, { ms }) => Math.min(2_000, Math.max(0.5, lognormal(random, ms, 0.5)));

function shop(requests, seed) {
  const random = randomOf(seed);
  const picks = KINDS.map(({ keys, skew }) => zipf(random, keys, skew));
  const numbers = new Map();
  const keys = new Uint32Array(requests);
  const bytes = [];
  const ms = [];
  for (let request = 0; request < requests; request++) {
    let at = random();
    const kind = Math.max(
      0,
      KINDS.findIndex(({ weight }) => (at -= weight) < 0),
    );
    const name = `${kind}:${picks[kind]()}`;
    let number = numbers.get(name);
    if (number === undefined) {
      numbers.set(name, (number = numbers.size));
      bytes.push(sizeOf(random, KINDS[kind]));
      ms.push(costOf(random, KINDS[kind]));
    }
    keys[request] = number;
  }
  return { name: 'shop', keys, bytes, ms };
}

/** A third of the requests are for pages that are requested only once, 200 in a row. */
function crawler(requests, seed) {
  const random = randomOf(seed);
  const pick = zipf(random, 50_000, 0.9);
  let next = 50_000;
  let left = 0;
  const keys = Uint32Array.from({ length: requests }, () => {
    if (left === 0 && random() < 0.0025) left = 200;
    return left > 0 ? (left--, next++) : pick();
  });
  return attributed('crawler', keys, seed);
}

/** Each visitor requests a page of their own about twenty times and never returns. */
function sessions(requests, seed) {
  const random = randomOf(seed);
  const pick = zipf(random, 2_000, 1);
  const visitors = [];
  let next = 2_000;
  const keys = Uint32Array.from({ length: requests }, () => {
    if (random() < 0.1) return pick();
    if (visitors.length < 1_500 || random() < 0.03)
      visitors.push({ key: next++, left: 10 + Math.floor(random() * 20) });
    const at = Math.floor(random() * visitors.length);
    const visitor = visitors[at];
    if (--visitor.left === 0) visitors[at] = visitors.pop() ?? visitor;
    return visitor.key;
  });
  return attributed('sessions', keys, seed);
}

/** Popularity changes: new keys appear, and old ones are no longer requested. */
function shifting(requests, seed) {
  const random = randomOf(seed);
  const pick = zipf(random, 50_000, 0.9);
  const keys = Uint32Array.from(
    { length: requests },
    (_, request) => 3 * Math.floor(request / 100) + ((pick() * 7_919) % 50_000),
  );
  return attributed('shifting', keys, seed);
}

function steady(requests, seed) {
  const pick = zipf(randomOf(seed), 100_000, 0.9);
  return attributed('steady', Uint32Array.from({ length: requests }, pick), seed);
}

/** The workloads generated from a seed. */
export function generated(requests, seed = 1) {
  return [shop, steady, crawler, sessions, shifting].map((make, at) => make(requests, 100 * seed + at));
}

/** Reads the traces in a folder (`.txt`, `.txt.gz`). A line is one request: the number of its key and, if known, its bytes. */
export function traces(folder) {
  return readdirSync(folder)
    .filter((file) => /\.txt(\.gz)?$/.test(file))
    .sort()
    .map((file) => {
      const content = readFileSync(join(folder, file));
      const text = (file.endsWith('.gz') ? gunzipSync(content) : content).toString('latin1');
      const lines = text.trimEnd().split('\n');
      const keys = new Uint32Array(lines.length);
      const known = [];
      lines.forEach((line, request) => {
        const [key, bytes] = line.split(' ');
        keys[request] = Number(key);
        if (bytes !== undefined) known[keys[request]] = Math.min(1_000_000, Math.max(100, Number(bytes)));
      });
      const workload = attributed(file.replace(/\.txt(\.gz)?$/, ''), keys, 1);
      known.forEach((bytes, key) => (workload.bytes[key] = bytes));
      return workload;
    });
}
