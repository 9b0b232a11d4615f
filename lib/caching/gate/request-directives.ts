/** The directives of a request's `Cache-Control` (RFC 9111 §5.2.1) that the cache obeys. */
export interface RequestDirectives {
  readonly noStore: boolean;
  readonly noCache: boolean;
  readonly onlyIfCached: boolean;
  /** Milliseconds. @default Infinity */
  readonly maxAgeMs: number;
}

const NO_CACHE: RequestDirectives = { noStore: false, noCache: true, onlyIfCached: false, maxAgeMs: Infinity };

/**
 * Reads `Cache-Control`, or `Pragma: no-cache` if there is none (RFC 9111 §5.4).
 * @returns undefined if the request has none of these directives.
 */
export function requestDirectives(cacheControl: unknown, pragma: unknown): RequestDirectives | undefined {
  const text =
    typeof cacheControl === 'string' ? cacheControl : Array.isArray(cacheControl) ? cacheControl.join(',') : '';
  if (text === '')
    return typeof pragma === 'string' && /(^|[,\s])no-cache([,\s]|$)/i.test(pragma) ? NO_CACHE : undefined;
  const directives = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/([^\s,=]+)(?:\s*=\s*("[^"]*"|[^\s,]*))?/g)) {
    directives.set(name!.toLowerCase(), (value ?? '').replaceAll('"', ''));
  }
  const maxAge = directives.get('max-age');
  const maxAgeMs = maxAge !== undefined && /^\d+$/.test(maxAge) ? Number(maxAge) * 1_000 : Infinity;
  const noStore = directives.has('no-store');
  const noCache = directives.has('no-cache');
  const onlyIfCached = directives.has('only-if-cached');
  if (!noStore && !noCache && !onlyIfCached && maxAgeMs === Infinity) return undefined;
  return { noStore, noCache, onlyIfCached, maxAgeMs };
}
