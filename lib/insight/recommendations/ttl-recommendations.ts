import type { ChangeEvidence, PatternEvidence, PolicyInForce, TtlEvidence, TtlRung } from '../evidence/evidence.js';
import { duration, figure, percent, policyCode, rateText, spoken } from './figures-in-text.js';
import { type Advice } from './recommendation-types.js';

/*
 * Rules about time: how long values are fresh, and what happens when they expire.
 */

/** The smallest share of expired entries among the misses for which a longer TTL is proposed. It reduces no other misses. */
const EXPIRED_SHARE = 0.05;
/** Stale answers are not proposed if loads are faster than this, milliseconds. */
const SLOW_LOAD_MS = 10;
const MIN_EXPIRED = 30;
/** The longest proposed window for stale answers, as a multiple of the TTL, if nine in ten waiting callers need it. */
const SOON = 1.5;
/** Usual TTLs and windows, seconds. */
const ROUND = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400];

/** Proposes a longer TTL if the ladder advises one and entries do expire. */
export function raiseTtl({
  pattern,
  declared,
  stats,
  policy,
  maxStaleShare,
  ttl,
}: PatternEvidence): Advice | undefined {
  const rungs = advisedRungs(ttl);
  if (rungs === undefined || rungs.advised.ttlMs <= rungs.today.ttlMs) return undefined;
  const { today, advised } = rungs;
  const { expired } = stats.missReasons;
  if (expired === 0 || expired < stats.cacheMisses * EXPIRED_SHARE) return undefined;
  const [from, to] = written(policy, today, advised);
  return {
    code: 'RAISE_TTL',
    title: `Raise the TTL of ${pattern} from ${from} to ${to}`,
    why:
      `${percent(expired / stats.cacheMisses)} of misses found an entry expired. With ttl: '${to}' the hit rate is ` +
      `${rateText(advised)} instead of ${rateText(today)}, and ${percent(advised.staleShare ?? 0)} of hits return ` +
      `an outdated value (${percent(maxStaleShare)} is allowed).`,
    change: { option: 'ttl', from, to, code: policyCode(pattern, declared, `ttl: '${to}'`) },
    evidence: ttlFigures(ttl!, today, expired),
    predicted: effectOf(today, advised),
    confidence: confidenceOf(today, advised),
  };
}

/** Proposes a shorter TTL if values change much faster than they expire. */
export function lowerTtl(evidence: PatternEvidence): Advice | undefined {
  const { pattern, declared, stats, policy, maxStaleShare, ttl, changes } = evidence;
  const rungs = advisedRungs(ttl) ?? quarter(ttl, changes);
  if (rungs === undefined || rungs.advised.ttlMs >= rungs.today.ttlMs) return undefined;
  const { today, advised } = rungs;
  if (today.staleShare === null || today.staleShare - (today.staleShareError ?? 0) <= maxStaleShare) return undefined;
  const [from, to] = written(policy, today, advised);
  const rate = advised.hitRate === null ? '' : `, at a hit rate of ${rateText(advised)}`;
  return {
    code: 'LOWER_TTL',
    title: `Lower the TTL of ${pattern} from ${from} to ${to}`,
    why:
      `${percent(today.staleShare)} of hits return an outdated value (${percent(maxStaleShare)} is allowed): values change ` +
      `faster than they expire. With ttl: '${to}' the share is ${percent(advised.staleShare ?? 0)}${rate}. ` +
      `Or invalidate after each change: then the TTL can stay, and no value is outdated.`,
    change: { option: 'ttl', from, to, code: policyCode(pattern, declared, `ttl: '${to}'`) },
    evidence: {
      ...ttlFigures(ttl!, today, stats.missReasons.expired),
      reloadsCompared: changes?.compared ?? null,
      reloadsChanged: changes?.changed ?? null,
    },
    predicted: effectOf(today, advised),
    confidence: today.staleShare > 2 * maxStaleShare ? 'high' : 'medium',
  };
}

