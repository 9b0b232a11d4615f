import { count, duration, percent } from './format';
import { Card, Fact, Loaded, lostMs, ReasonBar, Term } from './parts';
import { useResource } from './resource';
import { hrefOf, route, subject, windowName } from './route';
import { Table } from './table';
import type { EndpointStats } from './wire';

const EVERY_MS = 10_000;

function useEndpoints() {
  return useResource<readonly EndpointStats[]>(
    'stats/endpoints',
    { window: windowName.value, ...subject.value },
    EVERY_MS,
  );
}

export function EndpointsPage() {
  const endpoints = useEndpoints();
  return (
    <Card title="Endpoints">
      <Loaded of={endpoints} empty={(rows) => rows.length === 0} nothing="No cached endpoint was asked yet.">
        {(rows) => (
          <Table
            label="Endpoints"
            rows={rows}
            id={({ endpoint }) => endpoint}
            sort="Time lost"
            columns={[
              {
                name: 'Endpoint',
                by: ({ endpoint }) => endpoint,
                cell: ({ endpoint }) => (
                  <a class="pattern" href={hrefOf({ page: 'endpoint', subject: endpoint })}>
                    <bdi>{endpoint}</bdi>
                  </a>
                ),
              },
              { name: 'Time lost', term: 'lost', by: lostMs, numeric: true, cell: (row) => duration(lostMs(row)) },
              {
                name: 'Requests',
                term: 'requests',
                by: (row) => row.total_requests,
                numeric: true,
                cell: (row) => count(row.total_requests),
              },
              {
                name: 'Hit rate',
                term: 'hitRate',
                by: (row) => row.hit_rate,
                numeric: true,
                cell: (row) => percent(row.hit_rate),
              },
              {
                name: 'Total p95',
                term: 'total',
                by: (row) => row.p95_total_time_ms,
                numeric: true,
                cell: (row) => duration(row.p95_total_time_ms),
              },
              {
                name: 'Load p50',
                term: 'load',
                by: (row) => row.p50_load_time_ms,
                numeric: true,
                wide: true,
                cell: (row) => duration(row.p50_load_time_ms),
              },
              { name: 'Misses', term: 'reasons', wide: true, cell: (row) => <ReasonBar reasons={row.miss_reasons} /> },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

export function EndpointPage() {
  const name = route.value.subject;
  const endpoints = useEndpoints();
  return (
    <>
      <h1>
        <bdi>{name}</bdi>
      </h1>
      <Card title="Endpoint">
        <Loaded
          of={endpoints}
          empty={(rows) => !rows.some(({ endpoint }) => endpoint === name)}
          nothing="This endpoint was not asked since the start."
        >
          {(rows) => <Facts of={rows.find(({ endpoint }) => endpoint === name)!} />}
        </Loaded>
      </Card>
    </>
  );
}

function Facts({ of }: { of: EndpointStats }) {
  return (
    <>
      <dl class="facts">
        <Fact label={<Term name="lost">Time lost</Term>}>{duration(lostMs(of))}</Fact>
        <Fact label={<Term name="saved">Time saved</Term>}>{duration(of.time_saved_ms)}</Fact>
        <Fact label={<Term name="hitRate">Hit rate</Term>}>{percent(of.hit_rate)}</Fact>
        <Fact label={<Term name="requests">Requests</Term>}>{count(of.total_requests)}</Fact>
        <Fact label="Bypasses">{count(of.bypasses)}</Fact>
        <Fact label="Total p50">{duration(of.p50_total_time_ms)}</Fact>
        <Fact label={<Term name="total">Total p95</Term>}>{duration(of.p95_total_time_ms)}</Fact>
        <Fact label={<Term name="p95">Response p95</Term>}>{duration(of.p95_response_time_ms)}</Fact>
        <Fact label={<Term name="load">Load p95</Term>}>{duration(of.p95_load_time_ms)}</Fact>
      </dl>
      <p>
        <Term name="reasons">Misses</Term>: <ReasonBar reasons={of.miss_reasons} legend />
      </p>
    </>
  );
}
