import { types } from 'node:util';
import type { CacheLog } from './cache-log.js';

/**
 * Redacts errors and details before they reach a log, a span, an event, an answer or the cause of an error of this library. Messages of other code
 * may hold keys, values, statements or URLs with credentials, and clients attach commands with their arguments. So only the class, the code and the
 * stack frames of such an error are kept.
 */

/** Marks classes whose messages hold no key, value or secret: the error classes of this library, in all its copies. */
export const SAFE_MESSAGE = Symbol.for('nestjs-cache-observability:safe-message');

/** Attaches a safe text to an error of other code. */
const SAFE_TEXT = Symbol.for('nestjs-cache-observability:safe-text');

/** The levels of causes that are described; the next constant limits the errors of an AggregateError. */
const MAX_DEPTH = 3;
const MAX_ERRORS = 3;
const MAX_FRAMES = 10;

/**
 * Returns the safe text of an error. A message of this library is unchanged. For other errors it is the class, the code and the place, and the same
 * of the causes.
 */
export function redactedMessage(error: unknown): string {
  return described(error, MAX_DEPTH);
}

/**
 * Attaches a text without key, value or secret to an error of other code. `text` is called when the text is first needed. If it returns undefined,
 * the class and the place are shown.
 */
export function explainError(error: unknown, text: () => string | undefined): void {
  if (isError(error) && Object.isExtensible(error)) {
    Object.defineProperty(error, SAFE_TEXT, { configurable: true, get: text });
  }
}

/** Returns the stable code of an error, or its class: `ECONNREFUSED`, `TypeError`. */
export function errorKind(error: unknown): string {
  return codeOf(error) ?? (isError(error) ? classOf(error) : '_OTHER');
}

/** Returns an error that may be attached as a cause. An error of this library is unchanged. Of other errors, message and stack are redacted. */
export function redactedCause(cause: unknown): Error {
  if (isError(cause) && isSafe(cause)) return cause;
  const redacted = new Error(redactedMessage(cause));
  redacted.name = isError(cause) ? classOf(cause) : 'Error';
  const frames = isError(cause) ? framesOf(cause) : [];
  redacted.stack = [`${redacted.name}: ${redacted.message}`, ...frames.map((frame) => `    at ${frame}`)].join('\n');
  return redacted;
}

const redacting = new WeakSet<CacheLog>();

/** Returns a log whose details are texts, numbers and booleans. Errors are redacted, and objects are not printed. */
export function redactedLog(log: CacheLog): CacheLog {
  // A redacted cause is a string, and a second redaction would replace it. So do not wrap a log twice.
  if (redacting.has(log)) return log;
  const redacted: CacheLog = (level, code, message, details) => {
    if (details === undefined) return log(level, code, message);
    const shown = Object.entries(details).flatMap(([name, detail]) =>
      detail === undefined || detail === null
        ? []
        : [[name, name === 'cause' ? redactedMessage(detail) : detailOf(detail)] as const],
    );
    log(level, code, message, Object.fromEntries(shown));
  };
  redacting.add(redacted);
  return redacted;
}

/**
 * Returns a URL without credentials and query: `redis://user:secret@host:6379/1?a=b` → `redis://•••@host:6379/1`. If the text is not a URL,
 * everything before the last `@` is masked.
 */
export function redactedUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed !== undefined && parsed.host !== '') {
    const { protocol, host, pathname, username, password } = parsed;
    return `${protocol}//${username === '' && password === '' ? '' : '•••@'}${host}${pathname}`;
  }
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url)?.[0] ?? '';
  const at = url.lastIndexOf('@');
  const [shown = ''] = url.slice(at === -1 ? scheme.length : at + 1).split(/[?#]/, 1);
  return `${scheme}${at === -1 ? '' : '•••@'}${shown}`;
}

function detailOf(detail: unknown): string | number | boolean {
  switch (typeof detail) {
    case 'string':
    case 'number':
    case 'boolean':
      return detail;
    case 'bigint':
      return String(detail);
    default:
      return Array.isArray(detail) ? detail.map(detailOf).join(', ') : redactedMessage(detail);
  }
}

function described(error: unknown, depth: number): string {
  if (!isError(error)) return 'a value that is not an Error was thrown';
  if (isSafe(error)) return error.message;
  const text = read(error, SAFE_TEXT);
  if (typeof text === 'string') return text;
  const code = codeOf(error);
  const [place] = framesOf(error);
  const own = [classOf(error), ...(code === undefined ? [] : [code]), ...(place === undefined ? [] : [`at ${place}`])];
  const inner = depth === 1 ? [] : innerErrors(error).map((each) => described(each, depth - 1));
  return inner.length === 0 ? own.join(' ') : `${own.join(' ')}, caused by ${inner.join('; ')}`;
}

/** Returns the causes of an error; the errors of an AggregateError come first. */
export function innerErrors(error: Error): unknown[] {
  const errors = read(error, 'errors');
  const listed = Array.isArray(errors) ? errors.slice(0, MAX_ERRORS) : [];
  return [...listed, read(error, 'cause')].filter(isError);
}

/** Also returns true for errors that are not instances of this realm's Error, such as a DOMException or an error of another realm. */
export function isError(error: unknown): error is Error {
  if (error instanceof Error || types.isNativeError(error)) return true;
  if (typeof error !== 'object' || error === null) return false;
  return typeof read(error, 'message') === 'string' && typeof read(error, 'stack') === 'string';
}

function isSafe(error: Error): boolean {
  return read(error, SAFE_MESSAGE) === true;
}

const CODE = /^[A-Z0-9_]{1,40}$/;
const CLASS = /^[A-Za-z_$][\w$]{0,59}$/;
/** A name that the instance itself carries, such as that of a DOMException. */
const OWN_NAME = /^[A-Z][A-Za-z0-9]{0,50}(?:Error|Exception|Fault)$/;

function codeOf(error: unknown): string | undefined {
  const code = isError(error) ? read(error, 'code') : undefined;
  return typeof code === 'string' && CODE.test(code) ? code : undefined;
}

function classOf(error: Error): string {
  const name = read(error, 'name');
  if (typeof name === 'string' && OWN_NAME.test(name)) return name;
  const constructor = read(error, 'constructor');
  const given = typeof constructor === 'function' ? constructor.name : undefined;
  return typeof given === 'string' && CLASS.test(given) ? given : 'Error';
}

const FRAME = /^\s+at (?:async )?(?:([\w$.<>#\s[\]]{1,80}) \()?(?:[^\n]*[\\/])?([\w$.-]{1,80}:\d+):\d+\)?$/;

/** Returns the stack frames, innermost first, without folders: `PopularProducts.entries (popular-products.js:12)`. */
function framesOf(error: Error): string[] {
  const [stack, message] = [read(error, 'stack'), read(error, 'message')];
  if (typeof stack !== 'string' || typeof message !== 'string') return [];
  // The frames follow the message. Skip the message, because it may contain text like a frame.
  const from = stack.indexOf(message);
  if (from === -1) return [];
  const frames: string[] = [];
  for (const line of stack.slice(from + message.length).split('\n')) {
    const frame = FRAME.exec(line);
    if (frame === null) continue;
    frames.push(frame[1] === undefined ? frame[2]! : `${frame[1]} (${frame[2]!})`);
    if (frames.length === MAX_FRAMES) break;
  }
  return frames;
}

/** Reads a property of a foreign object. Its getter may throw. */
function read(error: object, property: string | symbol): unknown {
  try {
    return Reflect.get(error, property);
  } catch {
    return undefined;
  }
}
