import { milliseconds } from '../cache/base/duration.js';
import { CacheError } from '../cache/base/errors.js';
import type { WarmingEntry } from './strategy.js';

/**
 * Validates an entry that a strategy yielded.
 * @throws CacheError `INVALID_WARMING_ENTRY` with the fault, without its key or value.
 */
export function checkedEntry(yielded: unknown, strategy: string): WarmingEntry {
  const fault = faultOf(yielded);
  if (fault === undefined) return yielded as WarmingEntry;
  throw new CacheError(
    'INVALID_WARMING_ENTRY',
    `Warming strategy "${strategy}" yielded an entry that ${fault}; ` +
      'Yield { key: string, value } or { key: string, load: () => value }, optionally with ttl and tags.',
  );
}

function faultOf(yielded: unknown): string | undefined {
  if (typeof yielded !== 'object' || yielded === null) {
    return `is ${yielded === null ? 'null' : `of type ${typeof yielded}`}`;
  }
  const { key, value, load, ttl, tags } = yielded as Record<string, unknown>;
  if (typeof key !== 'string' || key === '') return 'has no key';
  if (load !== undefined && typeof load !== 'function') return 'has a load that is not a function';
  if (load === undefined && value === undefined) return 'has neither a value nor a load';
  if (load !== undefined && value !== undefined) return 'has both a value and a load';
  if (ttl !== undefined && !isDuration(ttl)) return 'has an invalid ttl';
  if (tags !== undefined && !(Array.isArray(tags) && tags.every((tag) => typeof tag === 'string' && tag !== ''))) {
    return 'has tags that are not an array of names';
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
