import { CacheError } from '../cache/base/errors.js';
import { parseBoundedJson } from '../cache/base/bounded-json.js';

/** State that is kept over a restart: written from time to time, and read before the next run begins. */
export interface KeptPart {
  /** Returns undefined if there is nothing new to write. */
  collectDump(): Promise<Uint8Array | undefined>;
  /** @throws CacheError if the bytes cannot be read; then nothing is changed. */
  restore(dump: Uint8Array): void;
}

const MOST_FOUND = 2_000;
const MOST_ID = 1_024;
const MOST_BYTES = 4_194_304;

/** Encodes when each recommendation was first found, by id. */
export function foundBytes(found: ReadonlyMap<string, number>): Uint8Array {
  return Buffer.from(JSON.stringify({ version: 1, found: [...found].slice(0, MOST_FOUND) }));
}

/** Reads the result of {@link foundBytes}. @throws CacheError for any other bytes. */
export function readFound(bytes: Uint8Array, now: number): ReadonlyMap<string, number> {
  if (bytes.length > MOST_BYTES) throw unreadable();
  const read = parsed(bytes);
  if (typeof read !== 'object' || read === null) throw unreadable();
  const { version, found } = read as Readonly<Record<string, unknown>>;
  if (version !== 1 || !Array.isArray(found) || found.length > MOST_FOUND) throw unreadable();
  return new Map(found.map((one: unknown) => foundOf(one, now)));
}

function foundOf(one: unknown, now: number): [id: string, since: number] {
  const [id, since] = Array.isArray(one) ? (one as unknown[]) : [];
  const fits = typeof id === 'string' && id.length <= MOST_ID && typeof since === 'number' && since > 0 && since <= now;
  if (!fits) throw unreadable();
  return [id, since];
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseBoundedJson(Buffer.from(bytes));
  } catch {
    throw unreadable();
  }
}

/** The error for bytes with an unknown format. */
export function unreadable(): CacheError {
  return new CacheError('INVALID_RECORD', 'The saved data has an unknown format.');
}
