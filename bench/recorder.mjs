// The recorder by itself: it is not public, so the bench reaches into the build for it.
import { systemClock } from '../build/cache/base/clock.js';
import { MetricsRecorder } from '../build/metrics/recorder.js';

export function recorderOf(samplingRate) {
  const recorder = new MetricsRecorder({ clock: systemClock, samplingRate });
  recorder.attach([{ name: 'memory', shared: false }]);
  const series = recorder.series('feed:*');
  const now = () => systemClock.now();
  return {
    /** Counted; the time of the question is at hand, as on the hit path, where freshness needs it. */
    hits(count) {
      const startedAt = now();
      for (let turn = 0; turn < count; turn++) recorder.hit(series, 0, startedAt);
    },
    hitsWithClock(count) {
      for (let turn = 0; turn < count; turn++) recorder.hit(series, 0, now());
    },
    clockReads(count) {
      let sum = 0;
      for (let turn = 0; turn < count; turn++) sum += now() - now();
      return sum;
    },
  };
}
