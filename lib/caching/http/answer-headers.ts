import type { Entry } from '../../cache/entries/entry.js';
import type { Bypass } from '../gate/request-gate.js';
import type { ClientCacheControl } from './client-cache.js';
import type { ResponseAdapter } from './response-adapter.js';

/** The options for one handler's response headers, resolved at boot. */
export interface AnswerHeaderOptions {
  readonly responses: ResponseAdapter;
  readonly level: 'minimal' | 'standard' | false;
  /** The cache's name in `Cache-Status`. */
  readonly name: string;
  readonly now: () => number;
  /** Request headers on which the response depends, lower case; `*` if they are unknown. */
  readonly vary: readonly string[];
  /** True if responses differ by caller. */
  readonly private: boolean;
  readonly clientCache: ClientCacheControl | undefined;
}

/** How the cache answered a miss. */
export interface MissDetails {
  /** True if the request joined the load of another one. */
  readonly collapsed: boolean;
  /** True if the client refused a stored response. */
  readonly reload: boolean;
}

/** Sets the response headers about caching: `X-Cache`, `Cache-Status`, `Age`, `Vary`, `Cache-Control`. */
export class AnswerHeaders {
  readonly #responses: ResponseAdapter;
  readonly #level: AnswerHeaderOptions['level'];
  readonly #name: string;

  constructor(private readonly options: AnswerHeaderOptions) {
    this.#responses = options.responses;
    this.#level = options.level;
    const { name } = options;
    this.#name = /^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/.test(name) ? name : JSON.stringify(name);
  }

  /** Sets the headers of a response from the cache. */
  hit(response: object, entry: Entry, stale: boolean): void {
    if (this.#level !== false) {
      this.#responses.setHeader(response, 'x-cache', stale ? 'STALE' : 'HIT');
      if (this.#level === 'standard') this.#standard(response, entry);
    }
    this.#dependencies(response, entry);
  }

  /** Creates the headers of {@link hit} that change with time, by name. */
  timed(entry: Entry): (name: string) => string | undefined {
    const { now, clientCache } = this.options;
    return (name) => {
      if (name === 'age' && this.#level === 'standard') return age(entry, now());
      if (name === 'cache-status' && this.#level === 'standard') return this.#hitStatus(entry, now());
      return name === 'cache-control' ? clientCache?.(entry.freshUntil - now()) : undefined;
    };
  }

  /** Sets the headers of a response that the handler created for this request or for a request that it joined. */
  miss(response: object, entry: Entry | undefined, { collapsed, reload }: MissDetails): void {
    if (this.#level !== false) {
      this.#responses.setHeader(response, 'x-cache', 'MISS');
      if (this.#level === 'standard') {
        const forward = reload ? 'request' : 'miss';
        const stored = collapsed ? '; collapsed' : entry === undefined ? '' : '; stored';
        this.#responses.setHeader(response, 'cache-status', `${this.#name}; fwd=${forward}${stored}`);
      }
    }
    this.#dependencies(response, entry);
  }

  /** Sets the headers of a response that bypassed the cache. */
  bypass(response: object, { xCache, status }: Bypass): void {
    if (this.#level !== false) {
      this.#responses.setHeader(response, 'x-cache', xCache);
      if (this.#level === 'standard') this.#responses.setHeader(response, 'cache-status', `${this.#name}; ${status}`);
    }
    this.#dependencies(response, undefined);
  }

  #standard(response: object, entry: Entry): void {
    const now = this.options.now();
    this.#responses.setHeader(response, 'cache-status', this.#hitStatus(entry, now));
    this.#responses.setHeader(response, 'age', age(entry, now));
  }

  #hitStatus(entry: Entry, now: number): string {
    const left = entry.freshUntil === Infinity ? '' : `; ttl=${Math.floor((entry.freshUntil - now) / 1_000)}`;
    return `${this.#name}; hit${left}`;
  }

  #dependencies(response: object, entry: Entry | undefined): void {
    const { vary, clientCache, now } = this.options;
    if (vary.length > 0) this.#addVary(response, vary);
    if (clientCache !== undefined && entry !== undefined) {
      const control = clientCache(entry.freshUntil - now());
      // A cookie that was set before the handler ran belongs to one client, so the response belongs to that client too.
      const isOneClients = control.startsWith('public') && this.#responses.header(response, 'set-cookie') !== undefined;
      this.#cacheControl(response, isOneClients ? control.replace('public', 'private') : control);
    } else if (this.options.private) this.#cacheControl(response, 'private');
  }

  #cacheControl(response: object, value: string): void {
    if (this.#responses.header(response, 'cache-control') === undefined)
      this.#responses.setHeader(response, 'cache-control', value);
  }

  #addVary(response: object, vary: readonly string[]): void {
    const present = this.#responses.header(response, 'vary');
    const names =
      present === undefined
        ? []
        : (Array.isArray(present) ? present : [String(present)]).flatMap((value) => value.split(/\s*,\s*/));
    const known = new Set(names.map((name) => name.toLowerCase()));
    const added = vary.filter((name) => !known.has(name));
    if (known.has('*') || added.length === 0) return;
    this.#responses.setHeader(response, 'vary', added.includes('*') ? '*' : [...names, ...added].join(', '));
  }
}

function age(entry: Entry, now: number): string {
  return String(Math.max(0, Math.floor((now - entry.createdAt) / 1_000)));
}
