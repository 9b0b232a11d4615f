import { randomUUID } from 'node:crypto';
import type { HttpRequest } from './http-request.js';

/** Names the request to the handler that answers it; a token nobody outside the process can know. */
const HEADER = 'x-cache-warming';

/** A request that warming sends through the application, and what its handler said of it. */
export interface WarmingVisit {
  /** Its entry; undefined where no cached handler was reached, or went past the cache. */
  key?: string;
  /** False where the entry was fresh already, or is not kept. */
  warmed?: boolean;
  /** True where the handler has no key for such a request. */
  bypassed?: boolean;
}

/** Tells warming's own requests from real ones: they are nobody's hits and misses, and reach the handler's key as it is. */
export class WarmingRequests {
  readonly #visits = new Map<string, WarmingVisit>();

  /** Sends one. @param send with the headers that tell it. */
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

  /** The visit a request is; undefined for real ones. */
  visitOf({ headers }: Pick<HttpRequest, 'headers'>): WarmingVisit | undefined {
    if (this.#visits.size === 0) return undefined;
    const token = headers[HEADER];
    return typeof token === 'string' ? this.#visits.get(token) : undefined;
  }
}
