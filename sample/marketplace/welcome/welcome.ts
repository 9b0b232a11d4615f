/** What is worth opening, and what it shows. */
export const PLACES: readonly { readonly path: string; readonly shows: string }[] = [
  { path: '/feeds/discover?page=1', shows: 'the discover feed' },
  { path: '/search?q=lamp', shows: 'a search' },
  { path: '/search/trending', shows: 'what people search for' },
  { path: '/categories/top', shows: 'the categories that sell best' },
  { path: '/sellers/live', shows: 'who streams now' },
  { path: '/products/42', shows: 'a product; POST /products/42/purchase buys one' },
  { path: '/health', shows: 'cache and database' },
  { path: '/cache/dashboard', shows: 'the dashboard: open it, then let visitors come' },
  { path: '/cache/health', shows: 'how the cache is' },
  { path: '/cache/stats', shows: 'what it did, all together' },
  { path: '/cache/stats?cache=sessions', shows: '… in the cache of sessions, apart from the pages' },
  { path: '/cache/stats/patterns', shows: '… by key pattern' },
  { path: '/cache/stats/endpoints', shows: '… by endpoint' },
  { path: '/cache/stats/layers', shows: '… by layer, with its circuit' },
  { path: '/cache/stats/low-performers', shows: 'what could be better' },
  { path: '/cache/insights', shows: 'what to change, and what it will bring' },
  { path: '/lessons/prices/1', shows: 'one of the lessons: a handler with one fault' },
  { path: '/cache/realtime', shows: 'what it does now' },
  { path: '/cache/events', shows: 'the same as it happens: ticks, alerts, warming, invalidations' },
  { path: '/cache/flamegraph?format=svg', shows: 'where its time goes' },
  { path: '/cache/database', shows: 'the pool and its slow queries' },
  { path: '/metrics', shows: 'all of it for Prometheus' },
];

/** The lines that start-up prints. */
export function welcome(origin: string): string {
  const width = Math.max(...PLACES.map(({ path }) => path.length));
  const lines = PLACES.map(({ path, shows }) => `  ${origin}${path.padEnd(width)}  ${shows}`);
  return ['', 'The marketplace is open.', '', ...lines, '', '  Visitors: npm run traffic', ''].join('\n');
}
