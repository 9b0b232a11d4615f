import { useState } from 'preact/hooks';
import { mayWrite } from './advice';
import { type Refusal, write } from './api';
import { duration, exact, moment, percent } from './format';
import { warming } from './live';
import { Card, Loaded, Refused } from './parts';
import { useResource } from './resource';
import { Table } from './table';
import type { Context, StrategyReport, WarmingProgress, WarmingReport } from './wire';

const EVERY_MS = 10_000;
const RUNS = 10;

export function WarmingPage({ context }: { context: Context | undefined }) {
  const [refusal, setRefusal] = useState<Refusal>();
  const strategies = context?.strategies ?? [];
  const run = async (names?: readonly string[]) => {
    setRefusal(undefined);
    try {
      await write('POST', 'warm', { wait: 'false' }, names === undefined ? {} : { strategies: names });
    } catch (error) {
      setRefusal(error as Refusal);
    }
  };
  return (
    <>
      <Card title="Strategies" covers="declared">
        {strategies.length === 0 ? (
          <p class="note">
            No strategy is declared. A provider with <code>@WarmingStrategy</code> loads entries before they are asked.
          </p>
        ) : (
          <ul class="list">
            {strategies.map((name) => (
              <li key={name}>
                <bdi>{name}</bdi>
                <span class="push" />
                {mayWrite.value && (
                  <button type="button" onClick={() => void run([name])}>
                    Run<span class="hidden"> {name}</span>
                  </button>
                )}
              </li>
            ))}
          </ul>
        )}
        {mayWrite.value && strategies.length > 1 && (
          <div class="actions">
            <span class="push" />
            <button type="button" class="primary" onClick={() => void run()}>
              Run all
            </button>
          </div>
        )}
        {refusal && <Refused refusal={refusal} />}
      </Card>
      <Runs />
    </>
  );
}

interface Row extends StrategyReport {
  readonly run: string;
  readonly trigger: string;
  readonly startedAt: string | undefined;
}

/** Lists the runs that the server remembers, and running ones from the event stream. */
function Runs() {
  const runs = useResource<readonly WarmingReport[]>('warm', { limit: RUNS }, EVERY_MS);
  return (
    <Card title="Runs" covers={`the last ${RUNS}, newest first`}>
      <Loaded of={runs}>
        {(reports) => (
          <Table
            label="Warming runs"
            rows={rowsOf(reports, warming.value)}
            id={({ run, strategy }) => `${run} ${strategy}`}
            nothing="No strategy has run since the start."
            columns={[
              { name: 'Strategy', cell: ({ strategy }) => <bdi>{strategy}</bdi> },
              { name: 'Started', wide: true, cell: ({ startedAt }) => (startedAt ? moment(startedAt) : 'just now') },
              { name: 'Result', cell: (row) => <Result of={row} /> },
              { name: 'Trigger', wide: true, cell: ({ trigger }) => trigger },
              { name: 'Warmed', term: 'keysWarmed', numeric: true, cell: (row) => exact(row.keys_warmed) },
              {
                name: 'Skipped',
                term: 'keysSkipped',
                numeric: true,
                wide: true,
                cell: (row) => exact(row.keys_skipped),
              },
              { name: 'Failed', term: 'keysFailed', numeric: true, cell: (row) => exact(row.keys_failed) },
              { name: 'Took', term: 'took', numeric: true, cell: (row) => duration(row.duration_ms) },
              { name: 'Efficiency', term: 'efficiency', numeric: true, cell: (row) => percent(row.efficiency) },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

/** Returns one row for each strategy of each run. A report of the stream replaces an older one of the route. */
function rowsOf(reports: readonly WarmingReport[], live: readonly WarmingProgress[]): Row[] {
  const known = reports.flatMap(({ id, trigger, started_at: startedAt, strategies }) =>
    strategies.map((report) => ({ ...report, run: id, trigger, startedAt })),
  );
  const newer = live
    .filter(({ run_id: run, report }) => !known.some((row) => row.run === run && row.strategy === report.strategy))
    .map(({ run_id: run, trigger, report }) => ({ ...report, run, trigger, startedAt: undefined }));
  const followed = known.map((row) => {
    const now = live.find(({ run_id: run, report }) => run === row.run && report.strategy === row.strategy);
    return row.result === 'running' && now ? { ...row, ...now.report } : row;
  });
  return [...newer, ...followed];
}

function Result({ of: { result } }: { of: StrategyReport }) {
  if (result === 'running') return <span class="state">○ running</span>;
  if (result === 'ok' || result === 'elsewhere') return <span class="state good">● {result}</span>;
  return <span class={`state ${result === 'failed' ? 'bad' : 'warn'}`}>▲ {result}</span>;
}
