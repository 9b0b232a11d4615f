import { CacheError } from '../../cache/base/errors.js';
import type { CachedRequest } from '../options/cached.options.js';
import { type Reader, requestOf, type Transport } from './call.js';
import type { DeclaredInput, InputParser } from './declared-inputs.js';

/** A compiled path such as `params.id`, `0.id`, `user.id`, `result.id`. */
export interface InputPath {
  /** The path as written, without the `?` at its end. */
  readonly text: string;
  /** The canonical name of the input: for `0` of a handler, the path of the input that the first parameter declares. */
  readonly name: string;
  /** True if undefined is a valid value: the path ends with `?`, or names a header of content negotiation. */
  readonly optional: boolean;
  readonly segments: readonly string[];
  /** The index of the argument, if the path starts with a number. */
  readonly argument: number | undefined;
  /** Reads the value in a call, as the handler gets it. */
  readonly read: Reader;
  /** Reads the value as the caller sent it. */
  readonly readRaw: Reader;
  /** The parser of the input, if Nest's own pipes parse it. */
  readonly parser: InputParser | undefined;
  /** Reads the value at the start of the path. */
  readonly readRoot: Reader;
  /** True if its value identifies callers. */
  readonly identifying: boolean;
  /** True if the value must not be readable in keys. */
  readonly secret: boolean;
}

/** Roots of a request's paths that identify no caller, because they are part of the URL or the payload. */
const PUBLIC_ROOTS = new Set(['params', 'query', 'body', 'hosts', 'method', 'args', 'data']);

/** Headers of content negotiation (RFC 9110 §12.5); they identify no caller. */
const NEGOTIATION = new Set(['accept', 'accept-language', 'accept-charset', 'accept-encoding']);

/** Request headers whose absence is a valid value. */
const MAY_BE_ABSENT = new Set([...NEGOTIATION, 'origin']);

/** Splits a path into its name and the mark `?`, which allows undefined as a value: `'user.id?'`. */
export function withoutMark(written: string): { readonly path: string; readonly optional: boolean } {
  const path = written.trim();
  return path.endsWith('?') ? { path: path.slice(0, -1).trim(), optional: true } : { path, optional: false };
}

/**
 * Compiles a path.
 * @param written a path, optionally with `?` at its end.
 * @param inputs the declared inputs; a numbered path of a handler reads one of them.
 * @throws CacheError `INVALID_TEMPLATE` for a path that a call of this transport cannot have.
 */
export function inputPath(
  written: string,
  transport: Transport,
  inputs: readonly DeclaredInput[],
  owner: string,
): InputPath {
  const { path: text, optional } = withoutMark(written);
  const segments = text.split('.').map((segment) => segment.trim());
  const root = segments[0]!;
  if (segments.some((segment) => segment === '')) throw invalidPath(owner, text, 'has an empty part');
  if (root.includes(':')) {
    throw invalidPath(
      owner,
      text,
      "has ':' behind its first part; separate with a dot, as in 'headers.accept-language'",
    );
  }
  if (text.includes('?')) throw invalidPath(owner, text, "has '?' before its end; write it last, as in 'user.id?'");
  const argument = /^\d+$/.test(root) ? Number(root) : undefined;
  const rest = segments.slice(1);
  const readRoot =
    argument === undefined
      ? rootReader(root, rest, transport, owner, text)
      : argumentReader(argument, transport, inputs, owner, text);
  const declared = inputs.find((input) => (rest.length === 0 && input.index === argument) || input.path === text);
  const readRaw: Reader =
    declared?.narrowed === true
      ? declared.read
      : rest.length === 0 || (argument === undefined && root === 'headers')
        ? readRoot
        : (call) => walk(readRoot(call), rest);
  const parser = declared?.parser;
  return {
    text,
    name: nameOf(root, rest, argument, inputs),
    optional: optional || (root === 'headers' && MAY_BE_ABSENT.has(rest.join('.').toLowerCase())),
    segments,
    argument,
    readRoot,
    readRaw,
    read: parser === undefined ? readRaw : (call) => parser.parse(readRaw(call)),
    parser,
    identifying: isIdentifying(root, rest, argument, transport, inputs),
    secret: isSecretPath(text),
  };
}

function nameOf(
  root: string,
  rest: readonly string[],
  argument: number | undefined,
  inputs: readonly DeclaredInput[],
): string {
  if (root === 'headers') return ['headers', ...rest].join('.').toLowerCase();
  const declared = argument === undefined ? undefined : inputs.find(({ index }) => index === argument);
  return [declared?.path ?? root, ...rest].join('.');
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
  if (root === 'root') return (call) => call.args[0];
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

/** True for a path to values that must not be readable in keys: credentials, cookies and sessions. */
export function isSecretPath(path: string): boolean {
  const [root, ...rest] = path.split('.').map((segment) => segment.trim());
  if (root === 'cookies' || root === 'signedCookies' || root === 'session') return true;
  return (
    root === 'headers' && ['authorization', 'cookie', 'proxy-authorization'].includes(rest.join('.').toLowerCase())
  );
}

/** Reads nested properties; undefined if one is missing. */
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

/** Returns the cookies that a parser stored on the request. Without a parser, reads them from the header (RFC 6265 §5.4). */
function cookiesOf(request: CachedRequest | undefined): unknown {
  if (request === undefined || request.cookies !== undefined) return request?.cookies;
  const header = request.headers.cookie;
  if (typeof header !== 'string') return undefined;
  const cookies: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(equals, 0)).trim();
    // The first cookie of a name counts, as in common cookie parsers.
    if (equals > 0 && !(name in cookies)) cookies[name] = pair.slice(equals + 1).trim();
  }
  return cookies;
}
