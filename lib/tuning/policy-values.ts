import type { PolicyChange } from '../cache/policies/policy-overrides.js';
import type { ResolvedPolicy } from '../cache/policies/resolved-policy.js';

/** The bounds of an automatic TTL. */
export interface AutomaticTtlValues {
  readonly minMs: number;
  readonly maxMs: number;
  readonly maxStaleShare: number;
}

/** The fields of a policy that can be overridden, with their values in force. Durations are milliseconds. */
export interface PolicyValues {
  /** Null if entries do not expire, or if `ttlByValue` is true. */
  readonly ttlMs: number | null;
  /** The bounds of an automatic TTL; null if the TTL is fixed. */
  readonly automaticTtl: AutomaticTtlValues | null;
  /** True if a function computes the TTL of each value. */
  readonly ttlByValue: boolean;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** Null for none. */
  readonly softTimeoutMs: number | null;
  /** Null for none. */
  readonly hardTimeoutMs: number | null;
  /** A fresh entry is refreshed from this fraction of its TTL on; null if it is not. */
  readonly refreshFraction: number | null;
  /** The weight of XFetch's early refresh; 0 turns it off. */
  readonly xfetchBeta: number;
  readonly jitter: number;
  /** How long null is stored; null if it is stored like any other value. */
  readonly negativeTtlMs: number | null;
  readonly lock: boolean;
  /** Null for none. */
  readonly waitTimeoutMs: number | null;
  /** Bytes; null if unlimited. */
  readonly maxEntrySize: number | null;
}

/** The values that each field of a change decides. */
const DECIDES: Readonly<Record<keyof PolicyChange, readonly (keyof PolicyValues)[]>> = {
  ttl: ['ttlMs', 'automaticTtl', 'ttlByValue'],
  staleWhileRevalidate: ['staleWhileRevalidateMs'],
  staleIfError: ['staleIfErrorMs'],
  softTimeout: ['softTimeoutMs'],
  hardTimeout: ['hardTimeoutMs'],
  refreshAhead: ['refreshFraction', 'xfetchBeta'],
  jitter: ['jitter'],
  negativeTtl: ['negativeTtlMs'],
  lock: ['lock'],
  waitTimeout: ['waitTimeoutMs'],
  maxEntrySize: ['maxEntrySize'],
};

export function valuesOf(policy: ResolvedPolicy): PolicyValues {
  return {
    ttlMs: policy.ttlOf === undefined ? finite(policy.ttlMs) : null,
    automaticTtl: boundsOf(policy),
    ttlByValue: policy.ttlOf !== undefined,
    staleWhileRevalidateMs: policy.staleWhileRevalidateMs,
    staleIfErrorMs: policy.staleIfErrorMs,
    softTimeoutMs: finite(policy.softTimeoutMs),
    hardTimeoutMs: finite(policy.hardTimeoutMs),
    refreshFraction: finite(policy.refreshFraction),
    xfetchBeta: policy.xfetchBeta,
    jitter: policy.jitter,
    negativeTtlMs: policy.nullTtlMs ?? null,
    lock: policy.lock,
    waitTimeoutMs: finite(policy.waitTimeoutMs),
    maxEntrySize: finite(policy.maxEntrySize),
  };
}

/** Returns the values that a change decides; `ttlByValue` and `automaticTtl` only if they are set. */
export function decidedBy(change: PolicyChange, values: PolicyValues): Partial<PolicyValues> {
  const names = Object.keys(change).flatMap((name) => DECIDES[name as keyof PolicyChange]);
  const shown = names.filter((name) => !(name === 'ttlByValue' || name === 'automaticTtl') || values[name]);
  return Object.fromEntries(shown.map((name) => [name, values[name]]));
}

/** Writes values for a sentence, with the names of options: `TTL 60 s, staleIfError 2 h`. */
export function valuesText(values: Partial<PolicyValues>): string {
  const { ttlMs, automaticTtl, ttlByValue, ...others } = values;
  const texts = Object.entries(others).map(([name, value]) => `${optionOf(name)} ${valueText(name, value)}`);
  if (ttlMs === undefined) return texts.join(', ');
  const bounds =
    automaticTtl && ` (automatic, ${durationText(automaticTtl.minMs)} to ${durationText(automaticTtl.maxMs)})`;
  return [`TTL ${ttlByValue ? 'by value' : lifetimeText(ttlMs)}${bounds ?? ''}`, ...texts].join(', ');
}

/** Writes an exact duration for a sentence: `250 ms`, `60 s`, `5 min`, `24 h`. */
export function durationText(milliseconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => milliseconds >= 2 * size && milliseconds % size === 0) ?? ['ms', 1];
  return `${milliseconds / size} ${unit}`;
}

const UNITS: readonly (readonly [unit: string, milliseconds: number])[] = [
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

function optionOf(name: string): string {
  const option = Object.entries(DECIDES).find(([, decided]) => decided.some((one) => one === name))?.[0] ?? name;
  return name === 'xfetchBeta' ? `${option}.beta` : option;
}

function valueText(name: string, value: unknown): string {
  if (value === null) return name === 'negativeTtlMs' ? 'the TTL' : 'none';
  return name.endsWith('Ms') && typeof value === 'number' ? durationText(value) : String(value);
}

function lifetimeText(ttlMs: number | null): string {
  return ttlMs === null ? 'without end' : durationText(ttlMs);
}

/** Returns the names of values in which policies differ. */
export function variesIn(all: readonly PolicyValues[]): (keyof PolicyValues)[] {
  const [first] = all;
  if (first === undefined) return [];
  return (Object.keys(first) as (keyof PolicyValues)[]).filter((name) =>
    all.some((one) => JSON.stringify(one[name]) !== JSON.stringify(first[name])),
  );
}

function boundsOf({ automaticTtl }: ResolvedPolicy): AutomaticTtlValues | null {
  if (automaticTtl === undefined) return null;
  const { minMs, maxMs, maxStaleShare } = automaticTtl;
  return { minMs, maxMs, maxStaleShare };
}

function finite(value: number): number | null {
  return value === Infinity ? null : value;
}
