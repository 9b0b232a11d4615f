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

/** True while the entry answers without a load. */
export function isFresh(entry: Entry, now: number): boolean {
  return entry.freshUntil > now;
}

/** True while a caller may get the entry and the reload may run in the background. Fresh entries are servable, too. */
export function isServable(entry: Entry, now: number): boolean {
  return entry.staleUntil > now;
}

/** True while the entry may be served if its origin fails. Servable entries are retained, too. */
export function isRetained(entry: Entry, now: number): boolean {
  return entry.removeAt > now;
}

/** True if `entry` is fresh for longer than `other`, or there is no other. */
export function isNewer(entry: Entry, other: Entry | undefined): boolean {
  return other === undefined || entry.freshUntil > other.freshUntil;
}

/**
 * Whether a fresh entry is loaded again before it expires: after a fraction of its life, with less than a threshold left, or
 * early with XFetch's probability, `now − cost · β · ln(rand) ≥ expiry`
 * (Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede Prevention, VLDB 2015).
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
