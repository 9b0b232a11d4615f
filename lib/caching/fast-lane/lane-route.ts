import type { Entry } from '../../cache/entries/entry.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { ReadPlan } from '../../cache/policies/read-plan.js';
import type { RequestGate } from '../gate/request-gate.js';
import type { TimedHeaders } from './header-list.js';
import type { LaneChoice } from './fast-lane.options.js';
import { addressOf, type CallerRequest, hasCertificate, mayNameCaller, wholeForm } from './caller-form.js';

/** Request headers that code before a handler may read even if no `Vary` names them. */
const ALWAYS = ['origin', 'accept-encoding', 'x-forwarded-proto'] as const;
/** Separates learned responses once hits skip middleware. */
const AUTHORIZATION = 'authorization';
/** Identifies no caller; `Access-Control-Allow-Origin` can have this value. */
const ANYTHING = '*';
/** Counts only from a proxy that the framework trusts, by its IP address. */
const FORWARDED_HOST = 'x-forwarded-host';

/** One handler of the lane, with the request headers that its responses depend on. */
export class LaneRoute {
  /** False once the lane found a function that must run on the handler's hits. */
  open = true;
  /** True once the functions before the handler were checked while requests run. */
  checked = false;
  /** True once the handler's hits skip functions of the application. */
  skips = false;
  /** Separates older from newer learned responses. */
  #generation = 0;
  #names: string[];

  /**
   * @param owner for messages: `FeedController.discover()`.
   * @param timed creates the headers that depend on time.
   * @param keyHeaders request headers in the handler's keys, lower case; includes `host` if hosts select routes.
   * @param id the route's number in the lane.
   */
  constructor(
    readonly cache: LayeredCache,
    readonly plan: ReadPlan,
    readonly owner: string,
    readonly gate: RequestGate,
    readonly timed: (entry: Entry) => TimedHeaders,
    readonly choice: LaneChoice,
    keyHeaders: readonly string[],
    private readonly id: number,
  ) {
    this.#names = [...new Set([...ALWAYS, ...keyHeaders])];
  }

  /** Writes everything in a request on which a response may depend as text. */
  form(request: CallerRequest): string {
    if (this.skips) return wholeForm(request);
    const names = this.#names;
    const { headers } = request;
    let text = '';
    for (let index = 0; index < names.length; index++) {
      const value = headers[names[index]!];
      // A header cannot contain a line feed, so the text is unambiguous.
      text += value === undefined ? '\n' : `=${String(value)}\n`;
      if (value !== undefined && names[index] === FORWARDED_HOST) text += addressOf(request.socket);
    }
    return text;
  }

  /** Yields the header values of a request that are not part of its form. */
  *unkeyed(headers: CallerRequest['headers']): Iterable<string> {
    if (this.skips) return;
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined || value === '' || value === ANYTHING || this.#names.includes(name)) continue;
      yield String(value);
    }
  }

  /** Adds request headers on which responses depend. True if one was new: then earlier learned responses are invalid. */
  dependOn(names: readonly string[]): boolean {
    const added = names.filter((name) => name !== '' && !this.#names.includes(name));
    if (added.length === 0) return false;
    this.#names = [...this.#names, ...new Set(added)];
    this.#generation++;
    return true;
  }

  /** Records that the handler's hits skip functions of the application. */
  skip(): void {
    if (this.skips) return;
    this.skips = true;
    this.dependOn([AUTHORIZATION]);
  }

  /** True if the full path must answer this request, because skipped middleware may keep changing state about its caller. */
  isPersonal({ headers, socket }: CallerRequest): boolean {
    return this.skips && (mayNameCaller(headers, this.#names) || hasCertificate(socket));
  }

  /** Names the header list of one kind of response to one form of request. All URLs of the handler share the list. */
  listName(form: string, kind: string): string {
    return `${this.id}.${this.#generation} ${kind}${form}`;
  }
}
