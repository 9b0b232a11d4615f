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
              <Fact term="server" label="Redis">
                {data.redis_version}
              </Fact>
              <Fact term="server" label="Memory">
                {bytes(data.used_memory)}
                {data.max_memory ? ` of ${bytes(data.max_memory)}` : ''}
              </Fact>
              <Fact term="server" label="Keys">
                {exact(data.total_keys)}
              </Fact>
              <Fact term="server" label="Clients">
                {exact(data.connected_clients)}
              </Fact>
              <Fact term="server" label="Up">
                {duration((data.uptime_in_seconds ?? NaN) * 1000)}
              </Fact>
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
        <Fact term="hitRate" label="Hit rate">
          {percent(of.hit_rate)}
        </Fact>
        <Fact term="requests" label="Requests">
          {count(of.total_requests)}
        </Fact>
        <Fact term="p50" label="Response p50">
          {duration(of.p50_response_time_ms)}
        </Fact>
        <Fact term="p95" label="Response p95">
          {duration(of.p95_response_time_ms)}
        </Fact>
        <Fact term="p99" label="Response p99">
          {duration(of.p99_response_time_ms)}
        </Fact>
        <Fact term="entries" label="Entries">
          {exact(of.entry_count)}
        </Fact>
        <Fact term="layerMemory" label="Memory">
          {bytes(of.total_size_bytes)}
        </Fact>
        <Fact term="evictions" label="Evictions">
          {exact(of.evictions)}
        </Fact>
        <Fact term="circuit" label="Circuit">
          {of.circuit_state.replace('_', ' ')}
        </Fact>
        <Fact term="queue" label="Queue">
          {exact(of.queue_depth)}
        </Fact>
        <Fact term="errors" label="Errors">
          {exact(of.errors)}
        </Fact>
        <Fact term="timeouts" label="Timeouts">
          {exact(of.timeouts)}
        </Fact>
        <Fact term="dropped" label="Writes dropped">
          {exact(of.writes_dropped)}
        </Fact>
        <Fact term="failed" label="Writes failed">
          {exact(of.writes_failed)}
        </Fact>
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
