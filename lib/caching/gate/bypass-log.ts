import type { CacheLog } from '../../cache/base/cache-log.js';
import { BypassReason } from '../../cache/base/observer.js';

/** After this many requests of a handler bypassed the cache for one reason and none was admitted, a warning is logged. */
const REQUESTS = 20;

/** Logs one warning for a handler whose requests all bypass the cache for a reason that no other message reports. */
export class BypassLog {
  #done = false;
  #last: string | undefined;
  #count = 0;

  /**
   * @param owner for messages: `ProductController.find()`.
   * @param whyUnidentified why the key does not name the caller although the handler has `vary` or `key`. It is logged with
   *   the first request that has `Authorization`. Undefined if the handler has neither option.
   */
  constructor(
    private readonly owner: string,
    private readonly pattern: string,
    private readonly whyUnidentified: string | undefined,
    private readonly log: CacheLog,
  ) {}

  /** Call this when the cache may answer a request of the handler. After that nothing is logged. */
  admitted(): void {
    this.#done = true;
  }

  /** @param name the reason as written in `X-Cache`. */
  bypassed(reason: BypassReason, name: string): void {
    if (this.#done || !LOGGED_HERE.has(reason)) return;
    if (reason === BypassReason.authorization && this.whyUnidentified !== undefined) {
      this.#warn(
        name,
        `a request with Authorization bypassed the cache, as every such request does: ${this.whyUnidentified}.`,
      );
      return;
    }
    this.#count = name === this.#last ? this.#count + 1 : 1;
    this.#last = name;
    if (this.#count === REQUESTS) {
      this.#warn(name, `each of its first ${REQUESTS} requests bypassed the cache: ${CAUSES[name] ?? name}.`);
    }
  }

  #warn(reason: string, what: string): void {
    this.#done = true;
    this.log('warn', 'ALWAYS_BYPASSED', `${this.owner}: ${what}`, { pattern: this.pattern, reason });
  }
}

/** The reasons that are logged here. Missing inputs and failed keys have messages of their own. */
const LOGGED_HERE: ReadonlySet<BypassReason> = new Set([
  BypassReason.authorization,
  BypassReason.method,
  BypassReason.directive,
]);

/** Causes and remedies by reason. */
const CAUSES: Readonly<Record<string, string>> = {
  authorization:
    "they have Authorization, and the key names no caller. Add `vary`, for instance `vary: ['user.id']`, or `shared: true` if " +
    'all callers get the same',
  method: 'the handler does not cache their HTTP method. List it in `methods`',
  'no-store': 'they have Cache-Control: no-store. Remove `honorRequestDirectives` to answer them from the cache',
  'only-if-cached': 'they have Cache-Control: only-if-cached, and nothing is stored',
};
