import { randomUUID } from 'node:crypto';
import type { HttpRequest } from './http-request.js';

/** The header with a random token that identifies a request of warming; it is unknown outside the process. */
const HEADER = 'x-cache-warming';

/** A request that warming sends through the application, and its result. */
export interface WarmingVisit {
  /** The key of the request's entry; undefined if it reached no cached handler or bypassed the cache. */
  key?: string;
  /** False if the entry was already fresh, or is not stored. */
  warmed?: boolean;
  /** True if the handler has no key for such a request. */
  bypassed?: boolean;
}

/** Recognises the requests of warming: they count neither as hits nor as misses, and use the handler's key unchanged. */
export class WarmingRequests {
  readonly #visits = new Map<string, WarmingVisit>();

  /** Sends a request. @param send gets the headers that identify the request. */
  async visit<T>(
    send: (headers: Readonly<Record<string, string>>) => Promise<T>,
  ): Promise<{ readonly answer: T; readonly visit: WarmingVisit }> {
    const token = randomUUID();
    const visit: WarmingVisit = {};
    this.#visits.set(token, visit);
    try {
      return { answer: await send({ [HEADER]: token }), visit };
    } finally {
      this.#visits.delete(token);
    }
  }

  /** Returns the visit of a request; undefined for requests of clients. */
  visitOf({ headers }: Pick<HttpRequest, 'headers'>): WarmingVisit | undefined {
    if (this.#visits.size === 0) return undefined;
    const token = headers[HEADER];
    return typeof token === 'string' ? this.#visits.get(token) : undefined;
  }
}
