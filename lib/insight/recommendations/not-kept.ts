import type { NotKeptCounts } from '../../metrics/snapshot.js';

/** The reason why a value was not stored, in words, and the advice. */
export interface NotKeptAdvice {
  readonly because: string;
  readonly advice: string;
  /** The option that decides whether it is stored. */
  readonly option: string;
  /** A value to try; undefined if none fits everywhere. */
  readonly to?: string;
}

export const NOT_KEPT: Readonly<Record<keyof NotKeptCounts, NotKeptAdvice>> = {
  error: {
    because: 'the load failed or timed out',
    advice: 'Look at the errors of the origin.',
    option: 'staleIfError',
  },
  cacheIf: { because: 'cacheIf returned false', advice: 'Review cacheIf.', option: 'cacheIf' },
  skipped: { because: 'the loader called skip()', advice: 'Review when it calls skip().', option: 'skip' },
  cookie: {
    because: 'the handler sets a cookie',
    advice: 'Set the cookie in middleware or in another route, or remove @Cached.',
    option: 'cached',
  },
  stream: {
    because: 'the answer is a stream, which can be read once',
    advice: 'Return the data itself, or remove @Cached.',
    option: 'cached',
  },
  status: {
    because: 'the response has a status that is not cached',
    advice: 'Answer with a 2xx status other than 206, or remove @Cached.',
    option: 'cached',
  },
  response: {
    because: 'the handler wrote to a response that had already been sent',
    advice: 'Return the answer instead of writing to the response.',
    option: 'cached',
  },
  size: {
    because: 'the value is larger than maxEntrySize',
    advice: 'Raise maxEntrySize or store smaller values.',
    option: 'maxEntrySize',
  },
  value: {
    because: 'the value cannot be copied exactly',
    advice: 'Return plain data; the warning VALUE_NOT_SERIALIZABLE names the part that cannot be copied.',
    option: 'classes',
  },
  empty: {
    because: 'the value is null or undefined',
    advice: 'Set negativeTtl to store such answers for a short time.',
    option: 'negativeTtl',
    to: '30s',
  },
  ttl: { because: 'the TTL of the value is 0', advice: 'Review the values of ttl() and setTtl().', option: 'ttl' },
  policy: {
    because: 'ttl, tags or cacheIf failed',
    advice: 'The warnings INVALID_OPTIONS and TAGS_FAILED name the cause.',
    option: 'ttl',
  },
  invalidated: {
    because: 'the key was invalidated during the load',
    advice: 'Invalidate once, after the change, and with narrower keys or tags.',
    option: 'tags',
  },
  layer: {
    because: 'no layer accepted it',
    advice: 'Look at the errors and the circuit of each layer.',
    option: 'layers',
  },
};