/** The minimum number of compared reloads for a rate of change, and the minimum share of changed ones. */
const MIN_COMPARED = 50;
const OFTEN = 0.3;

/**
 * Proposes a quarter of today's TTL if reloads often return a changed value and the ladder therefore withholds its stale share. The
 * share of changed reloads gives the rate of change (Cho and Garcia-Molina 2003), and the rate gives the number of outdated hits.
 */
function quarter(ttl: TtlEvidence | undefined, changes: ChangeEvidence | undefined): Rungs | undefined {
  if (ttl === undefined || changes === undefined || changes.compared < MIN_COMPARED) return undefined;
  if (changes.changed < changes.compared * OFTEN) return undefined;
  const [shortest] = ttl.ladder;
  const today = ttl.ladder.find(({ ttlMs }) => ttlMs === ttl.ttlMs);
  if (shortest === undefined || today === undefined || shortest.ttlMs >= today.ttlMs) return undefined;
  const changesInTtl = -Math.log((changes.compared - changes.changed + 0.5) / (changes.compared + 0.5));
  const staleAt = (rung: TtlRung): TtlRung => ({
    ...rung,
    staleShare: rung.staleShare ?? outdated((changesInTtl * rung.ttlMs) / today.ttlMs),
    staleShareError: rung.staleShareError ?? 0,
  });
  return { today: staleAt(today), advised: staleAt(shortest) };
}

/** Returns the share of hits after the first change, if hits are evenly spread, for a number of changes per TTL. */
function outdated(changesInTtl: number): number {
  return 1 - (1 - Math.exp(-changesInTtl)) / changesInTtl;
}

/** Proposes to serve the stale value during a refresh if callers wait for slow loads of expired entries. */
export function serveStale(evidence: PatternEvidence): Advice | undefined {
  const { pattern, declared, stats, hours, policy, expiry } = evidence;
  if (policy === undefined || expiry === undefined || expiry.expired < MIN_EXPIRED) return undefined;
  if (policy.staleWhileRevalidateMs > 0 || policy.refreshesAhead) return undefined;
  const { expired } = stats.missReasons;
  const loadMs = stats.avgLoadTimeMs ?? 0;
  if (loadMs < SLOW_LOAD_MS || expired < MIN_EXPIRED) return undefined;
  // A caller long after the end would get a value that is too old. Such callers still wait.
  const isForMost = policy.ttlMs === null || expiry.withinMs <= policy.ttlMs * SOON;
  const [share, withinMs] = isForMost ? [NINE_IN_TEN, expiry.withinMs] : [expiry.soon, policy.ttlMs];
  const served = share * expired;
  const savedMs = (served * loadMs) / hours;
  if (share < ENOUGH || savedMs < LEAST_GAIN_MS) return undefined;
  const staleShare = staleShareWith(evidence, served);
  if (staleShare !== null && staleShare.added > evidence.maxStaleShare) return undefined;
  const to = duration(roundUp(withinMs));
  return {
    code: 'SERVE_STALE',
    title: `Serve ${pattern} stale for up to ${to} while it is refreshed`,
    why:
      `${figure(expired)} callers waited ${figure(loadMs)} ms on average because an entry had expired; ${percent(share)} of them came within ` +
      `${spoken(withinMs)} after it expired. With staleWhileRevalidate: '${to}' they get the stale value at once, and one refresh ` +
      `runs in the background.`,
    change: {
      option: 'staleWhileRevalidate',
      from: null,
      to,
      code: policyCode(pattern, declared, `staleWhileRevalidate: '${to}'`),
    },
    evidence: { expiredMisses: expired, avgLoadTimeMs: loadMs, withinMs, sampled: expiry.expired },
    predicted: {
      hitRate: Math.min(1, (stats.cacheHits + served) / stats.totalRequests),
      hitRateError: 0.1 * (expired / stats.totalRequests),
      staleShare: staleShare?.all ?? null,
      timeSavedMsPerHour: savedMs,
    },
    confidence: expiry.expired >= 300 ? 'high' : 'medium',
  };
}

