import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { VERSION } from '../cache/version.js';

/** The facts that identify one run of an application. */
export interface ProcessFacts {
  /** Unique for this run. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** The version of the application; null if the options name none. */
  readonly version: string | null;
  readonly libraryVersion: string;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
}

export function processFacts(version: string | undefined, now: number): ProcessFacts {
  const [host, pid] = [hostname(), process.pid];
  return { id: randomUUID(), host, pid, version: version ?? null, libraryVersion: VERSION, startedAt: now };
}

/** Longer notes of other processes are not read, bytes. */
export const MAX_NOTE_BYTES = 4_096;
const MAX_TEXT = 200;

/** Reads the facts in a note of another process; undefined for invalid bytes. */
export function readFacts(
  bytes: Uint8Array,
  now: number,
): (ProcessFacts & Readonly<Record<string, unknown>>) | undefined {
  if (bytes.length > MAX_NOTE_BYTES) return undefined;
  let note: unknown;
  try {
    note = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
  if (typeof note !== 'object' || note === null) return undefined;
  const { id, host, pid, version, libraryVersion, startedAt } = note as Record<string, unknown>;
  const known =
    isText(id) &&
    isText(host) &&
    Number.isSafeInteger(pid) &&
    (version === null || isText(version)) &&
    isText(libraryVersion);
  if (!known || !isMoment(startedAt, now)) return undefined;
  return { ...note, id, host, pid: pid as number, version, libraryVersion, startedAt };
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT;
}

/** If a time is further ahead than this, its clock is wrong, milliseconds. */
const AHEAD_MS = 60_000;

/** Whether a value is a time in the past, milliseconds since the Unix epoch. */
export function isMoment(value: unknown, now: number): value is number {
  return typeof value === 'number' && value > 0 && value <= now + AHEAD_MS;
}
