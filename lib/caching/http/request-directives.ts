/** What a request's `Cache-Control` asks of a cache (RFC 9111 §5.2.1), as far as it is obeyed. */
export interface RequestDirectives {
  readonly noStore: boolean;
  readonly noCache: boolean;
  readonly onlyIfCached: boolean;
  /** Milliseconds; `Infinity` without. */
  readonly maxAgeMs: number;
}

/** Reads `Cache-Control`, and `Pragma: no-cache` where there is none (RFC 9111 §5.4). */
export function requestDirectives(cacheControl: unknown, pragma: unknown): RequestDirectives | undefined {
  const text =
    typeof cacheControl === 'string' ? cacheControl : Array.isArray(cacheControl) ? cacheControl.join(',') : '';
  if (text === '') {
    if (typeof pragma !== 'string' || !/(^|[,\s])no-cache([,\s]|$)/i.test(pragma)) return undefined;
    return { noStore: false, noCache: true, onlyIfCached: false, maxAgeMs: Infinity };
  }
  const directives = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/([^\s,=]+)(?:\s*=\s*("[^"]*"|[^\s,]*))?/g)) {
    directives.set(name!.toLowerCase(), (value ?? '').replaceAll('"', ''));
  }
  const maxAge = directives.get('max-age');
  return {
    noStore: directives.has('no-store'),
    noCache: directives.has('no-cache'),
    onlyIfCached: directives.has('only-if-cached'),
    maxAgeMs: maxAge !== undefined && /^\d+$/.test(maxAge) ? Number(maxAge) * 1_000 : Infinity,
  };
}
