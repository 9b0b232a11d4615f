interface OurName {
  readonly option: string;
  /** How to write the option, for an error about a name that is not allowed in its place. */
  readonly written: string;
}

const named = (option: string, written = option): OurName => ({ option, written });
const ofPolicy = (option: string): OurName => named(option, `policy: { ${option} }`);
const layers = named('layers', 'layers: [memoryLayer(), redisLayer({ url })]');
const maxEntries = named('maxEntries', 'layers: [memoryLayer({ maxEntries })]');
const maxBytes = named('maxBytes', 'layers: [memoryLayer({ maxBytes })]');
const url = named('url', "redisLayer({ url: 'redis://user:password@host:port' })");
const pattern = named('pattern', "the pattern: @Cached('user:{params.id}')");

/*
 * Maps names of other libraries (@nestjs/cache-manager, cache-manager, cacheable, bentocache, node-cache, lru-cache, Redis clients) to the options of
 * this library. After a migration people write the old name, and the error then gives the new one. The table also holds own names, for the case that
 * they are in a wrong place. Only unknown names are looked up here.
 */
const OUR_NAMES: Readonly<Record<string, OurName>> = {
  max: maxEntries,
  maxItems: maxEntries,
  maxKeys: maxEntries,
  lruSize: maxEntries,
  maxEntries,
  maxSize: maxBytes,
  maxBytes,
  store: layers,
  stores: layers,
  primary: layers,
  secondary: layers,
  l1: layers,
  l2: layers,
  host: url,
  port: url,
  socket: url,
  url,
  redis: url,
  keyPrefix: named('namespace'),
  prefix: named('namespace'),
  global: named('isGlobal'),
  ttl: named('ttl', 'ttl, beside policy'),
  maxTtl: named('ttl'),
  stdTTL: named('ttl'),
  maxAge: named('ttl'),
  isCacheable: ofPolicy('cacheIf'),
  isCacheableValue: ofPolicy('cacheIf'),
  allowStale: ofPolicy('staleWhileRevalidate'),
  staleTtl: ofPolicy('staleWhileRevalidate'),
  grace: ofPolicy('staleIfError'),
  gracePeriod: ofPolicy('staleIfError'),
  failSafe: ofPolicy('staleIfError'),
  timeout: ofPolicy('softTimeout'),
  refreshThreshold: ofPolicy('refreshAhead'),
  nonBlocking: named('writes', "redisLayer({ writes: 'behind' })"),
  key: pattern,
  trackBy: pattern,
  ...Object.fromEntries(
    [
      'staleWhileRevalidate',
      'staleIfError',
      'softTimeout',
      'hardTimeout',
      'refreshAhead',
      'jitter',
      'negativeTtl',
      'cacheIf',
    ]
      .concat(['lock', 'waitTimeout', 'maxEntrySize', 'clone'])
      .map((option) => [option, ofPolicy(option)]),
  ),
};

/** Returns the option that a name of another library, or a name in a wrong place, means. Undefined if there is none. */
export function nameElsewhere(name: string): OurName | undefined {
  return Object.hasOwn(OUR_NAMES, name) ? OUR_NAMES[name] : undefined;
}
