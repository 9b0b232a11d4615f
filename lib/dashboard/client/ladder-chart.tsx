import { percent } from './format';

/** One simulated size or time. */
export interface Step {
  readonly at: number;
  /** The label below the axis. */
  readonly label: string;
  readonly hitRate: number | null;
  /** Half of the 95 % interval. */
  readonly error: number | null;
  readonly staleShare?: number | null;
}

export interface LadderMark {
  readonly at: number;
  readonly label: string;
  readonly advised?: boolean;
}

const [WIDTH, HEIGHT] = [560, 200];
const [LEFT, TOP, BOTTOM] = [56, 24, 28];
const SHARES = [0, 0.25, 0.5, 0.75, 1];

/**
 * Draws the hit rates of several sizes or times, with their errors. Each step is at least twice the step before. A table
 * contains the same numbers.
 */
export function LadderChart({ steps, marks }: { steps: readonly Step[]; marks: readonly LadderMark[] }) {
  const known = steps.filter(({ hitRate }) => hitRate !== null);
  const logs = known.map(({ at }) => Math.log2(at));
  const [first, last] = [Math.min(...logs), Math.max(...logs)];
  const x = (at: number) => LEFT + 16 + ((Math.log2(at) - first) / (last - first || 1)) * (WIDTH - LEFT - 48);
  const y = (share: number) => TOP + (1 - Math.min(1, Math.max(0, share))) * (HEIGHT - BOTTOM - TOP);
  const point = (at: number, share: number) => `${x(at).toFixed(1)},${y(share).toFixed(1)}`;
  const line = (of: (step: Step) => number | null | undefined) =>
    known
      .filter((step) => of(step) != null)
      .map((step) => point(step.at, of(step)!))
      .join(' ');
  const edge = (side: 1 | -1) => known.map(({ at, hitRate, error }) => point(at, hitRate! + side * (error ?? 0)));
  /** True if a label to the right would be cut off. */
  const isAtEnd = (at: number) => x(at) > WIDTH - 80;
  return (
    <svg class="ladder" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      {SHARES.map((share) => (
        <g key={share}>
          <line class="grid" x1={LEFT} x2={WIDTH} y1={y(share)} y2={y(share)} />
          <text x={LEFT - 6} y={y(share) + 4} text-anchor="end">
            {share * 100} %
          </text>
        </g>
      ))}
      {known.map(({ at, label }) => (
        <text key={at} x={x(at)} y={HEIGHT - 8} text-anchor="middle">
          {label}
        </text>
      ))}
      <polygon class="band" points={[...edge(1), ...edge(-1).reverse()].join(' ')} />
      <polyline class="hits" points={line(({ hitRate }) => hitRate)} />
      {known.map(({ at, hitRate }) => (
        <circle key={at} class="dot" cx={x(at)} cy={y(hitRate!)} r={3} />
      ))}
      <polyline class="stales" points={line(({ staleShare }) => staleShare)} />
      {marks.map(({ at, label, advised }) => (
        <g key={label} class={advised ? 'mark advised' : 'mark'}>
          <line x1={x(at)} x2={x(at)} y1={TOP - 12} y2={HEIGHT - BOTTOM} />
          <text x={x(at) + (isAtEnd(at) ? -4 : 4)} y={TOP - 10} text-anchor={isAtEnd(at) ? 'end' : 'start'}>
            {label}
          </text>
        </g>
      ))}
    </svg>
  );
}

/** `83 % ± 2 %`. */
export const withError = (share: number | null, error: number | null): string =>
  share === null || error === null ? percent(share) : `${percent(share)} ± ${percent(error)}`;
