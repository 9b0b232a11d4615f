import { createHash } from 'node:crypto';
import { parseBoundedJson } from '../cache/base/bounded-json.js';
import { isRecord } from '../cache/options/option-rules.js';
import type { PolicyChange } from '../cache/policies/policy-overrides.js';
import { changeFaults, plainChange } from './policy-change.js';

/** Who made a decision: a person, or the automatic TTL. The person takes precedence. */
export type OverrideKind = 'manual' | 'auto';

/** One decision about a pattern: an override, or its end. The latest one of each pattern and kind is in force in every process. */
export interface OverrideRecord {
  readonly pattern: string;
  readonly kind: OverrideKind;
  /** Null ends the override. */
  readonly change: PolicyChange | null;
  /** Who decided, as text for people. */
  readonly setBy: string;
  /** Milliseconds since 1970. */
  readonly setAt: number;
  /** Null for an override without an end. */
  readonly expiresAt: number | null;
  /** The declared values that the override replaces, as text: if they change, the override ends. */
  readonly declared: string;
  /** The predicted effect of the values; null if unknown. */
  readonly predicted: Prediction | null;
}

/** Predicted rates, 0–1. */
export interface Prediction {
  readonly hitRate: number | null;
  readonly staleShare: number | null;
}

export const MAX_PATTERN_LENGTH = 512;
const MAX_NAME_LENGTH = 100;
const MAX_DECLARED_LENGTH = 2_000;
const MAX_BYTES = 8 * 1024;
/** How far a record may be in the future, milliseconds: clocks differ, but a wrong time would take precedence forever. */
const MAX_AHEAD_MS = 10 * 60_000;

/** Returns the slot name of a pattern and kind, of fixed length. */
export function slotOf({ pattern, kind }: Pick<OverrideRecord, 'pattern' | 'kind'>): string {
  return createHash('sha256').update(`${kind}\n${pattern}`).digest('base64url').slice(0, 27);
}

export function bytesOf(record: OverrideRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record));
}

/** Reads a record from untrusted bytes; undefined if it is invalid in this version. */
export function recordIn(bytes: Uint8Array, slot: string, now: number): OverrideRecord | undefined {
  if (bytes.length > MAX_BYTES) return undefined;
  let given: unknown;
  try {
    given = parseBoundedJson(Buffer.from(bytes));
  } catch {
    return undefined;
  }
  if (!isRecord(given)) return undefined;
  const { pattern, kind, change, setBy, setAt, expiresAt, declared, predicted } = given;
  if (typeof pattern !== 'string' || pattern.length > MAX_PATTERN_LENGTH) return undefined;
  if (kind !== 'manual' && kind !== 'auto') return undefined;
  if (slotOf({ pattern, kind }) !== slot) return undefined;
  if (!isMoment(setAt) || setAt > now + MAX_AHEAD_MS || !(expiresAt === null || isMoment(expiresAt))) return undefined;
  if (typeof declared !== 'string' || declared.length > MAX_DECLARED_LENGTH) return undefined;
  if (change !== null && changeFaults(change).length > 0) return undefined;
  return {
    pattern,
    kind,
    change: change === null ? null : plainChange(change as PolicyChange),
    setBy: nameIn(setBy),
    setAt,
    expiresAt,
    declared,
    predicted: predictionIn(predicted),
  };
}

/** Returns a name that can be shown: of bounded length, without control characters. */
export function nameIn(given: unknown): string {
  const text = typeof given === 'string' || typeof given === 'number' ? String(given) : '';
  // Cut between characters, not inside a surrogate pair.
  const shown = Array.from(text.slice(0, MAX_NAME_LENGTH * 2).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' '));
  return shown.slice(0, MAX_NAME_LENGTH).join('').trim() || 'unknown';
}

function predictionIn(given: unknown): Prediction | null {
  if (!isRecord(given)) return null;
  return { hitRate: rateIn(given['hitRate']), staleShare: rateIn(given['staleShare']) };
}

function rateIn(given: unknown): number | null {
  return typeof given === 'number' && given >= 0 && given <= 1 ? given : null;
}

function isMoment(given: unknown): given is number {
  return typeof given === 'number' && Number.isFinite(given) && given >= 0 && given <= 8.64e15;
}
