import { CacheError } from '../../cache/errors.js';
import type { CachedRequest } from '../cached.options.js';
import { type Reader, requestOf, type Transport } from './call.js';
import type { DeclaredInput } from './declared-inputs.js';

/** A path such as `params.id`, `0.id`, `user.id`, `result.id`, ready to be read from calls. */
export interface InputPath {
  readonly text: string;
  readonly segments: readonly string[];
  /** The argument it starts at, where it starts with a number. */
  readonly argument: number | undefined;
  readonly read: Reader;
  /** What the path starts at. */
  readonly readRoot: Reader;
  /** True where what it names tells callers apart. */
  readonly identifying: boolean;
  /** True where it must not be readable in a key. */
  readonly secret: boolean;
}

/** Roots of a request that every caller writes into the address or the payload: they tell no caller from another. */
const PUBLIC_ROOTS = new Set(['params', 'query', 'body', 'hosts', 'method', 'args', 'data']);

/** Headers in which clients say what they want, not who they are (RFC 9110 §12.5). */
const NEGOTIATION = new Set(['accept', 'accept-language', 'accept-charset', 'accept-encoding']);

/**
 * @param inputs what the handler declares, which numbered paths of handlers are read through.
 * @throws CacheError `INVALID_TEMPLATE` for a path that cannot be read in such a call.
 */
export function inputPath(
  text: string,
  transport: Transport,
  inputs: readonly DeclaredInput[],
  owner: string,
): InputPath {
  const segments = text.split('.').map((segment) => segment.trim());
  const root = segments[0]!;
  if (segments.some((segment) => segment === '')) throw invalidPath(owner, text, 'has an empty part');
  const argument = /^\d+$/.test(root) ? Number(root) : undefined;
  const rest = segments.slice(1);
  const read =
    argument === undefined
      ? rootReader(root, rest, transport, owner, text)
      : argumentReader(argument, transport, inputs, owner, text);
  return {
    text,
    segments,
    argument,
    readRoot: read,
    read: rest.length === 0 || (argument === undefined && root === 'headers') ? read : (call) => walk(read(call), rest),
    identifying: isIdentifying(root, rest, argument, transport, inputs),
    secret: isSecret(root, rest),
  };
}

function rootReader(root: string, rest: readonly string[], transport: Transport, owner: string, text: string): Reader {
  if (transport === 'method') {
    if (root === 'this') return (call) => call.instance;
    throw invalidPath(owner, text, "cannot be read in a method; start with an argument ('0.id') or with 'this'");
  }
  if (root === 'headers') {
    const name = rest.join('.').toLowerCase();
    return (call) => {
      const headers = requestOf(call.args, transport)?.headers;
      return name === '' ? headers : headers?.[name];
    };
  }
  if (root === 'cookies') return (call) => cookiesOf(requestOf(call.args, transport));
  if (transport === 'http') return (call) => (call.args[0] as Record<string, unknown>)[root];
  if (transport === 'rpc') {
    if (root === 'data') return (call) => call.args[0];
    if (root === 'context') return (call) => call.args[1];
    throw invalidPath(owner, text, "cannot be read in an RPC handler; start with 'data', 'context' or an argument");
  }
  if (transport === 'ws') {
    if (root === 'data') return (call) => call.args[1];
    if (root === 'client') return (call) => call.args[0];
    throw invalidPath(owner, text, "cannot be read in a WebSocket handler; start with 'data', 'client' or an argument");
  }
  if (root === 'args') return (call) => call.args[1];
  if (root === 'context') return (call) => call.args[2];
  return (call) => requestOf(call.args, transport)?.[root];
}

function argumentReader(
  argument: number,
  transport: Transport,
  inputs: readonly DeclaredInput[],
  owner: string,
  text: string,
): Reader {
  if (transport === 'method') return (call) => call.args[argument];
  const input = inputs.find(({ index }) => index === argument);
  if (input === undefined) throw invalidPath(owner, text, `names argument ${argument}, which is not decorated`);
  return input.read;
}

function isIdentifying(
  root: string,
  rest: readonly string[],
  argument: number | undefined,
  transport: Transport,
  inputs: readonly DeclaredInput[],
): boolean {
  if (transport === 'method') return argument === undefined;
  if (argument !== undefined) return inputs.find(({ index }) => index === argument)?.identifying !== undefined;
  if (root === 'headers') return !(rest.length === 1 && NEGOTIATION.has(rest[0]!.toLowerCase()));
  return !PUBLIC_ROOTS.has(root);
}

function isSecret(root: string, rest: readonly string[]): boolean {
  if (root === 'cookies' || root === 'signedCookies' || root === 'session') return true;
  return (
    root === 'headers' && ['authorization', 'cookie', 'proxy-authorization'].includes(rest.join('.').toLowerCase())
  );
}

/** What lies under a value by these names; undefined where something on the way is missing. */
export function walk(value: unknown, names: readonly string[]): unknown {
  let found = value;
  for (const name of names) {
    if (found === undefined || found === null) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

function invalidPath(owner: string, text: string, why: string): CacheError {
  return new CacheError('INVALID_TEMPLATE', `${owner}: '${text}' ${why}.`);
}

/** Cookies as a parser left them on the request, else as the header has them (RFC 6265 §5.4). */
function cookiesOf(request: CachedRequest | undefined): unknown {
  if (request === undefined || request.cookies !== undefined) return request?.cookies;
  const header = request.headers.cookie;
  if (typeof header !== 'string') return undefined;
  const cookies: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(equals, 0)).trim();
    // The first of a name wins, as in every cookie parser.
    if (equals > 0 && !(name in cookies)) cookies[name] = pair.slice(equals + 1).trim();
  }
  return cookies;
}
