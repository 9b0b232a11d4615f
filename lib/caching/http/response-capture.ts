import type { EntryMeta } from '../../cache/entries/entry.js';
import type { HeaderValue, ResponseAdapter } from './response-adapter.js';

/** Headers of one connection or one point in time, which are never stored (RFC 9111 §3.1). */
const NEVER_STORED = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-cache',
]);

/** The state of a response before its handler ran. */
export interface ResponseBefore {
  readonly status: number;
  readonly headers: Readonly<Record<string, HeaderValue>>;
}

/** The changes that a handler made to its response. */
export interface HandlerMarks {
  readonly setsCookie: boolean;
  /** The status of the response. */
  readonly status: number;
  /** The status and headers that the handler set; undefined if it set none. */
  readonly meta: EntryMeta | undefined;
}

export function responseBefore(responses: ResponseAdapter, response: object): ResponseBefore {
  const headers = responses.headers(response);
  for (const name in headers) {
    const value = headers[name];
    // Node and Fastify append to the same array.
    if (Array.isArray(value)) headers[name] = [...(value as readonly string[])];
  }
  return { status: responses.status(response), headers };
}

export function marksOfHandler(responses: ResponseAdapter, response: object, before: ResponseBefore): HandlerMarks {
  const status = responses.status(response);
  let setsCookie = false;
  let headers: Record<string, string | readonly string[]> | undefined;
  const present = responses.headers(response);
  for (const name in present) {
    const value = present[name];
    if (value === undefined || isSame(value, before.headers[name])) continue;
    const lower = name.toLowerCase();
    if (lower === 'set-cookie') setsCookie = true;
    if (NEVER_STORED.has(lower)) continue;
    (headers ??= {})[lower] = Array.isArray(value) ? [...(value as readonly string[])] : String(value);
  }
  const own = status !== before.status;
  const meta =
    own || headers !== undefined ? { ...(own && { status }), ...(headers !== undefined && { headers }) } : undefined;
  return { setsCookie, status, meta };
}

/** Restores the changes found by {@link marksOfHandler}. */
export function restore(responses: ResponseAdapter, response: object, { status, headers }: EntryMeta): void {
  if (status !== undefined) responses.setStatus(response, status);
  for (const name in headers) responses.setHeader(response, name, headers[name]!);
}

/** True for 2xx except 206, partial content (RFC 9111 §3.3). */
export function isStorable(status: number): boolean {
  return status >= 200 && status < 300 && status !== 206;
}

function isSame(value: HeaderValue, before: HeaderValue): boolean {
  if (value === before) return true;
  if (!Array.isArray(value) || !Array.isArray(before)) return false;
  return value.length === before.length && value.every((one, index) => one === (before as readonly string[])[index]);
}
