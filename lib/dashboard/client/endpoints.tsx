import { hitRate, loadP50, misses, requests, timeLost, totalP95 } from './columns';
import { count, duration } from './format';
import { AccessFacts, Card, Fact, Loaded, ReasonBar, Term } from './parts';
import { type Resource, useResource } from './resource';
import { hrefOf, route, subject, windowName } from './route';
import { Table, wide } from './table';
import type { EndpointStats } from './wire';

const EVERY_MS = 20_000;

/** Requests all endpoints, or those whose handlers declare a pattern. */
export function useEndpoints(pattern?: string): Resource<readonly EndpointStats[]> {
  return useResource('stats/endpoints', { window: windowName.value, pattern, ...subject.value }, EVERY_MS);
}

interface EndpointTableProps {
  readonly label: string;
  readonly rows: readonly EndpointStats[];
  readonly nothing: string;
  readonly limit?: number;
}

export function EndpointTable({ label, rows, nothing, limit }: EndpointTableProps) {
  return (
    <Table
      label={label}
      rows={rows}
      id={({ endpoint }) => endpoint}
      nothing={nothing}
      sort="Time lost"
      {...(limit === undefined ? {} : { limit })}
      columns={[
        {
          name: 'Endpoint',
          by: ({ endpoint }) => endpoint,
          cell: ({ endpoint }) => (
            <a class="pattern" href={hrefOf({ page: 'endpoint', subject: endpoint })} title={endpoint}>
              <bdi>{endpoint}</bdi>
            </a>
          ),
        },
        timeLost,
        hitRate,
        wide(requests),
        wide(totalP95),
        wide(loadP50),
        wide(misses),
      ]}
    />
  );
}

export function EndpointsPage() {
  return (
    <Card title="Endpoints">
      <Loaded of={useEndpoints()}>
        {(rows) => <EndpointTable label="Endpoints" rows={rows} nothing="No cached endpoint was asked yet." />}
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
        <AccessFacts of={of} />
        <Fact term="bypasses" label="Bypasses" value={count(of.bypasses)} />
        <Fact term="total50" label="Total p50" value={duration(of.p50_total_time_ms)} />
        <Fact term="total" label="Total p95" value={duration(of.p95_total_time_ms)} />
        <Fact term="p95" label="Response p95" value={duration(of.p95_response_time_ms)} />
        <Fact term="load" label="Load p95" value={duration(of.p95_load_time_ms)} />
      </dl>
      <p>
        <Term name="reasons">Misses</Term>: <ReasonBar reasons={of.miss_reasons} legend />
      </p>
    </>
  );
}
