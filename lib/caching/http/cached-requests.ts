import type { Call } from '../inputs/call.js';

/** The methods whose requests a handler answers from the cache; HEAD goes with GET. */
export function methodsOf(methods: readonly string[] = ['GET', 'HEAD']): ReadonlySet<string> {
  const upper = methods.map((method) => method.toUpperCase());
  return new Set(upper.includes('GET') ? [...upper, 'HEAD'] : upper);
}

/** What the keys of a route begin with: HEAD shares what GET left; a handler of all methods has each for itself. */
export function requestBase(base: string, method: string, mountedTwice: boolean): string | ((call: Call) => string) {
  if (method !== 'ALL' && !mountedTwice) return base;
  return ({ args }) => {
    const request = args[0] as RoutedRequest;
    const asked = request.method === 'HEAD' ? 'GET' : request.method;
    const mounted = mountedTwice ? ` ${request.routeOptions?.url ?? request.route?.path ?? ''}` : '';
    return method === 'ALL' ? `${base} ${asked}${mounted}` : `${base}${mounted}`;
  };
}

interface RoutedRequest {
  readonly method: string;
  readonly routeOptions?: { readonly url?: string };
  readonly route?: { readonly path?: string };
}
