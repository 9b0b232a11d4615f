import { useEffect, useId, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { moment } from './format';
import { Numbers, Term } from './parts';
import { Table } from './table';
import type { TermName } from './terms';

/** One line or band of a chart. */
export interface Series {
  readonly label: string;
  /** The name of the CSS variable with its colour. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
  /** The lengths of strokes and gaps, so that lines can be distinguished without colour. */
  readonly dash?: number[];
  readonly fill?: boolean;
}

/** An event, drawn as a vertical line. */
export interface Mark {
  readonly at: number;
  readonly label: string;
}

interface ChartProps {
  readonly title: string;
  readonly term: TermName;
  /** Seconds since 1970, oldest first. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number | null) => string;
  readonly marks?: readonly Mark[];
  /** The top of the axis, if it is fixed. */
  readonly top?: number;
}

const HEIGHT = 150;
/** All charts share one cursor. */
const together = uPlot.sync('time');
const dark = matchMedia('(prefers-color-scheme: dark)');

/** Draws lines over time. All charts share the time axis. A table below contains the same numbers. */
export function Chart(props: ChartProps) {
  const { title, term, times, series, format, marks = [] } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const [cursor, setCursor] = useState<number | null>(null);
  const [scheme, setScheme] = useState(dark.matches);
  const id = useId();
  const shape = series.map(({ label, colour }) => label + colour).join();

  useEffect(() => {
    const changed = () => setScheme(dark.matches);
    dark.addEventListener('change', changed);
    return () => dark.removeEventListener('change', changed);
  }, []);

  useEffect(() => {
    const element = place.current!;
    const made = new uPlot(
      optionsOf(element, () => latest.current, setCursor),
      dataOf(latest.current),
      element,
    );
    plot.current = made;
    together.sub(made);
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      together.unsub(made);
      made.destroy();
      plot.current = undefined;
    };
  }, [shape, scheme]);

  useEffect(() => plot.current?.setData(dataOf(props)), [times, series]);
  // Marks can change without new figures, so redraw for them too.
  useEffect(() => plot.current?.redraw(false), [marks.map(({ at, label: of }) => `${at} ${of}`).join()]);

  const at = cursor !== null && cursor < times.length ? cursor : times.length - 1;
  return (
    <figure class="chart" aria-labelledby={id}>
      <figcaption id={id}>
        <strong>
          <Term name={term}>{title}</Term>
        </strong>
        <span class="legend">
          {series.map(({ label, colour, values, dash }) => (
            <span key={label}>
              <svg width="18" height="8" aria-hidden="true">
                <line
                  x1="0"
                  y1="4"
                  x2="18"
                  y2="4"
                  style={{ stroke: `var(${colour})` }}
                  stroke-dasharray={dash?.join(' ')}
                />
              </svg>
              {label} <b>{format(values[at] ?? null)}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div class="plot" ref={place} aria-hidden="true" />
      <Numbers of={title}>
        {() => (
          <>
            <Table
              label={title}
              rows={times.map((time, at) => ({ time, at }))}
              id={({ time }) => time}
              limit={times.length}
              columns={[
                { name: 'Time', cell: ({ time }) => moment(time * 1000) },
                ...series.map(({ label, values }) => ({
                  name: label,
                  term,
                  numeric: true as const,
                  cell: ({ at: row }: { at: number }) => format(values[row] ?? null),
                })),
              ]}
            />
            {marks.length > 0 && (
              <p class="note">{marks.map(({ at, label }) => `${moment(at * 1000)}: ${label}`).join(' · ')}</p>
            )}
          </>
        )}
      </Numbers>
    </figure>
  );
}

function dataOf({ times, series }: ChartProps): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])] as uPlot.AlignedData;
}

function optionsOf(
  element: HTMLElement,
  props: () => ChartProps,
  moved: (index: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const font = `11px ${colour('--sans')}`;
  const axis = {
    stroke: colour('--muted'),
    font,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  const { top, series } = props();
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: together.key }, points: { size: 6 }, y: false, drag: { x: false, y: false } },
    scales: { y: { range: (_, __, max) => [0, top ?? (max > 0 ? max * 1.1 : 1)] } },
    axes: [
      { ...axis, size: 24, space: 70, values: (_, splits) => splits.map((at) => timeOfDay(at, splits)) },
      { ...axis, size: 58, space: 34, values: (_, values) => values.map((value) => props().format(value)) },
    ],
    series: [
      {},
      ...series.map(({ label, colour: name, dash, fill }) => ({
        label,
        stroke: colour(name),
        width: 2,
        spanGaps: false,
        points: { size: 5, filter: (plot: uPlot, at: number) => aloneIn(plot.data[at]!) },
        ...(dash === undefined ? {} : { dash }),
        ...(fill ? { fill: `${colour(name)}22` } : {}),
      })),
    ],
    hooks: {
      setCursor: [({ cursor: { idx } }) => moved(idx ?? null)],
      draw: [(plot) => drawMarks(plot, props().marks ?? [], colour('--text'), colour('--card'), font)],
    },
  };
}

/** Returns the points without a neighbour, which a line would not show. */
function aloneIn(values: ArrayLike<number | null | undefined>): number[] {
  return Array.from(values, (_, at) => at).filter(
    (at) => values[at] != null && values[at - 1] == null && values[at + 1] == null,
  );
}

const minutes = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const seconds = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hourCycle: 'h23' });

/** Writes the time of day, with seconds only if the axis has steps below a minute. */
function timeOfDay(at: number, splits: readonly number[]): string {
  const step = (splits[1] ?? at) - (splits[0] ?? at);
  return (step < 60 ? seconds : minutes).format(at * 1000);
}

/** The lines for labels: labels that would overlap are placed below each other, and further ones are left out. */
const LABEL_LINES = 4;

function drawMarks(plot: uPlot, marks: readonly Mark[], colour: string, behind: string, font: string): void {
  const { ctx, bbox, scales } = plot;
  const { min, max } = scales['x']!;
  if (min == null || max == null) return;
  ctx.save();
  ctx.fillStyle = colour;
  ctx.font = font.replace('11px', `${11 * devicePixelRatio}px`);
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
  const taken: [from: number, to: number][][] = Array.from({ length: LABEL_LINES }, () => []);
  for (const { at, label } of marks) {
    if (at < min || at > max) continue;
    const x = Math.round(plot.valToPos(at, 'x', true));
    ctx.strokeStyle = colour;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const [width, gap] = [ctx.measureText(label).width, 4 * devicePixelRatio];
    const from = x + width + gap < bbox.left + bbox.width ? x + gap : x - width - gap;
    const line = taken.findIndex((others) => others.every(([start, end]) => from > end || from + width < start));
    if (line < 0) continue;
    taken[line]!.push([from - gap, from + width + gap]);
    const y = bbox.top + (10 + 12 * line) * devicePixelRatio;
    // An outline makes the label readable on a line.
    ctx.setLineDash([]);
    ctx.strokeStyle = behind;
    ctx.lineWidth = 4 * devicePixelRatio;
    ctx.strokeText(label, from, y);
    ctx.fillText(label, from, y);
  }
  ctx.restore();
}
