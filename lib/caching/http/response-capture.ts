import type { EntryMeta } from '../../cache/entry.js';
import type { HeaderValue, ResponseFace } from './response-face.js';

/** Headers that belong to one connection or one moment, never to a stored answer (RFC 9111 §3.1). */
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

/** What a response had before its handler ran. */
export interface ResponseBefore {
  readonly status: number;
  readonly headers: Readonly<Record<string, HeaderValue>>;
}

export function responseBefore(face: ResponseFace, response: object): ResponseBefore {
  return { status: face.status(response), headers: { ...face.headers(response) } };
}

/** The status and headers a handler set itself; undefined where it set none. */
export function setByHandler(face: ResponseFace, response: object, before: ResponseBefore): EntryMeta | undefined {
  const status = face.status(response);
  let headers: Record<string, string | readonly string[]> | undefined;
  for (const [name, value] of Object.entries(face.headers(response))) {
    const lower = name.toLowerCase();
    if (value === undefined || value === before.headers[name] || NEVER_STORED.has(lower)) continue;
    (headers ??= {})[lower] = Array.isArray(value) ? (value as readonly string[]) : String(value);
  }
  if (status === before.status && headers === undefined) return undefined;
  return { ...(status !== before.status && { status }), ...(headers !== undefined && { headers }) };
}

/** Puts back what {@link setByHandler} found. */
export function restore(face: ResponseFace, response: object, { status, headers }: EntryMeta): void {
  if (status !== undefined) face.setStatus(response, status);
  for (const name in headers) face.setHeader(response, name, headers[name]!);
}

/** Success, as far as it may be stored: 2xx except a part of an answer (RFC 9111 §3.3). */
export function isStorable(status: number): boolean {
  return status >= 200 && status < 300 && status !== 206;
}
