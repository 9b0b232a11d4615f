import { duration, exact, percent } from './format';
import { Card, Loaded } from './parts';
import { useResource } from './resource';
import { subject } from './route';
import type { TtlLadder, TtlRung } from './wire';

const EVERY_MS = 30_000;
const [WIDTH, HEIGHT] = [560, 200];
const [LEFT, BOTTOM] = [48, 28];

/** What other TTLs would bring: a line with its error, today's and the advised TTL marked. */
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

function Drawn({ of: { ladder, ttl_ms: today, advised, accesses, observed_ms } }: { of: TtlLadder }) {
  const known = ladder.filter(({ hit_rate }) => hit_rate !== null);
  const logs = known.map(({ ttl_ms }) => Math.log2(ttl_ms));
  const [first, last] = [Math.min(...logs), Math.max(...logs)];
  const x = (ttl: number) => LEFT + ((Math.log2(ttl) - first) / (last - first || 1)) * (WIDTH - LEFT - 24);
  const y = (share: number) => 8 + (1 - Math.min(1, Math.max(0, share))) * (HEIGHT - BOTTOM - 8);
  /** Where a label to the right would be cut off. */
  const isAtEnd = (ttl: number) => x(ttl) > WIDTH - 80;
  const line = (of: (rung: TtlRung) => number | null) =>
    known
      .filter((rung) => of(rung) !== null)
      .map((rung) => `${x(rung.ttl_ms).toFixed(1)},${y(of(rung)!).toFixed(1)}`)
      .join(' ');
  const error = ({ hit_rate_error }: TtlRung) => hit_rate_error ?? 0;
  const band = [
    ...known.map((rung) => `${x(rung.ttl_ms)},${y(rung.hit_rate! + error(rung))}`),
    ...[...known].reverse().map((rung) => `${x(rung.ttl_ms)},${y(rung.hit_rate! - error(rung))}`),
  ].join(' ');
  const marks = [
    ...(today === null ? [] : [{ ttl: today, label: 'today', kind: '' }]),
    ...(advised ? [{ ttl: advised.ttl_ms, label: 'advised', kind: 'advised' }] : []),
  ];
  return (
    <>
      <svg class="ladder" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <g key={share}>
            <line class="grid" x1={LEFT} x2={WIDTH} y1={y(share)} y2={y(share)} />
            <text x={LEFT - 6} y={y(share) + 4} text-anchor="end">
              {percent(share)}
            </text>
          </g>
        ))}
        {known.map(({ ttl_ms }) => (
          <text key={ttl_ms} x={x(ttl_ms)} y={HEIGHT - 8} text-anchor="middle">
            {duration(ttl_ms)}
          </text>
        ))}
        <polygon class="band" points={band} />
        <polyline class="hits" points={line(({ hit_rate }) => hit_rate)} />
        <polyline class="stales" points={line(({ stale_share }) => stale_share)} />
        {marks.map(({ ttl, label, kind }) => (
          <g key={label} class={`mark ${kind}`}>
            <line x1={x(ttl)} x2={x(ttl)} y1={8} y2={HEIGHT - BOTTOM} />
            <text x={x(ttl) + (isAtEnd(ttl) ? -4 : 4)} y={18} text-anchor={isAtEnd(ttl) ? 'end' : 'start'}>
              {label}
            </text>
          </g>
        ))}
      </svg>
      <p class="legend">
        <span>
          <i class="key-hits" />
          hit rate, with its error
        </span>
        <span>
          <i class="key-stales" />
          outdated values
        </span>
        <span class="muted">
          {exact(accesses)} accesses in {duration(observed_ms)}
        </span>
      </p>
      <details>
        <summary>
          Table<span class="hidden"> of the TTL ladder</span>
        </summary>
        <table>
          <thead>
            <tr>
              {['TTL', 'Hit rate', '±', 'Outdated', 'Loads an hour'].map((name, at) => (
                <th key={name} scope="col" class={at === 0 ? '' : 'n'}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {ladder.map((rung) => (
              <tr key={rung.ttl_ms}>
                <th scope="row">{duration(rung.ttl_ms)}</th>
                <td class="n">{percent(rung.hit_rate)}</td>
                <td class="n">{percent(rung.hit_rate_error)}</td>
                <td class="n">{percent(rung.stale_share)}</td>
                <td class="n">{exact(rung.loads_per_hour)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}
