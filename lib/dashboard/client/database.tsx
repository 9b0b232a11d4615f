import { count, duration, exact, moment, percent } from './format';
import { Card, Loaded } from './parts';
import { useResource } from './resource';
import { Table } from './table';
import type { Database } from './wire';

const EVERY_MS = 5_000;
/** Of a statement without one, such as COMMIT. */
const NO_TABLE = '__none__';

export function DatabasePage() {
  const database = useResource<Database>('database', {}, EVERY_MS);
  return (
    <>
      <Card title="Connection pools" covers="since start">
        <Loaded of={database}>
          {({ pools }) => (
            <Table
              label="Connection pools"
              rows={pools}
              nothing="No pool is observed. See observePool() in nestjs-cache-observability/database."
              id={({ pool }) => pool}
              columns={[
                { name: 'Pool', cell: ({ pool }) => <bdi>{pool}</bdi> },
                {
                  name: 'In use',
                  term: 'utilization',
                  by: ({ utilization }) => utilization,
                  numeric: true,
                  cell: (row) => `${exact(row.in_use)} of ${exact(row.size)} (${percent(row.utilization)})`,
                },
                {
                  name: 'Waiting',
                  term: 'waiting',
                  by: (row) => row.pending,
                  numeric: true,
                  cell: (row) => exact(row.pending),
                },
                {
                  name: 'Wait p95',
                  term: 'waitTime',
                  by: (row) => row.p95_wait_time_ms,
                  numeric: true,
                  cell: (row) => duration(row.p95_wait_time_ms),
                },
                {
                  name: 'Timeouts',
                  term: 'poolTimeouts',
                  by: (row) => row.timeouts,
                  numeric: true,
                  wide: true,
                  cell: (row) => exact(row.timeouts),
                },
                { name: 'System', wide: true, cell: (row) => row.system },
              ]}
            />
          )}
        </Loaded>
      </Card>
      <Card title="Slow queries" covers="since start">
        <Loaded of={database}>
          {({ slow_queries }) => (
            <Table
              label="Slow queries"
              rows={slow_queries}
              nothing="No query was slow."
              id={({ shape }) => shape}
              sort="Longest"
              columns={[
                { name: 'Shape', cell: ({ shape }) => <bdi class="sql">{shape}</bdi> },
                {
                  name: 'Longest',
                  term: 'longest',
                  by: (row) => row.max_time_ms,
                  numeric: true,
                  cell: (row) => duration(row.max_time_ms),
                },
                {
                  name: 'Times',
                  term: 'times',
                  by: (row) => row.count,
                  numeric: true,
                  cell: (row) => count(row.count),
                },
                {
                  name: 'Last',
                  term: 'last',
                  by: (row) => row.last_at,
                  numeric: true,
                  wide: true,
                  cell: (row) => moment(row.last_at),
                },
              ]}
            />
          )}
        </Loaded>
      </Card>
      <Card title="Queries" covers="since start">
        <Loaded of={database}>
          {({ queries }) => (
            <Table
              label="Queries"
              rows={queries}
              nothing="No query is observed."
              id={({ query_type, table }) => `${query_type} ${table}`}
              sort="Count"
              columns={[
                {
                  name: 'Query',
                  cell: ({ query_type, table }) => (
                    <bdi>{table === NO_TABLE ? query_type : `${query_type} ${table}`}</bdi>
                  ),
                },
                {
                  name: 'Count',
                  term: 'queries',
                  by: (row) => row.count,
                  numeric: true,
                  cell: (row) => count(row.count),
                },
                {
                  name: 'p50',
                  term: 'query50',
                  by: (row) => row.p50_time_ms,
                  numeric: true,
                  cell: (row) => duration(row.p50_time_ms),
                },
                {
                  name: 'p95',
                  term: 'query95',
                  by: (row) => row.p95_time_ms,
                  numeric: true,
                  cell: (row) => duration(row.p95_time_ms),
                },
                { name: 'Slow', term: 'slow', by: (row) => row.slow, numeric: true, cell: (row) => exact(row.slow) },
                {
                  name: 'Errors',
                  term: 'queryErrors',
                  by: (row) => row.errors,
                  numeric: true,
                  wide: true,
                  cell: (row) => exact(row.errors),
                },
              ]}
            />
          )}
        </Loaded>
      </Card>
    </>
  );
}
