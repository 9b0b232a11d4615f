import { MOST_PATTERNS } from './pattern-sample.js';

/*
 * Hot keys of several instances.
 *
 * Each instance notes the keys with its highest counts, and the counts of a key are added up. An instance may also have counted a
 * key that it does not list. The maximum of that count is part of the stated error (Agarwal, Cormode, Huang, Phillips, Wei, Yi,
 * Mergeable Summaries, PODS 2012).
 *
 * Keys are noted as salted hashes. Only instances that show full keys note and use their text.
 */

/** A key with many requests. */
export interface HotKey {
  /** Masked (`user:•••`) unless `insight.showKeys` is on. */
  readonly key: string;
  /** The salted hash of the key in hexadecimal digits, which distinguishes masked keys. */
  readonly id: string;
  readonly pattern: string;
  /** The number of hits in memory, estimated from a sample; with many hits only those of the recent past. */
  readonly requests: number;
  /**
   * How much of `requests` may belong to other keys. For several instances: how far `requests` may be off, because some instances may
   * have counted the key without listing it.
   */
  readonly requestsError: number;
  /** The share of its pattern's hits, 0–1. */
  readonly share: number;
  /** For several instances: the number of instances that list the key. */
  readonly instances?: number;
  /** The number of live instances that are left out because they publish no hot keys (an earlier release); absent if 0. */
  readonly missing?: number;
}

/** The count of a key in one instance. */
export interface KeyCount {
  /** The salted hash, 32 bits, unsigned. */
  readonly hash: number;
  readonly count: number;
  /** How much of `count` may belong to other keys. */
  readonly overcount: number;
  /** Undefined unless the instance shows full keys. */
  readonly key: string | undefined;
}

/** The counts of a pattern's keys in one instance. */
export interface HotKeyFigures {
  readonly pattern: string;
  /** The hits of all keys of the pattern. */
  readonly hits: number;
  /** Hottest first. */
  readonly keys: readonly KeyCount[];
}

/** The maximum number of keys that an instance notes; no answer lists more. */
export const MOST_NOTED = 1_000;
/** Longer keys are noted without their text, as are all after the maximum number of characters in total. */
const LONGEST_KEY = 512;
const MOST_TEXT = 131_072;
const LONGEST_PATTERN = 1_024;
const ALL_HASHES = 2 ** 32;
/** A larger count is invalid. */
const MOST_COUNTED = 1e12;

/** The notes of an instance as JSON. */
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
 * Reads the result of {@link notedHotKeys}; undefined for any other value. The input is untrusted.
 * @param hashOf returns the hash of a key: a text with another hash is not used.
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

/** A key with the counts of all instances. */
interface Together {
  readonly pattern: string;
  readonly hash: number;
  key: string | undefined;
  count: number;
  overcount: number;
  instances: number;
  /** The part of the pattern's unlisted counts that belongs to instances which do list the key. */
  notUnlisted: number;
}

/**
 * Returns the hottest keys of several instances, one pattern of an instance per step.
 * @param nameOf returns the name that is shown for a key; its text is undefined if it is not known.
 */
export function* hotKeysTogether(
  all: readonly (readonly HotKeyFigures[])[],
  limit: number,
  nameOf: (key: string | undefined, pattern: string) => string,
): Generator<void, readonly HotKey[]> {
  const together = new Map<string, Map<number, Together>>();
  const hits = new Map<string, number>();
  /** By pattern: the maximum count of a key that instances do not list. */
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
 * Returns the maximum count of a key that an instance does not list: no more than the lowest count that it lists. Either the instance still
 * counts the key, or its count was passed on to the keys that replaced it.
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

/** Returns the id of a key. */
export function idOf(hash: number): string {
  return hash.toString(16).padStart(8, '0');
}

export function shareOf(count: number, hits: number): number {
  return hits === 0 ? 0 : Math.min(1, count / hits);
}
