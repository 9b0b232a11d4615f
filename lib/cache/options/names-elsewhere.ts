interface OurName {
  readonly option: string;
  /** Its notation, for an error in a place where it is not allowed. */
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
 * The names that other libraries give to our options (@nestjs/cache-manager, cache-manager, cacheable, bentocache, node-cache,
 * lru-cache, Redis clients), and our own names in a wrong place. After a migration people write the old name; the error then gives the
 * new one. Only unknown names are looked up here.
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

/** The option that a name of another library, or a name in a wrong place, stands for; undefined if there is none. */
export function nameElsewhere(name: string): OurName | undefined {
  return Object.hasOwn(OUR_NAMES, name) ? OUR_NAMES[name] : undefined;
}
