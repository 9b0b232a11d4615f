/** What each number means: shown on hover and on focus. */
export const TERMS = {
  saved: 'What callers would have waited for the origin: hits × the mean load time.',
  hitRate: 'Hits, stale ones included, over all accesses of the window.',
  requests: 'Accesses to the cache: hits and misses. Requests that bypass it are not counted.',
  p95: 'The cache’s own time, from the request until it has the value or knows that it has none. 95 of 100 accesses take less.',
  p99: 'The cache’s own time. 99 of 100 accesses take less. Of the last minute.',
  load: 'How long the origin takes. Half of its loads take less (p50), 95 of 100 take less (p95).',
  lost: 'What callers wait because of misses: misses × the median load time.',
  inFlight: 'Loads and operations that run at this moment.',
  reasons:
    'Why misses happened. Cold: never asked before. Expired: the TTL was over. Evicted: memory was full. Invalidated: removed on purpose.',
  stale: 'Hits that returned an outdated value while a refresh ran, over all hits.',
  size: 'Mean size of the values that were stored.',
  memory:
    'What the entries of this pattern take in the memory of this instance: keys, values and bookkeeping. The share is that of all entries there.',
  ttl: 'How long a value is fresh, and the override where one is in force.',
  evictions: 'Entries removed because the layer was full.',
  queue: 'Writes that wait to be sent to the layer.',
  circuit: 'Closed: the layer is used. Open: it failed, and the cache works without it until it answers again.',
  efficiency: 'Warmed entries that were read before they expired, over all that were warmed.',
  total: 'What callers waited in all, loads included. 95 of 100 wait less.',
  utilization: 'Connections in use over the size of the pool.',
} as const;

export type TermName = keyof typeof TERMS;
