import type { CachePolicy } from './policy.js';

/** The fields that an override may set. The others are code, or are part of the value's type. */
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
