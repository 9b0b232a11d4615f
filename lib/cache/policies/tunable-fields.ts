import type { CachePolicy } from './policy.js';

/** The fields that an override may set. The others hold functions, or affect the value that a caller gets. */
export const TUNABLE_FIELDS = [
  'ttl',
  'staleWhileRevalidate',
  'staleIfError',
  'softTimeout',
  'hardTimeout',
  'refreshAhead',
  'jitter',
  'negativeTtl',
  'lock',
  'waitTimeout',
  'maxEntrySize',
] as const satisfies readonly (keyof CachePolicy)[];
