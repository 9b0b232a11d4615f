import { type Call, requestOf, type Transport } from './call.js';
import type { InputPath } from './input-path.js';

/*
 * Requests with `Authorization`.
 *
 * By RFC 9111 section 3.5 a shared cache answers such a request only if the application allows it. Two rules decide:
 *   1. A handler answers these requests if it is `shared`, or if its key names the caller ({@link namesCaller}). The request gate
 *      refuses all others.
 *   2. Where the input that names the caller is absent, such a request has no key ({@link unknownCaller}): its handler runs.
 */

/** Whether an input of a key differs by caller with `Authorization`. @param path undefined for a function of the application. */
export function namesCaller(path: InputPath | undefined): boolean {
  if (path === undefined || path.argument !== undefined) return true;
  return path.segments[0] === 'user' || path.text.toLowerCase() === 'headers.authorization';
}

/** True for roots under which guards put the caller. */
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

/** Detects a caller with `Authorization` who is not identified. */
export function unknownCaller(transport: Transport, report: () => void): (call: Call) => boolean {
  return (call) => {
    if (requestOf(call.args, transport)?.headers.authorization === undefined) return false;
    report();
    return true;
  };
}
