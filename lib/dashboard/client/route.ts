import { computed, signal } from '@preact/signals';
import { type ScopeName, type WindowName, WINDOWS } from './wire';

/*
 * The hash of the address names the page and its choices: `#/pattern/feed%3A*?window=1h&scope=fleet`. So an address can be
 * shared, and it works under any prefix and behind any proxy.
 */

export const PAGES = [
  ['', 'Overview'],
  ['patterns', 'Patterns'],
  ['endpoints', 'Endpoints'],
  ['layers', 'Layers'],
  ['instances', 'Instances'],
  ['advice', 'Advice'],
  ['alerts', 'Alerts'],
  ['warming', 'Warming'],
  ['events', 'Events'],
  ['flame', 'Flame graph'],
  ['database', 'Database'],
] as const;

/** Pages that show one pattern or endpoint, which the address names. */
const SUBJECT_PAGES: readonly string[] = ['pattern', 'endpoint'];
/** A longer text cannot be the name of a pattern. */
const MAX_SUBJECT_LENGTH = 512;
/** The page for an address that names no known page. */
const NO_PAGE = 'unknown';

export interface Route {
  readonly page: string;
  /** The name of the pattern or endpoint; empty on other pages. */
  readonly subject: string;
  readonly window: WindowName;
  readonly scope: ScopeName;
  readonly cache: string;
}

export const route = signal<Route>(read());
export const windowName = computed(() => route.value.window);
/** The query parameter for the cache, for routes without a scope. */
export const namedCache = computed(() => (route.value.cache === 'default' ? {} : { cache: route.value.cache }));
/** The query parameters of most routes. */
export const subject = computed(() => ({
  ...(route.value.scope === 'fleet' ? { scope: route.value.scope } : {}),
  ...namedCache.value,
}));

/** True if the page shows what the ticks of the event stream report: the default cache of this instance. */
export const isStreamed = computed(() => route.value.scope === 'instance' && route.value.cache === 'default');

addEventListener('hashchange', () => (route.value = read()));

function read(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/');
  const name = decoded(rest.join('/'));
  const parameters = new URLSearchParams(query);
  const window = WINDOWS.find((known) => known === parameters.get('window')) ?? '5m';
  const cache = parameters.get('cache') ?? 'default';
  // Instances exchange only the metrics of the default cache.
  const scope = parameters.get('scope') === 'fleet' && cache === 'default' ? 'fleet' : 'instance';
  return { ...(isPage(page, name) ? { page, subject: name } : { page: NO_PAGE, subject: '' }), window, scope, cache };
}

function isPage(page: string, name: string): boolean {
  if (SUBJECT_PAGES.includes(page)) return name !== '' && name.length <= MAX_SUBJECT_LENGTH;
  return name === '' && PAGES.some(([known]) => known === page);
}

/** Returns the title of a page. The page of a pattern or endpoint has its name as title. */
export function titleOf({ page, subject: name }: Route): string {
  return PAGES.find(([known]) => known === page)?.[1] ?? (name === '' ? 'No such page' : name);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns the address of a page. Window, scope and cache stay as they are unless `change` contains others. */
export function hrefOf(change: Partial<Route>): string {
  const { page, subject: name, window, scope, cache } = { ...route.value, subject: '', ...change };
  const parameters = new URLSearchParams();
  if (window !== '5m') parameters.set('window', window);
  if (scope !== 'instance') parameters.set('scope', scope);
  if (cache !== 'default') parameters.set('cache', cache);
  const query = parameters.size > 0 ? `?${parameters}` : '';
  return `#/${page}${name === '' ? '' : `/${encodeURIComponent(name)}`}${query}`;
}

/** Changes the window, scope or cache and stays on the page. */
export function choose(change: Pick<Partial<Route>, 'window' | 'scope' | 'cache'>): void {
  const { page, subject: name } = route.value;
  location.hash = hrefOf({ page, subject: name, ...change });
}
