import type { Entry } from '../../cache/entry.js';
import type { ClientCacheControl } from './client-cache.js';
import type { ResponseFace } from './response-face.js';

/** What X-Cache says. */
export type XCache = 'HIT' | 'MISS' | 'STALE' | 'BYPASS';

/** The headers that tell clients and proxies how an answer came to be and whose it is; decided once a handler. */
export class AnswerHeaders {
  readonly #face: ResponseFace;
  readonly #level: 'minimal' | 'standard' | false;
  readonly #name: string;
  readonly #now: () => number;
  readonly #vary: readonly string[];
  readonly #private: boolean;
  readonly #clientCache: ClientCacheControl | undefined;

  constructor(options: {
    readonly face: ResponseFace;
    readonly level: 'minimal' | 'standard' | false;
    /** The cache's name in `Cache-Status`. */
    readonly name: string;
    readonly now: () => number;
    readonly vary: readonly string[];
    readonly private: boolean;
    readonly clientCache: ClientCacheControl | undefined;
  }) {
    this.#face = options.face;
    this.#level = options.level;
    this.#name = /^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/.test(options.name) ? options.name : JSON.stringify(options.name);
    this.#now = options.now;
    this.#vary = options.vary;
    this.#private = options.private;
    this.#clientCache = options.clientCache;
  }

  /** Of an answer out of the cache. */
  hit(response: object, entry: Entry, stale: boolean): void {
    if (this.#level !== false) {
      this.#face.setHeader(response, 'x-cache', stale ? 'STALE' : 'HIT');
      if (this.#level === 'standard') this.#standard(response, entry);
    }
    this.#dependencies(response, entry);
  }

  /** What {@link hit} says of an entry that would be different at another time, by the name of the header. */
  timed(entry: Entry): (name: string) => string | undefined {
    return (name) => {
      if (name === 'age' && this.#level === 'standard') return this.#age(entry, this.#now());
      if (name === 'cache-status' && this.#level === 'standard') return this.#hitStatus(entry, this.#now());
      return name === 'cache-control' ? this.#clientCache?.(entry.freshUntil - this.#now()) : undefined;
    };
  }

  /** Of an answer that its handler made for this request, or for another that asked the same meanwhile. */
  miss(response: object, entry: Entry | undefined, collapsed: boolean): void {
    if (this.#level !== false) {
      this.#face.setHeader(response, 'x-cache', 'MISS');
      if (this.#level === 'standard') {
        const stored = entry !== undefined && !collapsed ? '; stored' : '';
        this.#face.setHeader(
          response,
          'cache-status',
          `${this.#name}; fwd=miss${collapsed ? '; collapsed' : ''}${stored}`,
        );
      }
    }
    this.#dependencies(response, entry);
  }

  /** @param why RFC 9211 §2.2's `fwd`, and a detail of ours. */
  bypass(response: object, why: string): void {
    if (this.#level === false) return;
    this.#face.setHeader(response, 'x-cache', 'BYPASS');
    if (this.#level === 'standard') this.#face.setHeader(response, 'cache-status', `${this.#name}; ${why}`);
  }

  #standard(response: object, entry: Entry): void {
    const now = this.#now();
    this.#face.setHeader(response, 'cache-status', this.#hitStatus(entry, now));
    this.#face.setHeader(response, 'age', this.#age(entry, now));
  }

  #hitStatus(entry: Entry, now: number): string {
    const left = entry.freshUntil === Infinity ? '' : `; ttl=${Math.floor((entry.freshUntil - now) / 1_000)}`;
    return `${this.#name}; hit${left}`;
  }

  #age(entry: Entry, now: number): string {
    return String(Math.max(0, Math.floor((now - entry.createdAt) / 1_000)));
  }

  #dependencies(response: object, entry: Entry | undefined): void {
    if (this.#vary.length > 0) this.#addVary(response);
    if (this.#clientCache !== undefined && entry !== undefined) {
      this.#cacheControl(response, this.#clientCache(entry.freshUntil - this.#now()));
    } else if (this.#private) this.#cacheControl(response, 'private');
  }

  #cacheControl(response: object, value: string): void {
    if (this.#face.header(response, 'cache-control') === undefined)
      this.#face.setHeader(response, 'cache-control', value);
  }

  #addVary(response: object): void {
    const present = this.#face.header(response, 'vary');
    if (present === undefined) return this.#face.setHeader(response, 'vary', this.#vary.join(', '));
    const names = (Array.isArray(present) ? present : [String(present)]).flatMap((value) => value.split(/\s*,\s*/));
    const known = new Set(names.map((name) => name.toLowerCase()));
    if (known.has('*')) return;
    const added = this.#vary.filter((name) => !known.has(name));
    if (added.length > 0) this.#face.setHeader(response, 'vary', [...names, ...added].join(', '));
  }
}
