import type { CachesByServer } from '../../cache/layers/caches-by-server.js';
import { isInUse } from '../../cache/layers/layer.js';
import { type Alert, type AlertChange, type Condition, newestFirst } from './alert.js';
import { AlertBook } from './alert-book.js';

/*
 * Opens one alert for one outage of a server, even if several caches of an application use it.
 *
 * Each cache watches its own layers and reports the lost ones here. Each server has a book, which opens one alert for the first cache that
 * reports and closes it after the last. Every cache that the outage concerns lists this alert, with the same id. One of
 * them logs it and notifies of it; it is always the same one, so that all instances of a fleet use the same lease.
 */

/** The methods of a cache that are called when one of its alerts opens or closes. */
export interface OutageListener {
  /** Calls the listeners of this cache. */
  heard(change: AlertChange): void;
  /** Logs and sends the alert, once for all caches. */
  notify(change: AlertChange): void;
}

/** The outages of one server. */
interface ServerBook {
  readonly server: unknown;
  readonly book: AlertBook;
  /** The name of the layer in the first cache that reported it. */
  readonly subject: string;
  /** The last conditions of each cache. */
  readonly found: Map<string, readonly Condition[]>;
  /** The caches that each alert concerns, by its id. */
  readonly concerned: Map<string, Set<string>>;
}

/** The alerts about lost layers, of all caches of an application. */
export class ServerOutages {
  readonly #books: ServerBook[] = [];
  readonly #listeners = new Map<string, OutageListener>();

  constructor(private readonly servers: CachesByServer) {}

  /** Adds a cache. */
  join(cache: string, listener: OutageListener): void {
    this.#listeners.set(cache, listener);
  }

  /** Removes a cache, which is closing. */
  leave(cache: string): void {
    this.#listeners.delete(cache);
    for (const { found } of this.#books) found.delete(cache);
  }

  /** The alerts that concern a cache, newest first. */
  alerts(cache: string, state: 'open' | 'all'): readonly Alert[] {
    const all = this.#books.flatMap((one) =>
      one.book
        .alerts(state)
        .flatMap((alert) => (one.concerned.get(alert.id)?.has(cache) ? this.#named(one, alert) : [])),
    );
    return newestFirst(all);
  }

  /** Takes all conditions of a cache about lost layers: an alert closes if its condition is not among them. */
  report(cache: string, conditions: readonly Condition[], now: number): void {
    const byServer = new Map<unknown, Condition[]>(
      this.#books.filter(({ found }) => found.has(cache)).map(({ server }) => [server, []]),
    );
    for (const condition of conditions) {
      const server = this.servers.serverOf(cache, condition.subject) ?? `${cache} ${condition.subject}`;
      byServer.set(server, [...(byServer.get(server) ?? []), condition]);
    }
    for (const [server, found] of byServer) this.#update(this.#bookOf(server, found), cache, found, now);
  }

  #bookOf(server: unknown, found: readonly Condition[]): ServerBook {
    let one = this.#books.find((book) => book.server === server);
    if (one === undefined) {
      const subject = found[0]!.subject;
      one = { server, book: new AlertBook(), subject, found: new Map(), concerned: new Map() };
      this.#books.push(one);
    }
    return one;
  }

  #update(one: ServerBook, cache: string, conditions: readonly Condition[], now: number): void {
    const { book, subject, found, concerned } = one;
    found.set(cache, conditions);
    const all = [...found.values()].flat().map((condition) => ({ ...condition, subject }));
    const changes = book.update(all, now);
    for (const { state, alert } of changes) if (state === 'opened') concerned.set(alert.id, this.#lostIn(one));
    for (const { id } of book.alerts('open'))
      for (const [name, own] of found) if (own.length > 0) concerned.get(id)!.add(name);
    for (const { state, alert } of changes) this.#announce(one, { state, alert: this.#named(one, alert) });
    const kept = new Set(book.alerts('all').map(({ id }) => id));
    for (const id of concerned.keys()) if (!kept.has(id)) concerned.delete(id);
  }

  /** Returns the caches whose layers on the server are away now; some may not have reported it yet. */
  #lostIn({ server }: ServerBook): Set<string> {
    const lost = this.servers.usersOf(server).filter(({ layer }) => !isInUse(layer.status()));
    return new Set(lost.map(({ cache }) => cache));
  }

  #announce(one: ServerBook, change: AlertChange): void {
    const caches = this.#usersOf(one);
    const concerned = one.concerned.get(change.alert.id)!;
    this.#listeners.get(caches.find((cache) => this.#listeners.has(cache))!)?.notify(change);
    for (const cache of caches) if (concerned.has(cache)) this.#listeners.get(cache)?.heard(change);
  }

  /** Adds the names of the caches that the alert concerns, if several use the server. */
  #named(one: ServerBook, alert: Alert): Alert {
    const users = this.#usersOf(one);
    if (users.length < 2) return alert;
    const concerned = one.concerned.get(alert.id)!;
    return Object.freeze({ ...alert, caches: Object.freeze(users.filter((cache) => concerned.has(cache))) });
  }

  #usersOf({ server, found }: ServerBook): readonly string[] {
    return [...new Set([...this.servers.cachesOf(server), ...found.keys()])];
  }
}
