import type { HttpServer } from '@nestjs/common';
import type { Transport } from './call.js';
import { nearlyOneOf } from './class-fields.js';

/**
 * The usual roots of paths by transport: properties that the framework or the platform sets, and properties that common guards
 * and middleware set (Passport, sessions, cookies, uploads, tokens). Any other name is a mistake, unless the application
 * declares it because its own middleware sets it.
 */
const ROOTS: Record<Exclude<Transport, 'method'>, readonly string[]> = {
  http: ['params', 'query', 'body', 'headers', 'cookies', 'session', 'user', 'hosts'],
  graphql: ['args', 'context', 'headers', 'cookies', 'session', 'user'],
  rpc: ['data', 'context'],
  ws: ['data', 'client'],
};

/** Further properties of requests. Texts of messages do not list them. */
const OF_REQUESTS: ReadonlySet<string> = new Set([
  'method', 'url', 'originalUrl', 'baseUrl', 'path', 'route', 'httpVersion', 'protocol', 'secure', 'hostname', 'host', 'subdomains',
  'ip', 'ips', 'raw', 'rawBody', 'rawHeaders', 'signedCookies', 'sessionID', 'account', 'authInfo', 'auth', 'file', 'files',
]); // prettier-ignore

/** Further roots of paths in a GraphQL call. */
const OF_GRAPHQL: ReadonlySet<string> = new Set(['root', 'query', 'body']);

/** Returns the usual roots of paths, for messages. */
export function usualRoots(transport: Exclude<Transport, 'method'>): readonly string[] {
  return ROOTS[transport];
}

/** Request headers on which responses usually depend. */
const USUAL_HEADERS = ['accept', 'accept-language', 'accept-encoding', 'origin', 'authorization', 'cookie'];

/** Returns the path that was probably meant: its root or its usual header differs from the given path by a letter. */
export function meantPath(path: string, transport: Transport, adapter?: HttpServer): string | undefined {
  if (transport === 'method') return undefined;
  const [root = '', ...rest] = path.split('.');
  const name = root === 'headers' ? nearlyOneOf(rest.join('.').toLowerCase(), USUAL_HEADERS) : undefined;
  if (name !== undefined) return `headers.${name}`;
  const meant = isKnownRoot(root, transport, adapter) ? undefined : nearlyOneOf(root, usualRoots(transport));
  return meant === undefined ? undefined : [meant, ...rest].join('.');
}

/** True if calls of a transport can have a value under this root. */
export function isKnownRoot(
  root: string,
  transport: Exclude<Transport, 'method'>,
  adapter: HttpServer | undefined,
): boolean {
  if (ROOTS[transport].includes(root)) return true;
  if (transport === 'rpc' || transport === 'ws') return false;
  if (OF_REQUESTS.has(root) || (transport === 'graphql' && OF_GRAPHQL.has(root))) return true;
  // Fastify numbers its requests, so a key or tag with this number would fit no other request.
  return root !== 'id' && isRequestProperty(root, adapter);
}

/** True for properties that requests have before any middleware runs: Fastify's decorators, getters of Express. */
function isRequestProperty(name: string, adapter: HttpServer | undefined): boolean {
  const instance = adapter?.getInstance() as
    { request?: unknown; hasRequestDecorator?: (name: string) => boolean } | undefined;
  if (typeof instance?.hasRequestDecorator === 'function') return instance.hasRequestDecorator(name);
  for (let level: unknown = instance?.request; isObject(level); level = Object.getPrototypeOf(level)) {
    const property = Object.getOwnPropertyDescriptor(level, name);
    if (property !== undefined) return level !== Object.prototype && typeof property.value !== 'function';
  }
  return false;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
