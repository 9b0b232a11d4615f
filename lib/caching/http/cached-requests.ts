import type { Call } from '../inputs/call.js';

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** Returns the HTTP methods that a handler answers from the cache; GET includes HEAD. */
export function methodsOf(methods?: readonly string[]): ReadonlySet<string> {
  if (methods === undefined) return READS;
  const upper = methods.map((method) => method.toUpperCase());
  return new Set(upper.includes('GET') ? [...upper, 'HEAD'] : upper);
}

/**
 * Returns the base of a route's keys. HEAD shares the entries of GET. A handler of all methods has separate entries for each
 * method.
 */
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
