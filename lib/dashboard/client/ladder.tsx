import { duration, exact } from './format';
import { LadderChart, withError } from './ladder-chart';
import { Card, Loaded, Numbers, Term } from './parts';
import { useResource } from './resource';
import { subject } from './route';
import { Table } from './table';
import type { TtlLadder } from './wire';

const EVERY_MS = 30_000;

/** Shows the predicted hit rate for other TTLs, with its error. The present and the advised TTL are marked. */
export function Ladder({ pattern }: { pattern: string }) {
  const ladder = useResource<TtlLadder>('insights/ttl', { pattern, ...subject.value }, EVERY_MS);
  return (
    <Card title="TTL ladder" covers="replayed on the accesses observed">
      <Loaded
        of={ladder}
        absent="Other TTLs are not tried here: insight is off, or not part of this release."
        empty={({ ladder: rungs }) => !rungs.some(({ hit_rate }) => hit_rate !== null)}
        nothing={ladder.data?.withheld ?? 'Not enough was observed yet: 1,000 accesses, and twice the TTL.'}
      >
        {(data) => <Drawn of={data} />}
      </Loaded>
    </Card>
  );
}

function Drawn({ of: { ladder, ttl_ms: today, advised, withheld, accesses, observed_ms } }: { of: TtlLadder }) {
  return (
    <>
      <LadderChart
        steps={ladder.map((rung) => ({
          at: rung.ttl_ms,
          label: duration(rung.ttl_ms),
          hitRate: rung.hit_rate,
          error: rung.hit_rate_error,
          staleShare: rung.stale_share,
        }))}
        marks={[
          ...(today === null ? [] : [{ at: today, label: 'today' }]),
          ...(advised ? [{ at: advised.ttl_ms, label: 'advised', advised: true }] : []),
        ]}
      />
      <p class="legend">
        <span>
          <i class="key-hits" />
          <Term name="ladderRate">hit rate, with its error</Term>
        </span>
        <span>
          <i class="key-stales" />
          <Term name="outdated">outdated values</Term>
        </span>
        <span class="muted">
          {exact(accesses)} accesses in {duration(observed_ms)}
        </span>
      </p>
      {withheld && <p class="note">No advice: {withheld}</p>}
      <Numbers of="the TTL ladder">
        {() => (
          <Table
            label="TTL ladder"
            rows={ladder}
            id={({ ttl_ms }) => ttl_ms}
            columns={[
              { name: 'TTL', cell: (rung) => duration(rung.ttl_ms) },
              {
                name: 'Hit rate',
                term: 'ladderRate',
                numeric: true,
                cell: (rung) => withError(rung.hit_rate, rung.hit_rate_error),
              },
              {
                name: 'Outdated',
                term: 'outdated',
                numeric: true,
                cell: (rung) => withError(rung.stale_share, rung.stale_share_error),
              },
              {
                name: 'Loads an hour',
                term: 'loadsPerHour',
                numeric: true,
                cell: (rung) => exact(rung.loads_per_hour),
              },
              { name: 'Withheld', cell: (rung) => rung.withheld ?? '' },
            ]}
          />
        )}
      </Numbers>
    </>
  );
}
