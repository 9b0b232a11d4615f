import type { CacheLog } from '../base/cache-log.js';
import type { Clock } from '../base/clock.js';
import type { LogCode } from '../base/log-codes.js';
import type { CachesByServer } from './caches-by-server.js';

/** The codes that begin an outage of a layer, each with the code of its end. */
const OUTAGES: ReadonlyMap<LogCode, LogCode> = new Map([
  ['LAYER_LOST', 'LAYER_RESTORED'],
  ['LAYER_FAILED', 'LAYER_RESTORED'],
  ['CIRCUIT_OPEN', 'CIRCUIT_CLOSED'],
]);
const ENDS: ReadonlySet<LogCode> = new Set(OUTAGES.values());
/** For this long after the first line, other caches that report the same cause add none. */
const TOGETHER_MS = 60_000;
/** A refusal of the server in a message, such as `(WRONGPASS)`; codes of the system, such as `(ECONNREFUSED)`, say that there is no server. */
const REFUSAL = /\((?!E(?!RR_)[A-Z_]+\))([A-Z][A-Z_]+)\)/;

/** An outage of a server, as its caches have reported it. */
interface Outage {
  readonly server: unknown;
  readonly begin: LogCode;
  /** The caches whose end has not come. */
  readonly caches: Set<string>;
  /** When a line was written last, by its cause. */
  readonly written: Map<string, number>;
}

/**
 * Logs the outage of a server that several caches use once, with their names: a line is not repeated for another cache with the same
 * cause, and the end is logged when the last of them reports it. A cause is that the server is away, or its refusal.
 */
export class OutageLog {
  readonly #outages: Outage[] = [];

  constructor(
    private readonly servers: CachesByServer,
    private readonly clock: Clock,
  ) {}

  /** The log of a cache. @param named whether each of its entries names the cache. */
  of(cache: string, log: CacheLog, named: boolean): CacheLog {
    const own = named ? { cache } : {};
    return (level, code, message, details = {}) => {
      const layer = details['layer'] ?? details['subject'];
      const server = isOfOutage(code) && typeof layer === 'string' ? this.servers.serverOf(cache, layer) : undefined;
      const caches = server === undefined ? [] : this.servers.cachesOf(server);
      if (caches.length < 2) log(level, code, message, { ...details, ...own });
      else if (this.#isNew(server, cache, code, message))
        log(level, code, message, { ...details, caches: caches.join(', ') });
    };
  }

  #isNew(server: unknown, cache: string, code: LogCode, message: string): boolean {
    return ENDS.has(code) ? this.#ended(server, cache, code) : this.#began(server, cache, code, message);
  }

  #began(server: unknown, cache: string, begin: LogCode, message: string): boolean {
    let outage = this.#outages.find((one) => one.server === server && one.begin === begin);
    if (outage === undefined) {
      outage = { server, begin, caches: new Set(), written: new Map() };
      this.#outages.push(outage);
    }
    const { caches, written } = outage;
    caches.add(cache);
    const cause = REFUSAL.exec(message)?.[1] ?? '';
    const now = this.clock.now();
    if (now - (written.get(cause) ?? -Infinity) <= TOGETHER_MS) return false;
    written.set(cause, now);
    return true;
  }

  /** Whether the last cache has reported the end, or none the beginning. */
  #ended(server: unknown, cache: string, end: LogCode): boolean {
    const ending = this.#outages.filter((one) => one.server === server && OUTAGES.get(one.begin) === end);
    for (const { caches } of ending) caches.delete(cache);
    const over = ending.filter(({ caches }) => caches.size === 0);
    for (const outage of over) this.#outages.splice(this.#outages.indexOf(outage), 1);
    return over.length === ending.length;
  }
}

function isOfOutage(code: LogCode): boolean {
  return OUTAGES.has(code) || ENDS.has(code);
}
