// The recorder alone. It is not public, so the bench imports it from the build.
import { systemClock } from '../build/cache/base/clock.js';
import { MetricsRecorder } from '../build/metrics/recorder.js';

export function recorderOf(samplingRate) {
  const recorder = new MetricsRecorder({ clock: systemClock, samplingRate });
  recorder.attach([{ name: 'memory', shared: false }]);
  const series = recorder.series('feed:*');
  const now = () => systemClock.now();
  return {
    /** Records a hit; the time of the read is already known, as on the hit path, which needs it for freshness. */
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
