import { duration, moment, percent, perSecond } from './format';
import { Card, Loaded } from './parts';
import { useResource } from './resource';
import { hrefOf, route } from './route';
import { figures, Table } from './table';
import type { Instance, InstanceList } from './wire';

const EVERY_MS = 10_000;

const STATES = {
  healthy: ['good', '● healthy'],
  warning: ['warn', '▲ warning'],
  degraded: ['bad', '■ degraded'],
} as const;

const FLEETS = {
  on: '',
  off: 'Only this instance is known: the layers have no Redis through which instances find each other, or fleet: false.',
  unavailable: 'Redis does not answer: the others cannot be listed.',
} as const;

/** Lists the instances that share the cache, with their state and figures. */
export function InstancesPage() {
  const instances = useResource<InstanceList>('instances', {}, EVERY_MS);
  return (
    <Card title="Instances" covers="now">
      <Loaded of={instances} absent="This release does not list instances.">
        {({ fleet, instances: all }) => (
          <>
            <Table
              label="Instances"
              rows={all}
              id={({ id }) => id}
              nothing="No instance has reported itself yet."
              columns={[
                { name: 'Instance', by: nameOf, cell: (row) => <Name of={row} /> },
                { name: 'State', cell: (row) => <State of={row} /> },
                { name: 'Version', by: (row) => row.version ?? '', cell: (row) => row.version ?? '–' },
                figures('Requests', 'requests', (row: Instance) => row.requests_per_second, perSecond),
                figures('Hit rate', 'hitRate', (row: Instance) => row.hit_rate, percent),
                {
                  name: 'Up',
                  term: 'up',
                  by: (row) => row.uptime_seconds,
                  numeric: true,
                  wide: true,
                  cell: (row) => duration(row.uptime_seconds * 1000),
                },
                { name: 'Seen', term: 'seen', numeric: true, wide: true, cell: (row) => moment(row.last_seen_at) },
              ]}
            />
            {FLEETS[fleet] !== '' && <p class="note">{FLEETS[fleet]}</p>}
            {fleet === 'on' && route.value.scope !== 'fleet' && (
              <p class="note">
                The other pages show this instance alone.{' '}
                <a href={hrefOf({ page: '', scope: 'fleet' })}>Show the fleet</a>
              </p>
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}

const nameOf = ({ host, pid }: Instance) => `${host} ${pid}`;

function Name({ of }: { of: Instance }) {
  return (
    <span title={of.id}>
      <bdi>{of.host}</bdi> <span class="muted">{of.pid}</span>
      {of.own && <span class="muted"> (this one)</span>}
    </span>
  );
}

function State({ of: { status, warnings } }: { of: Instance }) {
  const [kind, word] = STATES[status];
  return (
    <>
      <span class={`state ${kind}`}>{word}</span> <span class="code">{warnings.join(' ')}</span>
    </>
  );
}
