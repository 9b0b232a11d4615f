import { milliseconds } from '../cache/duration.js';
import { CacheError } from '../cache/errors.js';
import type { WarmingEntry } from './strategy.js';

/**
 * The entry a strategy yielded, if it is one.
 * @throws CacheError `INVALID_WARMING_ENTRY`, saying what is wrong with it, without its key or value.
 */
export function checkedEntry(yielded: unknown, strategy: string): WarmingEntry {
  const fault = faultOf(yielded);
  if (fault === undefined) return yielded as WarmingEntry;
  throw new CacheError(
    'INVALID_WARMING_ENTRY',
    `Warming strategy "${strategy}" yielded an entry that ${fault}; ` +
      'yield { key: string, value } or { key: string, load: () => value }, with ttl and tags as you like.',
  );
}

function faultOf(yielded: unknown): string | undefined {
  if (typeof yielded !== 'object' || yielded === null) {
    return `is ${yielded === null ? 'null' : `of type ${typeof yielded}`}`;
  }
  const { key, value, load, ttl, tags } = yielded as Record<string, unknown>;
  if (typeof key !== 'string' || key === '') return 'has no key';
  if (load !== undefined && typeof load !== 'function') return 'has a load that is no function';
  if (load === undefined && value === undefined) return 'has neither a value nor a load';
  if (load !== undefined && value !== undefined) return 'has both a value and a load';
  if (ttl !== undefined && !isDuration(ttl)) return 'has a ttl that is no duration';
  if (tags !== undefined && !(Array.isArray(tags) && tags.every((tag) => typeof tag === 'string' && tag !== ''))) {
    return 'has tags that are no array of names';
  }
  return undefined;
}

function isDuration(ttl: unknown): boolean {
  try {
    return (typeof ttl === 'number' || typeof ttl === 'string') && milliseconds(ttl) >= 0;
  } catch {
    return false;
  }
}
