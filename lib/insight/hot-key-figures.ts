import { MOST_PATTERNS } from './pattern-sample.js';

/*
 * Hot keys of several instances.
 *
 * Each instance notes the keys that it counted most, with their counts; the counts of a key are added up. An instance may have counted a
 * key that it does not list: how much at most is part of the stated error (Agarwal, Cormode, Huang, Phillips, Wei, Yi, Mergeable
 * Summaries, PODS 2012).
 *
 * Keys are noted as salted hashes. Their text is noted only by instances that show keys in full, and used only by those that do.
 */

/** A key that is requested often. */
export interface HotKey {
  /** Masked (`user:•••`) unless `insight.showKeys` is on. */
  readonly key: string;
  /** Of the key, to distinguish masked ones: hexadecimal digits, salted by the namespace. */
  readonly id: string;
  readonly pattern: string;
  /** Hits of memory, estimated from a sample of them; of the recent past where there were many. */
  readonly requests: number;
  /**
   * How many of `requests` may be those of another key. Of several instances: how far `requests` may be off, because some of them may
   * count the key and not list it.
   */
  readonly requestsError: number;
  /** Of the hits of its pattern, 0–1. */
  readonly share: number;
  /** Of several instances: how many list the key. */
  readonly instances?: number;
  /** Live instances that are left out because they list no hot keys for others, as an earlier release; present if there are any. */
  readonly missing?: number;
}

/** What one instance counted of a key. */
export interface KeyCount {
  /** Salted by the namespace, 32 bits, unsigned. */
  readonly hash: number;
  readonly count: number;
  /** How many of `count` may be those of another key. */
  readonly overcount: number;
  /** Undefined unless the instance shows keys. */
  readonly key: string | undefined;
}

/** What one instance counted of the keys of a pattern. */
export interface HotKeyFigures {
  readonly pattern: string;
  /** Hits of all its keys. */
  readonly hits: number;
  /** The hottest first. */
  readonly keys: readonly KeyCount[];
}

/** The most keys that an instance notes: no answer lists more. */
export const MOST_NOTED = 1_000;
/** Longer keys are noted without their text, as are those beyond so many characters in all. */
const LONGEST_KEY = 512;
const MOST_TEXT = 131_072;
const LONGEST_PATTERN = 1_024;
const ALL_HASHES = 2 ** 32;
/** A larger count is not one. */
const MOST_COUNTED = 1e12;

/** The notes of an instance, as JSON. */
type Noted = readonly [pattern: string, hits: number, keys: readonly (readonly [number, number, number, string?])[]];

/** Encodes figures for {@link readHotKeys}. */
export function notedHotKeys(figures: readonly HotKeyFigures[]): readonly Noted[] {
  let left = MOST_TEXT;
  return figures
    .filter(({ pattern }) => pattern.length <= LONGEST_PATTERN)
    .map(({ pattern, hits, keys }) => [
      pattern,
      Math.round(hits),
      keys.map(({ hash, count, overcount, key }) => {
        const counted = [hash, Math.round(count), Math.round(overcount)] as const;
        if (key === undefined || key.length > LONGEST_KEY || key.length > left) return counted;
        left -= key.length;
        return [...counted, key];
      }),
    ]);
}

/**
 * Reads what {@link notedHotKeys} wrote; undefined for anything else. What is read is untrusted.
 * @param hashOf returns the hash of a key: a text that is not of its hash is not used.
 */
export function readHotKeys(from: unknown, hashOf: (key: string) => number): readonly HotKeyFigures[] | undefined {
  if (!Array.isArray(from) || from.length > MOST_PATTERNS) return undefined;
  let left = MOST_NOTED;
  const figures: HotKeyFigures[] = [];
  for (const noted of from as unknown[]) {
    if (!Array.isArray(noted) || noted.length !== 3) return undefined;
    const [pattern, hits, keys] = noted as unknown[];
    const isPattern = typeof pattern === 'string' && pattern.length <= LONGEST_PATTERN;
    if (!isPattern || !isCount(hits, MOST_COUNTED) || !Array.isArray(keys)) return undefined;
    if (keys.length > left) return undefined;
    left -= keys.length;
    const counts = (keys as unknown[]).map((one) => keyCountOf(one, hashOf));
    if (!counts.every((one) => one !== undefined)) return undefined;
    figures.push({ pattern, hits, keys: counts });
  }
  return figures;
}

