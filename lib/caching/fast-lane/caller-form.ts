import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

/*
 * Which requests may get one learned response?
 *
 * The problem. Middleware that hits skip has run when the lane learned the response. It can derive response headers from
 * everything in a request: `User-Agent`, `X-Forwarded-For`, the order of the headers, the address of the connection. It can
 * also change the handler's inputs, and so the key. The lane cannot detect which of them it used.
 * The rule. If a handler's hits skip something, two requests get one response only if they are equal: all headers as they were
 * sent, and the address. One header may differ: `If-None-Match`, if it is the entity tag of the learned response.
 * Skipped middleware may keep state about a caller, and this state can change. So some requests take the full path even if
 * they are equal: requests with a cookie or an unknown header, which may name a session or an account ({@link mayNameCaller}),
 * and requests with a client certificate ({@link hasCertificate}).
 * If hits skip nothing, only the framework's own functions ran. They read the headers that `LaneRoute` lists by name.
 */

/** The part of a request that identifies its caller, as Node received it. */
export type CallerRequest = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'socket'>;

const ENTITY_TAG = 'if-none-match';

/**
 * Writes all headers and the address of a request as text. It reads the headers as received, because middleware may change
 * `headers`.
 */
export function wholeForm({ rawHeaders, socket }: CallerRequest): string {
  let text = addressOf(socket);
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length === ENTITY_TAG.length && name.toLowerCase() === ENTITY_TAG) continue;
    // Neither a name nor a value can contain a line feed, nor a name a colon, so the text is unambiguous.
    text += `\n${name}:${rawHeaders[at + 1]!}`;
  }
  return text;
}

/** The address of the caller's end of a connection; empty for a socket in the file system. */
export function addressOf(socket: CallerRequest['socket'] | undefined): string {
  return socket?.remoteAddress ?? '';
}

/** True if the server asked the caller for a certificate. */
export function hasCertificate(socket: CallerRequest['socket']): boolean {
  const { authorized, authorizationError: error } = socket as Partial<TLSSocket>;
  return authorized === true || (error !== undefined && error !== null);
}

/** Headers that browsers and proxies send with any request, and that name no session or account. */
const OF_NO_ACCOUNT = new Set(
  (
    'accept accept-charset accept-encoding accept-language accept-version alt-used cache-control cdn-loop cf-connecting-ip ' +
    'cf-ipcountry cf-ray cf-visitor connection content-type device-memory dnt downlink dpr early-data ect forwarded ' +
    'from-cache host if-modified-since if-none-match keep-alive origin pragma priority purpose referer rtt save-data ' +
    'sec-gpc te traceparent tracestate true-client-ip upgrade-insecure-requests user-agent via viewport-width width ' +
    'x-amzn-trace-id x-b3-parentspanid x-b3-sampled x-b3-spanid x-b3-traceid x-client-ip x-correlation-id x-forwarded-for ' +
    'x-forwarded-host x-forwarded-port x-forwarded-proto x-forwarded-scheme x-forwarded-server ' +
    'x-original-forwarded-for x-real-ip x-request-id x-request-start x-requested-with x-scheme'
  ).split(' '),
);
/** Families of headers that only browsers send. A program may send any other name that begins with `sec-`. */
const BROWSERS_OWN = /^sec-(?:fetch|ch)-/;

/**
 * True if a request has a cookie, or a header that may name a session or an account.
 * @param keptApart names of headers whose values separate the learned responses.
 */
export function mayNameCaller(headers: Readonly<Record<string, unknown>>, keptApart: readonly string[]): boolean {
  for (const name in headers) {
    if (OF_NO_ACCOUNT.has(name)) continue;
    if (name === 'cookie') return true;
    if (!BROWSERS_OWN.test(name) && !keptApart.includes(name)) return true;
  }
  return false;
}
