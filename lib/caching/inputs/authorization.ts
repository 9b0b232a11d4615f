import { type Call, requestOf, type Transport } from './call.js';
import type { InputPath } from './input-path.js';

/*
 * Requests with `Authorization`.
 *
 * By RFC 9111 section 3.5 a shared cache answers such a request only if the application allows it. Two rules decide:
 *   1. The cache answers these requests if the handler is `shared` or its key identifies the caller ({@link
 *     answersAuthorization}). Otherwise the request gate makes them bypass the cache.
 *   2. A request without the input that identifies the caller has no key ({@link unknownCaller}), so its handler runs.
 */

/**
 * True if the cache may answer a handler's requests with `Authorization`.
 * @param identifying the inputs of the key that differ by caller; undefined for a function of the application.
 */
export function answersAuthorization(
  shared: boolean | undefined,
  identifying: readonly (InputPath | undefined)[],
): boolean {
  return shared === true || identifying.some(namesCaller);
}

/** True if an input of a key differs for each caller that sends `Authorization`. */
function namesCaller(path: InputPath | undefined): boolean {
  if (path === undefined || path.argument !== undefined) return true;
  return path.segments[0] === 'user' || path.text.toLowerCase() === 'headers.authorization';
}

/** True for the properties of a request in which guards store the caller. */
export function isPerson(root: string): boolean {
  return ![
    'headers',
    'cookies',
    'signedCookies',
    'session',
    'query',
    'params',
    'body',
    'this',
    'client',
    'data',
  ].includes(root);
}

/** Returns a function that detects and reports calls with `Authorization` whose caller is not identified. */
export function unknownCaller(transport: Transport, report: () => void): (call: Call) => boolean {
  return (call) => {
    if (requestOf(call.args, transport)?.headers.authorization === undefined) return false;
    report();
    return true;
  };
}
