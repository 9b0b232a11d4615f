import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { Refusal } from './api';
import { count, duration, moment, percent, visible } from './format';
import { placeOf } from './issue-text';
import type { Resource } from './resource';
import { hrefOf, type Route, windowName } from './route';
import { TERMS, type TermName } from './terms';
import type { DeclaringMethod, EndpointStats, HistoryPoint, MissReason, MissReasons, PatternStats } from './wire';

/** A word with its definition, shown on hover and on focus. */
export function Term({ name, children }: { name: TermName; children: ComponentChildren }) {
  return <Defined as={TERMS[name]}>{children}</Defined>;
}

/**
 * A name with its definition, shown on hover and on focus. Without a definition, as for a name that another version reports,
 * only the name is shown.
 */
export function Defined({ as: definition, children }: { as: string | undefined; children: ComponentChildren }) {
  const id = useId();
  if (definition === undefined) return <>{children}</>;
  return (
    <span class="term-place">
      <button type="button" class="term" aria-describedby={id}>
        {children}
      </button>
      <span role="tooltip" id={id} class="tip">
        {definition}
      </span>
    </span>
  );
}

interface CardProps {
  readonly title: string;
  /** What the figures cover. By default the current window. */
  readonly covers?: string;
  readonly more?: Partial<Route>;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** A part of the page with its heading, what its figures cover, and a link to more. */
export function Card({ title, covers, more, class: kind = '', children }: CardProps) {
  const id = useId();
  return (
    <section class={`card ${kind}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        <span class="covers">{covers ?? `last ${windowName.value}`}</span>
        {more && (
          <a class="more" href={hrefOf(more)}>
            All<span class="hidden"> of {title.toLowerCase()}</span>
          </a>
        )}
      </header>
      {children}
    </section>
  );
}

interface LoadedProps<T> {
  readonly of: Resource<T>;
  readonly empty?: (data: T) => boolean;
  /** Shown if there is no data: what that means and what to do. */
  readonly nothing?: ComponentChildren;
  /** Shown if the route does not exist. */
  readonly absent?: ComponentChildren;
  readonly children: (data: T) => ComponentChildren;
}

/** Shows the answer of a route, or why there is nothing to show. */
export function Loaded<T>({ of, empty, nothing, absent, children }: LoadedProps<T>) {
  const { data, refusal } = of;
  if (data === undefined) {
    if (refusal === undefined) return <p class="note loading">Loading…</p>;
    return refusal.absent && absent !== undefined ? <p class="note">{absent}</p> : <Refused refusal={refusal} />;
  }
  return (
    <>
      <Stale of={of} />
      {empty?.(data) ? <div class="note">{nothing}</div> : children(data)}
    </>
  );
}

/** Shows how old outdated figures are, and why they are not current. */
export function Stale({ of: { at, refusal } }: { of: Resource<unknown> }) {
  if (refusal === undefined) return null;
  return (
    <p class="note stale">
      As of {moment(at)}: {refusal.message}
    </p>
  );
}

export function Refused({ refusal }: { refusal: Refusal }) {
  const why = refusal.forbidden ? 'You may not see this. ' : '';
  return (
    <p class="note refused">
      {why}
      {refusal.message}
    </p>
  );
}

/** Shows how many instances of the fleet are not part of the figures. */
export function Missing({ instances = 0 }: { instances?: number | undefined }) {
  if (instances === 0) return null;
  return (
    <p class="note">
      {instances === 1 ? '1 instance is' : `${instances} instances are`} left out: {instances === 1 ? 'its' : 'their'}{' '}
      release does not note this for others.
    </p>
  );
}

/** The name of a pattern with a link. `bdi` keeps its text direction from changing the text around it. */
export function PatternLink({ name }: { name: string }) {
  return (
    <a class="pattern" href={hrefOf({ page: 'pattern', subject: name })} title={name}>
      <bdi>{visible(name)}</bdi>
    </a>
  );
}

const REASONS: readonly (readonly [MissReason, string])[] = [
  ['cold', 'cold'],
  ['expired', 'expired'],
  ['evicted', 'evicted'],
  ['invalidated', 'invalidated'],
  ['error', 'error'],
  ['unknown', 'unknown'],
];

/** Shows the reasons for misses as a bar and in words. */
export function ReasonBar({ reasons, legend = false }: { reasons: MissReasons; legend?: boolean }) {
  const all = REASONS.reduce((sum, [reason]) => sum + reasons[reason], 0);
  const some = REASONS.filter(([reason]) => reasons[reason] > 0);
  if (all === 0) return <span class="muted">no misses</span>;
  const [largest] = [...some].sort(([a], [b]) => reasons[b] - reasons[a])[0]!;
  const words = some.map(([reason, word]) => `${word} ${percent(reasons[reason] / all)}`).join(', ');
  return (
    <span class="reasons">
      <span class="bar" role="img" aria-label={words} title={words}>
        {some.map(([reason]) => (
          <i key={reason} class={`r-${reason}`} style={{ flexGrow: reasons[reason] }} />
        ))}
      </span>
      {legend ? (
        <span class="legend">
          {some.map(([reason, word]) => (
            <span key={reason}>
              <i class={`r-${reason}`} />
              {word} {percent(reasons[reason] / all)}
            </span>
          ))}
        </span>
      ) : (
        <span class="muted word">{largest}</span>
      )}
    </span>
  );
}

/** A small line without axes. The matching number is shown beside it. */
export function Sparkline({
  points,
  of,
}: {
  points: readonly HistoryPoint[] | undefined;
  of: (p: HistoryPoint) => number | null;
}) {
  const values = (points ?? []).map(of);
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return <svg class="spark" viewBox="0 0 80 20" aria-hidden="true" />;
  const top = Math.max(...known, Number.MIN_VALUE);
  const step = 80 / Math.max(1, values.length - 1);
  let path = '';
  let pen = 'M';
  values.forEach((value, at) => {
    if (value === null) return void (pen = 'M');
    path += `${pen}${(at * step).toFixed(1)} ${(19 - (value / top) * 18).toFixed(1)}`;
    // A point without a neighbour becomes a dot.
    if (pen === 'M') path += 'h0';
    pen = 'L';
  });
  return (
    <svg class="spark" viewBox="0 0 80 20" preserveAspectRatio="none" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

/** A button that copies a text for an issue or for the person who changes the code. The text can be read without the page. */
export function Copy({ text, what }: { text: () => string; what: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await putOnClipboard(text());
    setDone(true);
    setTimeout(() => setDone(false), 2_000);
  };
  return (
    <button type="button" class="quiet" onClick={() => void copy()}>
      {done ? 'Copied' : 'Copy'}
      <span class="hidden"> {what}</span>
    </button>
  );
}

/** Copies a text. Browsers offer the clipboard only on secure addresses; elsewhere a selection is copied. */
async function putOnClipboard(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) {
    const done = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    if (done) return;
  }
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

/** Shows the numbers of a chart as a table. It is drawn only while it is open, because it may have thousands of rows. */
export function Numbers({ of, children }: { of: string; children: () => ComponentChildren }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Table<span class="hidden"> of {of}</span>
      </summary>
      {open && children()}
    </details>
  );
}

/** Returns misses × the median load time, milliseconds; null if no load was timed. */
export function lostMs(stats: { cache_misses: number; p50_load_time_ms: number | null }): number | null {
  if (stats.cache_misses === 0) return 0;
  return stats.p50_load_time_ms === null ? null : stats.cache_misses * stats.p50_load_time_ms;
}

/** Shows where the code declares a pattern. */
export function DeclaredBy({ places }: { places: readonly DeclaringMethod[] }) {
  return (
    <>
      declared by{' '}
      {places.map((place, at) => (
        <span key={placeOf(place)}>
          {at > 0 && ', '}
          <code>{placeOf(place)}</code>
        </span>
      ))}
    </>
  );
}

interface FactProps {
  readonly term: TermName;
  readonly label: string;
  readonly value: string | null;
}

/** A figure with its name and the definition of the name. */
export function Fact({ term, label, value }: FactProps) {
  return (
    <div class="fact">
      <dt>
        <Term name={term}>{label}</Term>
      </dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The figures at the top of the pages of patterns and endpoints. */
export function AccessFacts({ of }: { of: PatternStats | EndpointStats }) {
  return (
    <>
      <Fact term="lost" label="Time lost" value={duration(lostMs(of))} />
      <Fact term="saved" label="Time saved" value={duration(of.time_saved_ms)} />
      <Fact term="hitRate" label="Hit rate" value={percent(of.hit_rate)} />
      <Fact term="requests" label="Requests" value={count(of.total_requests)} />
    </>
  );
}
