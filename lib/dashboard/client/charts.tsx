import { useMemo } from 'preact/hooks';
import { useAlerts } from './alerts';
import { Chart, type Mark, type Series } from './chart';
import { duration, percent, perSecond } from './format';
import { shownEvents } from './events';
import type { Invalidation, LiveEvent } from './live';
import type { Alert, Context, History, HistoryPoint, PolicyEvent } from './wire';

const time = (at: string) => Date.parse(at) / 1000;
const rate = (of: (point: HistoryPoint) => number) => (point: HistoryPoint) =>
  point.seconds > 0 ? of(point) / point.seconds : null;

/** The four charts of a history, on one time axis. */
export function HistoryCharts({ history, context }: { history: History; context: Context | undefined }) {
  const { points } = history;
  const times = useMemo(() => points.map(({ start, seconds }) => time(start) + seconds / 2), [points]);
  const marks = marksOf(history, context, shownEvents.value, useAlerts().data ?? []);
  const lines = useMemo(() => {
    const line = (
      label: string,
      colour: string,
      of: (point: HistoryPoint) => number | null,
      rest: Partial<Series> = {},
    ) => ({
      label,
      colour,
      values: points.map(of),
      ...rest,
    });
    return {
      hitRate: [line('Hit rate', '--s1', ({ hit_rate }) => hit_rate, { fill: true })],
      requests: [
        line(
          'Requests',
          '--s1',
          rate(({ total_requests }) => total_requests),
        ),
        line(
          'Misses',
          '--s2',
          rate(({ cache_misses }) => cache_misses),
          { dash: [6, 3] },
        ),
        line(
          'Stale',
          '--s4',
          rate(({ stale_hits }) => stale_hits),
          { dash: [2, 2] },
        ),
      ],
      response: [line('Response p95', '--s1', ({ p95_response_time_ms }) => p95_response_time_ms)],
      load: [
        line('Load p95', '--s2', ({ p95_load_time_ms }) => p95_load_time_ms),
        line('Load p50', '--s3', ({ p50_load_time_ms }) => p50_load_time_ms, { dash: [6, 3] }),
      ],
    };
  }, [points]);
  if (points.every(({ total_requests }) => total_requests === 0))
    return <p class="note">Nothing was observed in this window yet.</p>;
  return (
    <div class="charts">
      <Chart
        title="Hit rate"
        term="hitRate"
        times={times}
        series={lines.hitRate}
        format={percent}
        marks={marks}
        top={1}
      />
      <Chart title="Requests" term="requests" times={times} series={lines.requests} format={perSecond} marks={marks} />
      <Chart title="Response time" term="p95" times={times} series={lines.response} format={duration} marks={marks} />
      <Chart title="Load time" term="load" times={times} series={lines.load} format={duration} marks={marks} />
    </div>
  );
}

/** An invalidation of at least this many keys is marked. */
const BURST = 20;

/** Returns the marks: starts of the application, alerts, and events that the stream reported while the page was open. */
function marksOf(
  { since }: History,
  context: Context | undefined,
  seen: readonly LiveEvent[],
  alerts: readonly Alert[],
): Mark[] {
  const starts = (context?.starts ?? []).map(markOfStart);
  const isStart = starts.some(({ at }) => Math.abs(time(since) - at) <= 5);
  const reset = context === undefined || isStart ? undefined : { at: time(since), label: 'counted since' };
  return [...starts, reset, ...alerts.flatMap(marksOfAlert), ...seen.map(markOf)].filter((mark) => mark !== undefined);
}

/** Marks a start. For another instance, the label names its host. */
function markOfStart({ at, version, host, own }: Context['starts'][number]): Mark {
  return {
    at: time(at),
    label: ['start', version ?? '', own ? '' : `on ${host}`].filter((part) => part !== '').join(' '),
  };
}

function markOf({ type, at, data }: LiveEvent): Mark | undefined {
  if (type === 'invalidation') {
    const { keys, removed, all, patterns } = data as Invalidation;
    const many = all || Math.max(keys, removed ?? 0) >= BURST;
    return many ? { at: at / 1000, label: `invalidated ${all ? 'all' : (patterns[0] ?? '')}` } : undefined;
  }
  if (type === 'policy') {
    const { pattern, change } = data as PolicyEvent;
    return { at: at / 1000, label: `policy of ${pattern} ${change.replaceAll('_', ' ')}` };
  }
  return undefined;
}

/** Marks only alerts about how the cache works, not about how well it works. */
function marksOfAlert({ code, subject, opened_at, closed_at }: Alert): Mark[] {
  if (!/^(CIRCUIT_OPEN|LAYER_DOWN|INVALIDATION_STORM)$/.test(code)) return [];
  const opened = { at: time(opened_at), label: `${code} ${subject}` };
  return closed_at === null ? [opened] : [opened, { at: time(closed_at), label: `${code} over` }];
}
