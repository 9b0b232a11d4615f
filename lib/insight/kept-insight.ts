import { CacheError } from '../cache/base/errors.js';
import { parseBoundedJson } from '../cache/base/bounded-json.js';

/** What survives a restart: written now and then, read before the next run begins. */
export interface KeptPart {
  /** Undefined if nothing has changed since the last one. */
  collectDump(): Promise<Uint8Array | undefined>;
  /** @throws CacheError if the bytes cannot be read; nothing is changed then. */
  restore(dump: Uint8Array): void;
}

const MOST_FOUND = 2_000;
const MOST_ID = 1_024;
const MOST_BYTES = 4_194_304;

/** Since when recommendations were found, by their ids. */
export function foundBytes(found: ReadonlyMap<string, number>): Uint8Array {
  return Buffer.from(JSON.stringify({ version: 1, found: [...found].slice(0, MOST_FOUND) }));
}

/** @throws CacheError for anything that {@link foundBytes} did not write. */
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

/** The error where kept bytes are of another form. */
export function unreadable(): CacheError {
  return new CacheError('INVALID_RECORD', 'They are of another form.');
}
