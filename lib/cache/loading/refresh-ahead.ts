import type { Entry } from '../entry.js';
import type { ResolvedPolicy } from '../policies/resolved-policy.js';

/**
 * Whether a fresh entry is to be loaded anew before it expires: from a fraction of its life on, with less than a threshold
 * left, or early with XFetch's probability, `now − cost · β · ln(rand) ≥ expiry`
 * (Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede Prevention, VLDB 2015).
 */
export function refreshIsDue(entry: Entry, policy: ResolvedPolicy<never>, now: number, random: () => number): boolean {
  const { freshUntil } = entry;
  if (freshUntil === Infinity) return false;
  if (now >= entry.createdAt + policy.refreshFraction * (freshUntil - entry.createdAt)) return true;
  if (policy.refreshThresholdOf !== undefined) {
    if (freshUntil - now < policy.refreshThresholdOf(entry.value as never)) return true;
  }
  if (policy.xfetchBeta === 0) return false;
  return now - entry.cost * policy.xfetchBeta * Math.log(1 - random()) >= freshUntil;
}
