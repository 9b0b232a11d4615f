import { AdviceList, useAdvice } from './advice';
import { HistoryCharts } from './charts';
import { hitRate, misses, timeLostOf, trend } from './columns';
import { EndpointTable, useEndpoints } from './endpoints';
import { bytes, count, duration, percent, perSecond } from './format';
import { AlertList } from './alerts';
import { EventList } from './events';
import { realtime } from './live';
import { MemoryCard } from './memory';
import { Card, Loaded, PatternLink, Sparkline, Stale, Term } from './parts';
import { type Resource, useResource } from './resource';
import { isStreamed, subject, windowName } from './route';
import type { Context, History, HistoryPoint, LayerStats, PatternStats, Realtime, Stats } from './wire';
import { Table, wide } from './table';
import type { TermName } from './terms';

/** How often charts and tables are requested, by window: data of longer windows changes more slowly. */
export const EVERY_MS = { '1m': 5_000, '5m': 10_000, '1h': 20_000, '24h': 60_000 } as const;
const SLOW_MS = 20_000;
const NOW_MS = 5_000;
const COSTLIEST = 6;

export function useStats(): Resource<Stats> {
  return useResource('stats', { window: windowName.value, ...subject.value }, EVERY_MS[windowName.value]);
}

/** Requests all patterns, one of them, or the `limit` patterns that lose most time to misses. */
export function usePatterns(which: { pattern?: string; limit?: number } = {}): Resource<readonly PatternStats[]> {
  const parameters = { window: windowName.value, ...which, ...subject.value };
  return useResource('stats/patterns', parameters, EVERY_MS[windowName.value] * 2);
}

export function useHistory(pattern?: string, patterns = 0): Resource<History> {
  const parameters = { window: windowName.value, pattern, patterns: patterns || undefined, ...subject.value };
  return useResource('history', parameters, EVERY_MS[windowName.value]);
}

export function Overview({ context }: { context: Context | undefined }) {
  const stats = useStats();
  const history = useHistory(undefined, COSTLIEST);
  const patterns = usePatterns({ limit: COSTLIEST });
  const advice = useAdvice();
  if (context?.metrics === false || context?.enabled === false) return <LayersCard />;
  return (
    <>
      {stats.data && <Stale of={stats} />}
      <Figures stats={stats} history={history.data} />
      <div class="two">
        <Card title="Costs most" more={{ page: 'patterns' }}>
          <Loaded of={patterns}>{(rows) => <Costliest rows={rows} history={history.data} />}</Loaded>
        </Card>
        <Card title="Change this" covers="by what was observed" more={{ page: 'advice' }}>
          <AdviceList of={advice} limit={3} />
        </Card>
      </div>
      <Card title="Over time">
        <Loaded of={history}>{(data) => <HistoryCharts history={data} context={context} />}</Loaded>
      </Card>
      <div class="two">
        <Card title="Alerts" covers="open now and latest" more={{ page: 'alerts' }}>
          <AlertList limit={5} />
        </Card>
        <Card title="Events" covers="since the page was opened" more={{ page: 'events' }}>
          <EventList limit={6} />
        </Card>
      </div>
      <div class="two">
        <LayersCard />
        <MemoryCard />
      </div>
      <EndpointsCard />
    </>
  );
}

/** Shown at the first start, before there is data: what to do next. */
function Start() {
  return (
    <>
      <p>Nothing was asked in this window.</p>
      <p>
        Put <code>@Cached('product:&#123;params.id&#125;')</code> on a handler and send it a request, or choose a longer
        window. Everything here fills by itself.
      </p>
    </>
  );
}

interface FigureProps {
  readonly term: TermName;
  readonly label: string;
  /** The time that the content covers. */
  readonly covers?: string;
  readonly value: string;
  readonly below: string;
  readonly history?: readonly HistoryPoint[] | undefined;
  readonly of?: (point: HistoryPoint) => number | null;
}

function Figure({ term, label, covers = `last ${windowName.value}`, value, below, history, of }: FigureProps) {
  return (
    <div class="figure" data-figure={term}>
      <dt>
        <Term name={term}>{label}</Term>
        <span class="muted">{covers}</span>
      </dt>
      <dd>
        <strong>{value}</strong>
        {of && <Sparkline points={history} of={of} />}
        <span class="muted">{below}</span>
      </dd>
    </div>
  );
}

/** A point that has just begun has too little data to draw. */
const perPoint = (of: (point: HistoryPoint) => number) => (point: HistoryPoint) =>
  point.seconds >= 1 ? of(point) / point.seconds : null;

