import type { AccessTrack } from './windows/access-track.js';
import type { MetricsState } from './state/metrics-state.js';
import type { CacheStats, Window } from './snapshot.js';
import { cacheStats } from './statistics.js';
import { windowNamed } from './windows/window-lengths.js';

/** The statistics of one `@Cached` handler or method. */
export interface SubjectMetrics {
  /** @throws CacheError `UNKNOWN_WINDOW`. */
  getStats(window?: Window): CacheStats;
  /** Sets the statistics of this handler or method to zero. Those of its pattern and the totals stay. */
  reset(): void;
}

/** Reads the tracks of one handler or method. */
export class SubjectView implements SubjectMetrics {
  constructor(
    private readonly state: MetricsState,
    private readonly tracks: readonly AccessTrack[],
  ) {}

  getStats(window?: Window): CacheStats {
    const named = windowNamed(window);
    const now = this.state.clock.now();
    const sum = this.state.nothing();
    for (const { track } of this.tracks) track.addTo(sum, named, now);
    const since = this.tracks.reduce((latest, { track }) => Math.max(latest, track.since), this.state.since);
    return cacheStats(sum, { window: named, coverageSeconds: this.state.coverageSeconds(named, since) });
  }

  reset(): void {
    for (const track of this.tracks) track.reset(this.state.clock.now());
  }
}
