import { useEffect, useRef, useState } from 'preact/hooks';
import { token, useToken } from './api';
import { moment } from './format';
import { connect, connection, lostAt, realtime } from './live';
import { PatternLink } from './parts';
import { refresh, type Resource, useResource } from './resource';
import { choose, hrefOf, isStreamed, PAGES, route, subject } from './route';
import { type Context, type Health, type ScopeName, type Warning, type WindowName, WINDOWS } from './wire';

const HEALTH_MS = 10_000;

export function Bar({ context }: { context: Context | undefined }) {
  const { page, window, scope, cache } = route.value;
  const place = page === 'pattern' ? 'patterns' : page === 'endpoint' ? 'endpoints' : page;
  const pages = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a narrow screen the list of pages scrolls sideways, so scroll the current page into view.
    const link = pages.current?.querySelector<HTMLElement>('[aria-current]');
    if (link) pages.current!.scrollLeft = link.offsetLeft - (pages.current!.clientWidth - link.offsetWidth) / 2;
  }, [place]);
  return (
    <header class="bar">
      <div class="brand">
        <a href={hrefOf({ page: '' })}>
          <bdi>{context?.service ?? 'Cache'}</bdi>
        </a>
        {context?.version && (
          <span class="muted">
            version <bdi>{context.version}</bdi>
          </span>
        )}
        <Connected />
        <span class="push" />
        {context && context.caches.length > 1 && (
          <label>
            Cache{' '}
            <select value={cache} onChange={(event) => choose({ cache: event.currentTarget.value })}>
              {context.caches.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        {context?.fleet && (
          <Switch
            label="Scope"
            value={scope}
            options={['instance', 'fleet'] as const}
            onChange={(next: ScopeName) =>
              choose(next === 'fleet' ? { scope: next, cache: 'default' } : { scope: next })
            }
          />
        )}
        <Switch
          label="Window"
          value={window}
          options={WINDOWS}
          onChange={(next: WindowName) => choose({ window: next })}
        />
      </div>
      <nav aria-label="Pages" ref={pages}>
        {PAGES.map(([name, title]) => (
          <a key={name} href={hrefOf({ page: name })} {...(name === place ? { 'aria-current': 'page' as const } : {})}>
            {title}
          </a>
        ))}
      </nav>
    </header>
  );
}

interface SwitchProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly T[];
  readonly onChange: (value: T) => void;
}

/** A few choices side by side, as radio buttons. The arrow keys move between them. */
function Switch<T extends string>({ label, value, options, onChange }: SwitchProps<T>) {
  return (
    <fieldset class="switch">
      <legend class="hidden">{label}</legend>
      {options.map((option) => (
        <label key={option}>
          <input
            type="radio"
            name={label}
            value={option}
            checked={option === value}
            onChange={() => onChange(option)}
          />
          <span>{option}</span>
        </label>
      ))}
    </fieldset>
  );
}

const WORDS = {
  connecting: ['○', 'connecting'],
  live: ['●', 'live'],
  polling: ['●', 'every 5 s, without the event stream'],
  paused: ['○', 'paused'],
  lost: ['■', 'disconnected'],
  forbidden: ['■', 'not allowed'],
} as const;

function Connected() {
  const [symbol, word] = WORDS[connection.value];
  return (
    <span class={`connected ${connection.value}`}>
      <span aria-hidden="true">{symbol}</span> {word}
    </span>
  );
}

const STATES = {
  healthy: ['good', '●', 'Healthy'],
  warning: ['warn', '▲', 'Warning'],
  degraded: ['bad', '■', 'Degraded'],
} as const;

/** Shows the health and the reasons for it. Screen readers read out only changes of the state. */
export function Status({ context }: { context: Context | undefined }) {
  const health = useResource<Health>('health', subject.value, HEALTH_MS);
  const since = useSince(health);
  const { data } = health;
  if (context?.enabled === false)
    return (
      <Banner kind="warn" symbol="▲" word="Switched off" text="enabled: false. Every access goes to its origin." />
    );
  if (context?.metrics === false) {
    return (
      <Banner
        kind="warn"
        symbol="▲"
        word="Metrics off"
        text="metrics: false. The cache works; nothing is counted or timed. Remove the option and start again to see figures here."
      />
    );
  }
  if (data === undefined) {
    const text = health.refusal?.message ?? 'The first figures are on their way.';
    return <Banner kind="none" symbol="○" word={health.refusal ? 'Not known' : 'Loading'} text={text} />;
  }
  const [kind, symbol, word] = STATES[data.status];
  // Without a current answer, show only the last known state and its time.
  if (connection.value === 'lost' || health.refusal !== undefined) {
    const why = health.refusal === undefined ? '' : `${health.refusal.message} `;
    const text = `${why}The application was ${data.status} when it answered last, at ${moment(health.at)}.`;
    return <Banner kind="none" symbol="○" word="Not known" text={text} />;
  }
  const warnings = reasonsOf(data.warnings, (isStreamed.value && realtime.value?.alerts) || []);
  return (
    <section class={`status ${kind}`} aria-label="Status">
      <p class="verdict">
        <span aria-hidden="true">{symbol}</span> <strong role="status">{word}</strong>
        <span class="muted">
          {since && `since ${moment(since)}`}
          {health.instances > 1 && `, ${health.instances} instances`}
        </span>
      </p>
      <ul>
        {warnings.map((warning) => (
          <li key={`${warning.code} ${warning.pattern} ${warning.layer}`}>
            <span class="code">{warning.code}</span> {warning.message} <Where of={warning} />
          </li>
        ))}
        {warnings.length === 0 && (
          <li>
            {data.note ?? `Hit rate and response times are within their limits, judged by the last ${data.window}.`}
          </li>
        )}
      </ul>
    </section>
  );
}

function Where({ of: { pattern, layer } }: { of: Warning }) {
  if (pattern) return <PatternLink name={pattern} />;
  return layer ? <a href={hrefOf({ page: 'layers' })}>Layers</a> : null;
}

/** Returns the warnings of health, and other open alerts. */
function reasonsOf(warnings: readonly Warning[], alerts: readonly Warning[]): Warning[] {
  const id = ({ code, pattern, layer }: Warning) => `${code} ${pattern} ${layer}`;
  const known = new Set(warnings.map(id));
  return [...warnings, ...alerts.filter((alert) => !known.has(id(alert)))];
}

/** Returns when the status last changed while the page was open; undefined before the first change. */
function useSince({ address, data }: Resource<Health>): number | undefined {
  const seen = useRef<{ address: string; status: string; changedAt: number | undefined } | undefined>(undefined);
  const before = seen.current?.address === address ? seen.current : undefined;
  if (data !== undefined && before?.status !== data.status)
    seen.current = { address, status: data.status, changedAt: before && Date.now() };
  return data && seen.current?.changedAt;
}

interface BannerProps {
  readonly kind: string;
  readonly symbol: string;
  readonly word: string;
  readonly text: string;
}

function Banner({ kind, symbol, word, text }: BannerProps) {
  return (
    <section class={`status ${kind}`} aria-label="Status">
      <p class="verdict">
        <span aria-hidden="true">{symbol}</span> <strong role="status">{word}</strong>
      </p>
      <p>{text}</p>
    </section>
  );
}

/** Shown if the application does not answer: the figures are outdated. */
export function Lost() {
  const at = lostAt.value;
  if (connection.value !== 'lost' || at === undefined) return null;
  return (
    <div class="offline" role="alert">
      <p>
        <strong>Disconnected.</strong> The application has not answered since {moment(at)}. The figures are from then;
        trying again.
      </p>
      <button
        type="button"
        onClick={() => {
          connect();
          refresh();
        }}
      >
        Try now
      </button>
    </div>
  );
}

/** Shown if guards refuse requests: asks for a bearer token. */
export function Forbidden() {
  const [text, setText] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const send = (event: Event) => {
    event.preventDefault();
    useToken(text);
    connect();
  };
  return (
    <main class="forbidden">
      <form class="card" onSubmit={send}>
        <h1>Not allowed</h1>
        <p>
          The guards of this application refuse the routes of the cache to you.
          {token.value !== '' && ' The token that was given is refused too.'}
        </p>
        <label>
          Bearer token
          <input
            ref={field}
            type="password"
            autocomplete="off"
            spellcheck={false}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <p class="muted">
          It is sent as Authorization header, to this application alone, and kept until the tab is closed. Where a
          session is needed instead, sign in to the application and load this page again.
        </p>
        <div class="actions">
          <span class="push" />
          <button type="submit" class="primary">
            Open
          </button>
        </div>
      </form>
    </main>
  );
}
