import type { KeyPartEvidence, PatternEvidence, WarmedEvidence } from '../evidence/evidence.js';
import { figure, percent, policyCode } from './figures-in-text.js';
import { type Advice } from './recommendation-types.js';

/*
 * Rules about keys: keys with needless inputs, and keys that are not requested again.
 */

const MIN_LOADS = 100;
const MOSTLY = 0.5;
const LEAST_GAIN = 0.1;
/** An input is needless if at least this share of the values that differ only in it are equal. */
const SAME = 0.95;

/** An input in the key on which the value does not depend. */
export function keyTooSpecific(evidence: PatternEvidence): Advice | undefined {
  const { pattern, declared, stats, hours, keys } = evidence;
  if (keys === undefined || keys.loads < MIN_LOADS || keys.askedOnce < MOSTLY) return undefined;
  const needless = keys.parts.filter(
    ({ sameValue, repeats, repeatsError }) =>
      sameValue !== null && sameValue >= SAME && repeats - keys.repeats > Math.max(LEAST_GAIN, 2 * repeatsError),
  );
  const part = needless.reduce<KeyPartEvidence | undefined>(
    (best, each) => (best === undefined || each.repeats > best.repeats ? each : best),
    undefined,
  );
  if (part === undefined || stats.totalRequests === 0) return undefined;
  const more = stats.cacheMisses * (part.repeats - keys.repeats);
  const hitRate = Math.min(1, (stats.cacheHits + more) / stats.totalRequests);
  const missShare = stats.cacheMisses / stats.totalRequests;
  return {
    code: 'KEY_TOO_SPECIFIC',
    title: `Leave ${part.name} out of the keys of ${pattern}`,
    why:
      `${percent(keys.askedOnce)} of the keys are requested only once. ${part.name} splits them: about ${figure(part.distinct)} values of it ` +
      `were seen, and ${percent(part.sameValue!)} of the answers that differ in it alone are the same. Without it the hit rate is ` +
      `${percent(hitRate)} instead of ${percent(stats.hitRate ?? 0)}.`,
    change: keyChange(part.name, pattern, declared),
    evidence: {
      loads: keys.loads,
      distinctKeys: keys.distinctKeys,
      askedOnceShare: keys.askedOnce,
      input: part.name,
      distinctValues: part.distinct,
      sameValueShare: part.sameValue,
    },
    predicted: {
      hitRate,
      hitRateError: part.repeatsError * missShare,
      staleShare: null,
      timeSavedMsPerHour: (more / hours) * (stats.avgLoadTimeMs ?? 0),
    },
    confidence: keys.loads >= 1_000 ? 'high' : 'medium',
  };
}

/** Proposes `ignore` on a handler; otherwise a change of the key itself. */
function keyChange(name: string, pattern: string, declared: string | undefined): Advice['change'] {
  if (declared !== undefined && !declared.includes('{')) {
    return { option: 'ignore', from: null, to: name, code: policyCode(pattern, declared, `ignore: ['${name}']`) };
  }
  if (declared !== undefined) {
    const without = declared.replace(new RegExp(`[:/?&-]?[A-Za-z_]*=?\\{${name.replaceAll('.', '\\.')}\\??\\}`), '');
    const code = `@Cached('${without}', { ignore: ['${name}'] })`;
    return { option: 'ignore', from: null, to: name, code };
  }
  return { option: 'key', from: name, to: null, code: `// keys ${pattern}: leave out ${name}` };
}

const MIN_ENDED = 100;
const NEARLY_ALL = 0.9;
const LOW_HIT_RATE = 0.1;
const MIN_WARMED = 50;

/** Entries of a pattern or of a warming strategy that end before they are read. */
export function neverRead(evidence: PatternEvidence): Advice | undefined {
  const { pattern, declared, stats, hours, lifetimes } = evidence;
  const warmed = evidence.warmed?.find(isUnread);
  if (warmed !== undefined) return neverReadWarmed(evidence, warmed);
  if (lifetimes === undefined || lifetimes.ended < MIN_ENDED) return undefined;
  const unread = lifetimes.unread / lifetimes.ended;
  if (unread < NEARLY_ALL || (stats.hitRate ?? 0) > LOW_HIT_RATE) return undefined;
  const removal = declared === undefined ? `// call load() itself, without cache.getOrSet: keys ${pattern}` : `// remove @Cached('${declared}')`; // prettier-ignore
  return {
    code: 'NEVER_READ',
    title: `Stop caching ${pattern}`,
    why:
      `${percent(unread)} of ${figure(lifetimes.ended)} entries ended unread, and the hit rate is ` +
      `${percent(stats.hitRate ?? 0)}: each costs a write and memory, and saves nothing.`,
    change: { option: 'cached', from: true, to: false, code: removal },
    evidence: { ended: lifetimes.ended, unread: lifetimes.unread, unreadShare: unread, sets: stats.sets },
    predicted: {
      hitRate: 0,
      hitRateError: 0,
      staleShare: null,
      timeSavedMsPerHour: (stats.totalRequests / hours) * (stats.avgResponseTimeMs ?? 0) - stats.timeSavedMs / hours,
      bytes: -lifetimes.unread * lifetimes.unreadBytes,
    },
    confidence: lifetimes.ended >= 1_000 ? 'high' : 'medium',
  };
}

function isUnread({ warmed, read }: WarmedEvidence): boolean {
  return warmed >= MIN_WARMED && read <= warmed * (1 - NEARLY_ALL);
}

function neverReadWarmed({ pattern, stats, hours }: PatternEvidence, warmed: WarmedEvidence): Advice {
  const { strategy, read } = warmed;
  const unread = warmed.warmed - read;
  return {
    code: 'NEVER_READ',
    title: `Warm fewer entries of ${pattern} with ${strategy}`,
    why:
      `${figure(unread)} of ${figure(warmed.warmed)} entries that the strategy ${strategy} wrote ended unread: ` +
      `warm only keys that are requested.`,
    change: { option: 'strategies', from: strategy, to: null, code: `// strategy ${strategy}: yield fewer keys` },
    evidence: { strategy, warmed: warmed.warmed, read, unreadShare: unread / warmed.warmed },
    predicted: {
      hitRate: stats.hitRate,
      hitRateError: warmed.warmed === 0 ? 0 : read / warmed.warmed,
      staleShare: null,
      timeSavedMsPerHour: (unread / hours) * (stats.avgLoadTimeMs ?? 0),
    },
    confidence: warmed.warmed >= 500 ? 'high' : 'medium',
  };
}
