import type { Entry } from '../entries/entry.js';
import { valueOf } from '../entries/value-of.js';
import type { ResolvedPolicy } from '../policies/resolved-policy.js';

/*
 * The life of an entry, and the only place that reads its times. An entry is fresh until `freshUntil`; then it may be served
 * while one refresh runs (stale-while-revalidate, RFC 5861 section 3) until `staleUntil`; then it is served only if its
 * origin fails (stale-if-error, RFC 5861 section 4) until `removeAt`; then it counts as absent.
 *
 * get-or-load.ts serves stale entries and starts their refresh.
 */

/** Returns true while the entry answers without a load. */
export function isFresh(entry: Entry, now: number): boolean {
  return entry.freshUntil > now;
}

/** Returns true while a caller may get the entry and a reload may run in the background. Fresh entries are servable, too. */
export function isServable(entry: Entry, now: number): boolean {
  return entry.staleUntil > now;
}

/** Returns true while the entry may be served if its origin fails. Servable entries are retained, too. */
export function isRetained(entry: Entry, now: number): boolean {
  return entry.removeAt > now;
}

/** Returns true if `entry` is fresh for longer than `other`, or if there is no other. */
export function isNewer(entry: Entry, other: Entry | undefined): boolean {
  return other === undefined || entry.freshUntil > other.freshUntil;
}

/**
 * Returns true if a fresh entry must be loaded again before it expires. That is so after a fraction of its life, if less time than a threshold is
 * left, or with XFetch's probability: `now − cost · β · ln(rand) ≥ expiry` (Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede
 * Prevention, VLDB 2015).
 */
export function refreshIsDue(entry: Entry, policy: ResolvedPolicy<never>, now: number, random: () => number): boolean {
  const { freshUntil } = entry;
  if (freshUntil === Infinity) return false;
  if (now >= entry.createdAt + policy.refreshFraction * (freshUntil - entry.createdAt)) return true;
  const { refreshThreshold } = policy;
  if (refreshThreshold !== undefined) {
    const left = typeof refreshThreshold === 'number' ? refreshThreshold : refreshThreshold(valueOf(entry) as never);
    if (freshUntil - now < left) return true;
  }
  if (policy.xfetchBeta === 0) return false;
  return now - entry.cost * policy.xfetchBeta * Math.log(1 - random()) >= freshUntil;
}
