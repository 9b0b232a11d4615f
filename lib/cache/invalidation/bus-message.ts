import { parseBoundedText } from '../base/bounded-json.js';
import type { BusMessage } from './coordination.js';

/** The longest message that is read, characters. Messages of this library are shorter, because they hold at most 5,000 names. */
const MAX_TEXT = 8 * 1024 * 1024;
const MAX_NAMES = 10_000;
/** The most globs in a message. Each glob is compared with every key in memory, so more globs would cost more than to clear the memory. */
const MAX_GLOBS = 100;
const MAX_GLOB_LENGTH = 4_096;

/** A message with the id of its sender. */
export interface Envelope extends BusMessage {
  readonly from: string;
}

/**
 * Reads a message from untrusted text.
 * @returns undefined for a text that is not a message. A message with too many names is read as "everything".
 */
export function envelopeIn(text: string): Envelope | undefined {
  if (text.length > MAX_TEXT) return undefined;
  let message: unknown;
  try {
    message = parseBoundedText(text);
  } catch {
    return undefined;
  }
  if (typeof message !== 'object' || message === null) return undefined;
  const { from, keys, patterns, tags, all, policies } = message as Readonly<Record<string, unknown>>;
  if (typeof from !== 'string' || !(all === undefined || typeof all === 'boolean')) return undefined;
  if (!areNames(keys) || !areNames(patterns) || !areNames(tags)) return undefined;
  const changed = policies === true && { policies };
  if (all === true || isTooMuch(keys, patterns, tags)) return { from, all: true, ...changed };
  return {
    from,
    ...changed,
    ...(keys !== undefined && { keys }),
    ...(patterns !== undefined && { patterns }),
    ...(tags !== undefined && { tags }),
  };
}

function areNames(names: unknown): names is readonly string[] | undefined {
  return names === undefined || (Array.isArray(names) && names.every((name) => typeof name === 'string'));
}

function isTooMuch(keys: readonly string[] = [], globs: readonly string[] = [], tags: readonly string[] = []): boolean {
  if (keys.length + globs.length + tags.length > MAX_NAMES || globs.length > MAX_GLOBS) return true;
  return globs.some((glob) => glob.length > MAX_GLOB_LENGTH);
}
