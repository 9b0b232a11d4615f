import { bytes, count, duration, exact, percent } from './format';
import { LayerState } from './overview';
import { HeldMemoryCard, MemoryCard } from './memory';
import { Card, Fact, Loaded } from './parts';
import { useResource } from './resource';
import { route, subject, windowName } from './route';
import type { Information, LayerInformation, LayerStats } from './wire';

const EVERY_MS = 5_000;

export function LayersPage() {
  const layers = useResource<readonly LayerStats[]>(
    'stats/layers',
    { window: windowName.value, ...subject.value },
    EVERY_MS,
  );
  const information = useResource<Information>('info', {}, EVERY_MS);
  return (
    <>
      <Loaded of={layers} empty={(rows) => rows.length === 0} nothing="No layer is counted.">
        {(rows) => (
          <div class="cards">
            {rows.map((row) => (
              <Layer
                key={row.layer}
                of={row}
                bounds={information.data?.layers.find(
                  ({ cache, layer }) => layer === row.layer && cache === route.value.cache,
                )}
              />
            ))}
          </div>
        )}
      </Loaded>
      <div class="two">
        <HeldMemoryCard />
        <MemoryCard />
      </div>
      <Card title="Server" covers="now">
        <Loaded
          of={information}
          empty={({ redis_version }) => redis_version === null}
          nothing="No layer has a server that answers."
        >
          {(data) => (
            <dl class="facts">
              <Fact term="server" label="Redis" value={data.redis_version} />
              <Fact
                term="server"
                label="Memory"
                value={bytes(data.used_memory) + (data.max_memory ? ` of ${bytes(data.max_memory)}` : '')}
              />
              <Fact term="server" label="Keys" value={exact(data.total_keys)} />
              <Fact term="server" label="Clients" value={exact(data.connected_clients)} />
              <Fact term="server" label="Up" value={duration((data.uptime_in_seconds ?? NaN) * 1000)} />
            </dl>
          )}
        </Loaded>
      </Card>
    </>
  );
}

function Layer({ of, bounds }: { of: LayerStats; bounds: LayerInformation | undefined }) {
  return (
    <Card title={of.layer} covers={`last ${windowName.value}; state, entries, memory and queue: now`}>
      <p>
        <LayerState of={of} /> {bounds?.shared ? 'shared by all instances' : 'this process’ own'}
      </p>
      {bounds?.max_size_bytes !== undefined && (
        <Fill label="Memory" used={of.total_size_bytes} most={bounds.max_size_bytes} shown={bytes} />
      )}
      {bounds?.max_entries !== undefined && (
        <Fill label="Entries" used={of.entry_count} most={bounds.max_entries} shown={count} />
      )}
      <dl class="facts">
        <Fact term="hitRate" label="Hit rate" value={percent(of.hit_rate)} />
        <Fact term="requests" label="Requests" value={count(of.total_requests)} />
        <Fact term="p50" label="Response p50" value={duration(of.p50_response_time_ms)} />
        <Fact term="p95" label="Response p95" value={duration(of.p95_response_time_ms)} />
        <Fact term="p99" label="Response p99" value={duration(of.p99_response_time_ms)} />
        <Fact term="entries" label="Entries" value={exact(of.entry_count)} />
        <Fact term="layerMemory" label="Memory" value={bytes(of.total_size_bytes)} />
        <Fact term="evictions" label="Evictions" value={exact(of.evictions)} />
        <Fact term="circuit" label="Circuit" value={of.circuit_state.replace('_', ' ')} />
        <Fact term="queue" label="Queue" value={exact(of.queue_depth)} />
        <Fact term="errors" label="Errors" value={exact(of.errors)} />
        <Fact term="timeouts" label="Timeouts" value={exact(of.timeouts)} />
        <Fact term="dropped" label="Writes dropped" value={exact(of.writes_dropped)} />
        <Fact term="failed" label="Writes failed" value={exact(of.writes_failed)} />
      </dl>
    </Card>
  );
}

interface FillProps {
  readonly label: string;
  readonly used: number | null;
  readonly most: number;
  readonly shown: (value: number | null) => string;
}

function Fill({ label, used, most, shown }: FillProps) {
  const share = Math.min(1, (used ?? 0) / most);
  return (
    <p class="fill">
      <span>
        {label}: {shown(used)} of {shown(most)}
      </span>
      <progress max={1} value={share} aria-label={`${label} used`} />
    </p>
  );
}
