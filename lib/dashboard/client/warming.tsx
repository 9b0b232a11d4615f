import { useState } from 'preact/hooks';
import { mayWrite } from './advice';
import { type Refusal, write } from './api';
import { duration, exact, percent } from './format';
import { warming } from './live';
import { Card, Refused } from './parts';
import { Table } from './table';
import type { Context } from './wire';

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
      <Card title="Runs" covers="since the page was opened">
        {warming.value.length === 0 ? (
          <p class="note">No run since the page was opened.</p>
        ) : (
          <Table
            label="Warming runs"
            rows={warming.value}
            id={({ run_id, report }) => `${run_id} ${report.strategy}`}
            columns={[
              { name: 'Strategy', cell: ({ report }) => <bdi>{report.strategy}</bdi> },
              { name: 'Result', cell: ({ report }) => report.result },
              { name: 'Trigger', wide: true, cell: ({ trigger }) => trigger },
              { name: 'Warmed', numeric: true, cell: ({ report }) => exact(report.keys_warmed) },
              { name: 'Skipped', numeric: true, wide: true, cell: ({ report }) => exact(report.keys_skipped) },
              { name: 'Failed', numeric: true, cell: ({ report }) => exact(report.keys_failed) },
              { name: 'Took', numeric: true, cell: ({ report }) => duration(report.duration_ms) },
              {
                name: 'Efficiency',
                term: 'efficiency',
                numeric: true,
                cell: ({ report }) => percent(report.efficiency),
              },
            ]}
          />
        )}
      </Card>
    </>
  );
}
