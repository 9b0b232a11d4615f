import { count, duration, exact, moment, percent } from './format';
import { Card, Loaded } from './parts';
import { useResource } from './resource';
import { figures, Table, wide } from './table';
import type { Database } from './wire';

type Pool = Database['pools'][number];
type SlowQuery = Database['slow_queries'][number];
type Query = Database['queries'][number];

const EVERY_MS = 5_000;
/** The table of a statement without a table, such as COMMIT. */
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
                figures('Waiting', 'waiting', (row: Pool) => row.pending, exact),
                figures('Wait p95', 'waitTime', (row: Pool) => row.p95_wait_time_ms, duration),
                wide(figures('Timeouts', 'poolTimeouts', (row: Pool) => row.timeouts, exact)),
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
                figures('Longest', 'longest', (row: SlowQuery) => row.max_time_ms, duration),
                figures('Times', 'times', (row: SlowQuery) => row.count, count),
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
                figures('Count', 'queries', (row: Query) => row.count, count),
                figures('p50', 'query50', (row: Query) => row.p50_time_ms, duration),
                figures('p95', 'query95', (row: Query) => row.p95_time_ms, duration),
                figures('Slow', 'slow', (row: Query) => row.slow, exact),
                wide(figures('Errors', 'queryErrors', (row: Query) => row.errors, exact)),
              ]}
            />
          )}
        </Loaded>
      </Card>
    </>
  );
}
