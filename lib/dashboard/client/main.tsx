import { render } from 'preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { AdvicePage, mayWrite } from './advice';
import { AlertsPage } from './alerts';
import { write } from './api';
import { DatabasePage } from './database';
import { EndpointPage, EndpointsPage } from './endpoints';
import { EventsPage } from './events';
import { FlamePage } from './flame';
import { InstancesPage } from './instances';
import { LayersPage } from './layers';
import { connection, listen } from './live';
import { Overview } from './overview';
import { PatternPage, PatternsPage } from './patterns';
import { forbidden, useResource, whenAnswered } from './resource';
import { hrefOf, PAGES, type Route, route, titleOf } from './route';
import { Bar, Forbidden, Lost, Status } from './shell';
import { WarmingPage } from './warming';
import type { Context } from './wire';

const CONTEXT_MS = 60_000;

function App() {
  if (forbidden.value) return <Forbidden />;
  return (
    <Whole>
      <Frame />
    </Whole>
  );
}

/** The frame of every page: the bar, notices and the page itself. */
function Frame() {
  const context = useResource<Context>('dashboard/context', {}, CONTEXT_MS).data;
  const { page, subject } = route.value;
  const title = titleOf(route.value);
  const absent = absentIn(context);
  useEffect(() => {
    document.title = `${title} · ${context?.service ?? 'Cache'}`;
  }, [title, context?.service]);
  useEffect(() => scrollTo(0, 0), [page, subject]);
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        To the content
      </a>
      <Bar context={context} />
      <Lost />
      <main id="main" tabIndex={-1} class={connection.value === 'lost' ? 'old' : ''}>
        {absent === undefined ? (
          <>
            {PAGES.some(([name]) => name === page) && <h1 class="hidden">{title}</h1>}
            <Status context={context} />
            <Whole key={`${page} ${subject}`}>
              <Page page={page} context={context} />
            </Whole>
          </>
        ) : (
          <Nowhere title={absent} to={{ ...route.value, cache: 'default', scope: 'instance' }}>
            To this instance’s own cache
          </Nowhere>
        )}
      </main>
    </>
  );
}

/** Returns a text if the address names a cache or a fleet that the application does not have. */
function absentIn(context: Context | undefined): string | undefined {
  const { cache, scope } = route.value;
  if (context === undefined) return undefined;
  if (!context.caches.includes(cache)) return `There is no cache “${cache}” in this application`;
  return scope === 'fleet' && !context.fleet ? 'This application has no fleet' : undefined;
}

/** Shown for an address without content, with a link to a page that exists. */
function Nowhere({ title, to, children }: { title: string; to: Partial<Route>; children: ComponentChildren }) {
  return (
    <section class="card">
      <h1>
        <bdi>{title}</bdi>
      </h1>
      <p>
        <a href={hrefOf(to)}>{children}</a>
      </p>
    </section>
  );
}

/** After this time, the page is shown even if some of its first requests have no answer yet, milliseconds. */
const WHOLE_MS = 3_000;

/** Shows its content when all of its first requests are answered, so that nothing moves as answers arrive. */
function Whole({ children }: { children: ComponentChildren }) {
  const [whole, setWhole] = useState(false);
  useEffect(() => {
    const show = () => setWhole(true);
    const late = setTimeout(show, WHOLE_MS);
    const stop = whenAnswered(show);
    return () => {
      clearTimeout(late);
      stop();
    };
  }, []);
  return (
    <div class={whole ? 'whole' : 'whole waiting'} aria-busy={!whole}>
      {!whole && <p class="note loading">Loading…</p>}
      {children}
    </div>
  );
}

/** Moves the focus to the content. The link is not followed, because the hash is the address of the page. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function Page({ page, context }: { page: string; context: Context | undefined }) {
  switch (page) {
    case '':
      return <Overview context={context} />;
    case 'patterns':
      return <PatternsPage />;
    case 'pattern':
      return <PatternPage context={context} />;
    case 'endpoints':
      return <EndpointsPage />;
    case 'endpoint':
      return <EndpointPage />;
    case 'layers':
      return <LayersPage />;
    case 'instances':
      return <InstancesPage />;
    case 'advice':
      return <AdvicePage />;
    case 'alerts':
      return <AlertsPage />;
    case 'warming':
      return <WarmingPage context={context} />;
    case 'events':
      return <EventsPage />;
    case 'flame':
      return <FlamePage />;
    case 'database':
      return <DatabasePage />;
    default:
      return (
        <Nowhere title="There is no such page" to={{ page: '' }}>
          To the overview
        </Nowhere>
      );
  }
}

/** Asks the server whether the caller may change data. If not, buttons that change data are not shown. */
async function askForWrites(): Promise<void> {
  mayWrite.value = await write('POST', 'dashboard/write-access').then(
    () => true,
    () => false,
  );
}

let asked = '';
connection.subscribe((now) => {
  if ((now === 'live' || now === 'polling') && asked !== now) void askForWrites();
  asked = now;
});
listen();
const place = document.getElementById('app')!;
place.replaceChildren();
render(<App />, place);
