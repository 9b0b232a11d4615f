import { computed, signal } from '@preact/signals';
import { type ScopeName, type WindowName, WINDOWS } from './wire';

/*
 * Where the page is stands behind the hash: `#/pattern/feed%3A*?window=1h&scope=fleet`. So an address can be shared, and works under any
 * prefix and behind any proxy.
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

export interface Route {
  readonly page: string;
  /** Of the pattern or endpoint. */
  readonly subject: string;
  readonly window: WindowName;
  readonly scope: ScopeName;
  readonly cache: string;
}

export const route = signal<Route>(read());
export const windowName = computed(() => route.value.window);
/** Which cache is meant, for routes that have no scope. */
export const namedCache = computed(() => (route.value.cache === 'default' ? {} : { cache: route.value.cache }));
/** Query parameters that most routes take. */
export const subject = computed(() => ({
  ...(route.value.scope === 'fleet' ? { scope: route.value.scope } : {}),
  ...namedCache.value,
}));

/** Whether the ticks of the event stream, those of this instance's own cache, are what is looked at. */
export const isStreamed = computed(() => route.value.scope === 'instance' && route.value.cache === 'default');

addEventListener('hashchange', () => (route.value = read()));

function read(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/');
  const parameters = new URLSearchParams(query);
  const window = WINDOWS.find((known) => known === parameters.get('window')) ?? '5m';
  const scope = parameters.get('scope') === 'fleet' ? 'fleet' : 'instance';
  return { page, subject: decoded(rest.join('/')), window, scope, cache: parameters.get('cache') ?? 'default' };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a page, with the window, scope and cache in force unless others are given. */
export function hrefOf(change: Partial<Route>): string {
  const { page, subject: name, window, scope, cache } = { ...route.value, subject: '', ...change };
  const parameters = new URLSearchParams();
  if (window !== '5m') parameters.set('window', window);
  if (scope !== 'instance') parameters.set('scope', scope);
  if (cache !== 'default') parameters.set('cache', cache);
  const query = parameters.size > 0 ? `?${parameters}` : '';
  return `#/${page}${name === '' ? '' : `/${encodeURIComponent(name)}`}${query}`;
}

/** Changes what is shown and stays on the page. */
export function choose(change: Pick<Partial<Route>, 'window' | 'scope' | 'cache'>): void {
  const { page, subject: name } = route.value;
  location.hash = hrefOf({ page, subject: name, ...change });
}
