import type { Entry } from '../../cache/entries/entry.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { ReadPlan } from '../../cache/policies/read-plan.js';
import type { RequestGate } from '../gate/request-gate.js';
import type { TimedHeaders } from './header-list.js';
import type { LaneChoice } from './fast-lane.options.js';
import { addressOf, type CallerRequest, hasCertificate, mayNameCaller, wholeForm } from './caller-form.js';

/** Request headers that code before a handler may use, even if no `Vary` names them. */
const ALWAYS = ['origin', 'accept-encoding', 'x-forwarded-proto'] as const;
/** Separates responses even if hits skip middleware. */
const AUTHORIZATION = 'authorization';
/** Identifies no caller; `Access-Control-Allow-Origin` can have this value. */
const ANYTHING = '*';
/** Counts only from a proxy that the framework trusts, by its IP address. */
const FORWARDED_HOST = 'x-forwarded-host';

/** One handler of the lane, with the request headers that its responses depend on. */
export class LaneRoute {
  /** False once a function was found that must run on its hits. */
  open = true;
  /** True once the code before it was checked while requests ran. */
  checked = false;
  /** True once its hits skip code of the application. */
  skips = false;
  /** Separates older from newer learned responses. */
  #generation = 0;
  #names: string[];

  /**
   * @param owner for messages: `FeedController.discover()`.
   * @param timed creates the headers that depend on time.
   * @param keyHeaders request headers in the handler's keys, lower case; includes `host` if hosts select routes.
   * @param id its number in the lane.
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

  /** Everything in a request that a response may depend on, as text. */
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

  /** Header values of a request that its form leaves out. */
  *unkeyed(headers: CallerRequest['headers']): Iterable<string> {
    if (this.skips) return;
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined || value === '' || value === ANYTHING || this.#names.includes(name)) continue;
      yield String(value);
    }
  }

  /** Adds request headers that responses depend on; true if one was new, so that earlier learned responses are invalid. */
  dependOn(names: readonly string[]): boolean {
    const added = names.filter((name) => name !== '' && !this.#names.includes(name));
    if (added.length === 0) return false;
    this.#names = [...this.#names, ...new Set(added)];
    this.#generation++;
    return true;
  }

  /** Records that its hits skip code of the application. */
  skip(): void {
    if (this.skips) return;
    this.skips = true;
    this.dependOn([AUTHORIZATION]);
  }

  /** True if the full path must answer the caller, because the state that skipped middleware has about them may change. */
  isPersonal({ headers, socket }: CallerRequest): boolean {
    return this.skips && (mayNameCaller(headers, this.#names) || hasCertificate(socket));
  }

  /** Names a kind of response to a form of request, for lists that all URLs of the handler share. */
  listName(form: string, kind: string): string {
    return `${this.id}.${this.#generation} ${kind}${form}`;
  }
}
