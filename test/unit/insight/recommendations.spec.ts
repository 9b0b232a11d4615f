import { describe, expect, it } from '@jest/globals';
import { MissReason, Outcome } from '../../../lib/cache/observer.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import { ManualClock } from '../../support/manual-clock.js';

function recommendation(
  pattern: string,
  ttlMs: number | null,
  misses: Partial<Record<keyof typeof MissReason, number>>,
) {
  const { observer, metrics } = createCacheMetrics({ clock: new ManualClock() });
  for (const [reason, count] of Object.entries(misses)) {
    for (let at = 0; at < count; at++) {
      observer.access(observer.series(pattern), Outcome.miss, -1, 1, 1, MissReason[reason as keyof typeof MissReason]);
    }
  }
  metrics.declare(pattern, { ttlMs });
  return metrics.getLowPerformers(0.5)[0]!.recommendation;
}

describe('a recommendation', () => {
  it('follows why the misses happened before anything else', () => {
    expect(recommendation('feed:*', 60_000, { evicted: 8, cold: 2 })).toMatch(/80 % of misses.*evicted.*more room/);
    expect(recommendation('search:*', 60_000, { invalidated: 5, cold: 5 })).toMatch(
      /review what invalidates search:\*/,
    );
    expect(recommendation('product:*', 60_000, { expired: 9, cold: 1 })).toMatch(/expired.*1m today, 2m proposed/);
  });

  it('takes the reason that explains most', () => {
    expect(recommendation('feed:*', 60_000, { expired: 4, evicted: 5, cold: 1 })).toMatch(/more room/);
  });

  it('goes by the kind of the keys where no reason stands out', () => {
    expect(recommendation('feed:*', 300_000, { cold: 9, expired: 1 })).toMatch(/longer TTL: 5m today, 10m proposed/);
    expect(recommendation('search:*', 60_000, { cold: 1 })).toMatch(/broader keys.*longer TTL/);
    expect(recommendation('product:*', 60_000, { cold: 1 })).toMatch(/review invalidation/);
    expect(recommendation('user:*:cart', 300_000, { unknown: 1 })).toMatch(/an hour or more.*5m today, 1h proposed/);
    expect(recommendation('other:*', 60_000, { cold: 1 })).toMatch(/longer TTL: 1m today/);
  });

  it('proposes at least twice the TTL of today, beyond a day too', () => {
    expect(recommendation('feed:*', 7_200_000, { expired: 1 })).toMatch(/2h today, 6h proposed/);
    expect(recommendation('feed:*', 86_400_000, { expired: 1 })).toMatch(/1d today, 2d proposed/);
  });

  it('does without the TTL where none is known, and where there is none to lengthen', () => {
    expect(recommendation('user:*', null, { cold: 1 })).toMatch(/longer TTL, 1h or more/);
    expect(recommendation('feed:*', 0, { cold: 1 })).toMatch(/unlimited already/);
  });
});
