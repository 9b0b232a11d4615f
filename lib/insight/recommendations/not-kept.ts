import type { NotKeptCounts } from '../../metrics/snapshot.js';

/** Why a value was not stored, in words, and what to do. */
export interface NotKeptAdvice {
  readonly because: string;
  readonly advice: string;
  /** The option that decides it. */
  readonly option: string;
  /** A value to try; undefined if none fits everywhere. */
  readonly to?: string;
}

export const NOT_KEPT: Readonly<Record<keyof NotKeptCounts, NotKeptAdvice>> = {
  error: {
    because: 'the load failed or timed out',
    advice: 'Look at what the origin throws.',
    option: 'staleIfError',
  },
  cacheIf: { because: 'cacheIf returned false', advice: 'Review cacheIf.', option: 'cacheIf' },
  skipped: { because: 'the loader called skip()', advice: 'Review when it does.', option: 'skip' },
  cookie: {
    because: 'the handler sets a cookie',
    advice: 'Set the cookie in middleware or in a route of its own, or take @Cached away.',
    option: 'cached',
  },
  stream: {
    because: 'the answer is a stream, which can be read once',
    advice: 'Return the data itself, or take @Cached away.',
    option: 'cached',
  },
  status: {
    because: 'the response has a status that is not kept',
    advice: 'Answer with a 2xx status other than 206, or take @Cached away.',
    option: 'cached',
  },
  response: {
    because: 'the handler wrote to a response that had been sent',
    advice: 'Return the answer instead of writing to the response.',
    option: 'cached',
  },
  size: {
    because: 'the value is larger than maxEntrySize',
    advice: 'Raise maxEntrySize or store smaller values.',
    option: 'maxEntrySize',
  },
  value: {
    because: 'the value cannot be copied faithfully',
    advice: 'Return plain data; the warning VALUE_NOT_SERIALIZABLE names what cannot be copied.',
    option: 'classes',
  },
  empty: {
    because: 'the value is null or undefined',
    advice: 'Set negativeTtl to keep such answers for a short time.',
    option: 'negativeTtl',
    to: '30s',
  },
  ttl: { because: 'the TTL of the value is 0', advice: 'Review what ttl() or setTtl() is given.', option: 'ttl' },
  policy: {
    because: 'ttl, tags or cacheIf failed',
    advice: 'The warnings INVALID_OPTIONS and TAGS_FAILED name what failed.',
    option: 'ttl',
  },
  invalidated: {
    because: 'an invalidation came while it was loaded',
    advice: 'Invalidate after the change, once, and by narrower keys or tags.',
    option: 'tags',
  },
  layer: {
    because: 'no layer took it',
    advice: 'Look at the errors and the circuit of each layer.',
    option: 'layers',
  },
};