function keyCountOf(from: unknown, hashOf: (key: string) => number): KeyCount | undefined {
  if (!Array.isArray(from)) return undefined;
  const [hash, count, overcount, key] = from as unknown[];
  if (!isCount(hash, ALL_HASHES - 1) || !isCount(count, MOST_COUNTED) || !isCount(overcount, count)) return undefined;
  const isKey = typeof key === 'string' && key.length <= LONGEST_KEY && hashOf(key) === hash;
  return { hash, count, overcount, key: isKey ? key : undefined };
}

function isCount(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

/** A key and what all instances together counted of it. */
interface Together {
  readonly pattern: string;
  readonly hash: number;
  key: string | undefined;
  count: number;
  overcount: number;
  instances: number;
  /** What the instances that list it may have counted of a key that they do not list. */
  notUnlisted: number;
}

/**
 * The hottest keys of several instances, one pattern of an instance per step.
 * @param nameOf returns what is shown of a key; its text is undefined if it is not known.
 */
export function* hotKeysTogether(
  all: readonly (readonly HotKeyFigures[])[],
  limit: number,
  nameOf: (key: string | undefined, pattern: string) => string,
): Generator<void, readonly HotKey[]> {
  const together = new Map<string, Map<number, Together>>();
  const hits = new Map<string, number>();
  /** By pattern: what the instances may have counted of keys that they do not list. */
  const unlisted = new Map<string, number>();
  for (const figures of all) {
    for (const one of figures) {
      const { pattern, keys } = one;
      const most = mostUnlisted(one);
      hits.set(pattern, (hits.get(pattern) ?? 0) + one.hits);
      unlisted.set(pattern, (unlisted.get(pattern) ?? 0) + most);
      const byHash = together.get(pattern) ?? new Map<number, Together>();
      together.set(pattern, byHash);
      for (const { hash, key, count, overcount } of keys) {
        const sum = byHash.get(hash) ?? { pattern, hash, key, count: 0, overcount: 0, instances: 0, notUnlisted: 0 };
        sum.key ??= key;
        sum.count += count;
        sum.overcount += overcount;
        sum.instances += 1;
        sum.notUnlisted += most;
        byHash.set(hash, sum);
      }
      yield;
    }
  }
  const hottest = [...together.values()].flatMap((byHash) => [...byHash.values()]);
  hottest.sort((one, other) => other.count - one.count || one.hash - other.hash);
  return hottest.slice(0, limit).map(({ pattern, hash, key, count, overcount, instances, notUnlisted }) => ({
    key: nameOf(key, pattern),
    id: idOf(hash),
    pattern,
    requests: Math.round(count),
    requestsError: Math.round(overcount + unlisted.get(pattern)! - notUnlisted),
    share: shareOf(count, hits.get(pattern)!),
    instances,
  }));
}

/**
 * What an instance counted at most of a key that it does not list: no more than of any that it lists; and either it still counts the key,
 * or the count went over to the keys that took its place.
 */
function mostUnlisted({ hits, keys }: HotKeyFigures): number {
  let least = Infinity;
  let rest = hits;
  let replaced = 0;
  for (const { count, overcount } of keys) {
    least = Math.min(least, count);
    rest -= count;
    replaced = Math.max(replaced, overcount);
  }
  return Math.min(least, Math.max(0, rest, replaced));
}

/** The id of a key, by its hash. */
export function idOf(hash: number): string {
  return hash.toString(16).padStart(8, '0');
}

export function shareOf(count: number, hits: number): number {
  return hits === 0 ? 0 : Math.min(1, count / hits);
}