function Figures({ stats, history }: { stats: Resource<Stats>; history: History | undefined }) {
  const { data } = stats;
  const seconds = data?.coverage_seconds ?? 0;
  const saved = data?.time_saved_ms ?? null;
  const each = (value: number | undefined | null) => (value == null || seconds === 0 ? null : value / seconds);
  const points = history?.points;
  return (
    <dl class={stats.refusal ? 'figures old' : 'figures'} aria-label={`Figures of the last ${windowName.value}`}>
      <Figure
        term="saved"
        label="Time saved"
        value={duration(saved)}
        below={`${duration(each(saved))} each second`}
        history={points}
        of={perPoint((point) => point.time_saved_ms)}
      />
      <Figure
        term="hitRate"
        label="Hit rate"
        value={percent(data?.hit_rate)}
        below={`${count(data?.cache_misses)} misses`}
        history={points}
        of={(point) => point.hit_rate}
      />
      <Figure
        term="requests"
        label="Requests"
        value={perSecond(each(data?.total_requests))}
        below={`${count(data?.total_requests)} in all`}
        history={points}
        of={perPoint((point) => point.total_requests)}
      />
      <Figure
        term="p95"
        label="Response p95"
        value={duration(data?.p95_response_time_ms)}
        below={`load p95 ${duration(data?.p95_load_time_ms)}`}
        history={points}
        of={(point) => point.p95_response_time_ms}
      />
      {isStreamed.value ? <Now of={realtime.value} /> : <AskedNow />}
    </dl>
  );
}

/** The only figure that changes every second. */
function Now({ of: now }: { of: Realtime | undefined }) {
  return (
    <Figure
      term="inFlight"
      label="Now"
      covers="last minute"
      value={perSecond(now?.requests_per_second)}
      below={`${count(now?.operations_in_flight)} in flight, p99 ${duration(now?.p99_response_time_ms)}`}
    />
  );
}

/** Requests the present figures of caches and fleets for which there are no ticks. */
function AskedNow() {
  return <Now of={useResource<Realtime>('realtime', subject.value, NOW_MS).data} />;
}

function Costliest({ rows, history }: { rows: readonly PatternStats[]; history: History | undefined }) {
  const asked = rows.filter((row) => row.total_requests > 0);
  const points = new Map(history?.patterns.map((one) => [one.pattern, one.points]));
  return (
    <Table
      label="Patterns that cost most"
      rows={asked}
      id={(row) => row.pattern}
      nothing={<Start />}
      sort="Time lost"
      limit={COSTLIEST}
      columns={[
        { name: 'Pattern', cell: (row) => <PatternLink name={row.pattern} /> },
        timeLostOf(asked),
        hitRate,
        wide(trend<PatternStats>((row) => points.get(row.pattern))),
        wide(misses),
      ]}
    />
  );
}

function LayersCard() {
  const layers = useResource<readonly LayerStats[]>(
    'stats/layers',
    { window: windowName.value, ...subject.value },
    SLOW_MS,
  );
  return (
    <Card title="Layers" more={{ page: 'layers' }}>
      <Loaded of={layers}>
        {(rows) => (
          <Table
            label="Layers"
            rows={rows}
            nothing="No layer is counted."
            id={({ layer }) => layer}
            columns={[
              { name: 'Layer', cell: ({ layer }) => layer },
              { name: 'State', term: 'circuit', cell: (row) => <LayerState of={row} /> },
              { name: 'Hit rate', term: 'hitRate', numeric: true, cell: (row) => percent(row.hit_rate) },
              {
                name: 'p95',
                term: 'p95',
                numeric: true,
                wide: true,
                cell: (row) => duration(row.p95_response_time_ms),
              },
              {
                name: 'Memory',
                term: 'layerMemory',
                numeric: true,
                wide: true,
                cell: (row) => bytes(row.total_size_bytes),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

/** Shows the state of a layer with a symbol and a word, so that colour is not needed. */
export function LayerState({ of: { connected, circuit_state } }: { of: LayerStats }) {
  if (!connected) return <span class="state bad">■ not connected</span>;
  if (circuit_state === 'open') return <span class="state bad">■ circuit open</span>;
  if (circuit_state === 'half_open') return <span class="state bad">■ circuit open, trying again</span>;
  return <span class="state good">● connected</span>;
}

function EndpointsCard() {
  const endpoints = useEndpoints();
  return (
    <Card title="Endpoints" more={{ page: 'endpoints' }}>
      <Loaded of={endpoints}>
        {(rows) => (
          <EndpointTable
            label="Endpoints that cost most"
            rows={rows}
            nothing="No cached endpoint was asked."
            limit={5}
          />
        )}
      </Loaded>
    </Card>
  );
}