/** The smallest share of the waiting callers that must get the stale value. */
const ENOUGH = 0.5;
/** A smaller gain per hour is noise, milliseconds. */
const LEAST_GAIN_MS = 1_000;

/**
 * Returns the share of outdated hits if callers get the stale value instead of waiting. That value is outdated if the refresh returns
 * another one; the share of reloads with another value is known. Null while too few reloads were compared.
 */
function staleShareWith(
  { stats, changes, ttl }: PatternEvidence,
  served: number,
): { all: number; added: number } | null {
  if (changes === undefined || changes.compared < MIN_COMPARED) return null;
  const hits = stats.cacheHits + served;
  const added = (served * changes.changed) / changes.compared / hits;
  const today = ttl?.ladder.find(({ ttlMs }) => ttlMs === ttl.ttlMs)?.staleShare ?? 0;
  return { all: Math.min(1, (stats.cacheHits * today) / hits + added), added };
}

/** Jitter makes the TTL of entries differ from the declared one by at most this share. */
const SAME_TTL = 0.05;
const NINE_IN_TEN = 0.9;

interface Rungs {
  readonly today: TtlRung;
  readonly advised: TtlRung;
}

/** Returns today's rung and the advised one; undefined if either has no figures. */
function advisedRungs(ttl: TtlEvidence | undefined): Rungs | undefined {
  if (ttl?.advised === undefined || ttl.withheld !== undefined) return undefined;
  const rungOf = (ttlMs: number) => ttl.ladder.find((rung) => rung.ttlMs === ttlMs && rung.hitRate !== null);
  const [today, advised] = [rungOf(ttl.ttlMs), rungOf(ttl.advised.ttlMs)];
  return today === undefined || advised === undefined ? undefined : { today, advised };
}

/** Returns the TTLs to write: today's (the declared one, if entries have it) and its multiple. */
function written(policy: PolicyInForce | undefined, today: TtlRung, advised: TtlRung): [from: string, to: string] {
  const declared = policy?.ttlMs ?? 0;
  const base = Math.abs(declared - today.ttlMs) < today.ttlMs * SAME_TTL ? declared : today.ttlMs;
  return [duration(base), duration((base * advised.ttlMs) / today.ttlMs)];
}

function effectOf(today: TtlRung, advised: TtlRung): Advice['predicted'] {
  return {
    hitRate: advised.hitRate,
    hitRateError: advised.hitRateError,
    staleShare: advised.staleShare,
    timeSavedMsPerHour:
      today.loadMsPerHour === null || advised.loadMsPerHour === null ? 0 : today.loadMsPerHour - advised.loadMsPerHour,
    ...(advised.loadsPerHour !== null && { loadsPerHour: advised.loadsPerHour }),
  };
}

function ttlFigures(ttl: TtlEvidence, today: TtlRung, expired: number): Advice['evidence'] {
  return {
    accesses: ttl.accesses,
    observedMs: ttl.observedMs,
    expiredMisses: expired,
    hitRate: today.hitRate,
    hitRateError: today.hitRateError,
    staleShare: today.staleShare,
    staleShareError: today.staleShareError,
    loadsPerHour: today.loadsPerHour,
  };
}

/** High if the gain is more than twice the error. */
function confidenceOf(today: TtlRung, advised: TtlRung): Advice['confidence'] {
  const gain = Math.abs((advised.hitRate ?? 0) - (today.hitRate ?? 0));
  const error = (advised.hitRateError ?? 0) + (today.hitRateError ?? 0);
  return gain > 2 * error ? 'high' : 'medium';
}

function roundUp(milliseconds: number): number {
  const seconds = ROUND.find((rung) => rung * 1_000 >= milliseconds);
  return seconds === undefined ? milliseconds : seconds * 1_000;
}
