import type { PatternEvidence } from '../evidence/evidence.js';
import { percent, policyCode } from './figures-in-text.js';
import { type Advice } from './recommendation-types.js';

/*
 * The rule about invalidations that remove more than the changed values.
 */

const MIN_RELOADS = 30;
const MOST = 0.5;
const MOSTLY_UNCHANGED = 0.6;

/** Most misses follow an invalidation, and most of their reloads return the value that was removed. */
export function invalidatedTooWidely(evidence: PatternEvidence): Advice | undefined {
  const { pattern, declared, stats, hours, invalidations } = evidence;
  if (invalidations === undefined || invalidations.reloads < MIN_RELOADS || stats.totalRequests === 0) return undefined;
  const { invalidated } = stats.missReasons;
  const unchanged = invalidations.unchanged / invalidations.reloads;
  if (invalidated < stats.cacheMisses * MOST || unchanged < MOSTLY_UNCHANGED) return undefined;
  const spared = invalidated * unchanged;
  const error = 2 * Math.sqrt((unchanged * (1 - unchanged)) / invalidations.reloads);
  return {
    code: 'INVALIDATED_TOO_WIDELY',
    title: `Invalidate less of ${pattern}`,
    why:
      `${percent(invalidated / stats.cacheMisses)} of misses followed an invalidation, and ${percent(unchanged)} of the reloads after ` +
      `one returned the same value. Invalidate only the key or the entity (with a tag for each) that changed, instead of a glob or a tag that covers all.`,
    change: narrower(pattern, declared),
    evidence: {
      invalidatedMisses: invalidated,
      reloads: invalidations.reloads,
      unchanged: invalidations.unchanged,
      unchangedShare: unchanged,
    },
    predicted: {
      hitRate: Math.min(1, (stats.cacheHits + spared) / stats.totalRequests),
      hitRateError: (invalidated / stats.totalRequests) * error,
      staleShare: null,
      timeSavedMsPerHour: (spared / hours) * (stats.avgLoadTimeMs ?? 0),
      loadsPerHour: (stats.recalculations - spared) / hours,
    },
    confidence: invalidations.reloads >= 300 ? 'high' : 'medium',
  };
}

/** Proposes the key that changed, if a template makes it; otherwise a tag of the entity. */
function narrower(pattern: string, declared: string | undefined): Advice['change'] {
  if (declared?.includes('{') === true) {
    return { option: 'keys', from: null, to: declared, code: `@CacheInvalidate({ keys: ['${declared}'] })` };
  }
  if (declared === undefined) {
    const code = `await cache.del(key) // the key that changed, instead of a glob over ${pattern}`;
    return { option: 'keys', from: null, to: 'key', code };
  }
  const tag = `${/^[A-Za-z][A-Za-z0-9_-]*/.exec(pattern)?.[0] ?? 'entity'}:{params.id}`;
  const code = `${policyCode(pattern, declared, `tags: ['${tag}']`)} // and @CacheInvalidate({ tags: ['${tag}'] })`;
  return { option: 'tags', from: null, to: tag, code };
}
