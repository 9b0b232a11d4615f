import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CacheLog } from '../../cache/base/cache-log.js';
import type { Entry } from '../../cache/entries/entry.js';
import { type EncodedAnswer, encodedAnswer, isJson } from '../http/encoded-answer.js';
import type { EarlyParts } from '../http/early-hits.js';
import { noneMatch } from '../http/entity-tag.js';
import { howToSkip, type InFront, type LaneChoice, listed, unskippable } from './fast-lane.options.js';
import type { CallerRequest } from './caller-form.js';
import { HeaderList } from './header-list.js';
import { KnownAddress, type LearnedResponse, type LearnedForm } from './known-address.js';
import type { LaneFront } from './lane-front.js';
import { LaneMemory } from './lane-memory.js';
import { LaneRoute } from './lane-route.js';

/** The part of a request that the lane reads, with any adapter. */
export interface LaneRequest {
  readonly method: string;
  /** The URL as it arrived. */
  readonly originalUrl?: string;
  readonly headers: IncomingMessage['headers'];
  /** Node's request, if the framework has its own request object. */
  readonly raw?: CallerRequest;
}

const LONGEST_ADDRESS = 2_048;
/** The longest form of a request, characters. */
const LONGEST_FORM = 4_096;

/**
 * Answers hits before the framework. It does not route or parse. When the full path answers a URL from the cache, the lane
 * learns the exact text of that URL with the handler, the key and the headers of the response. All other requests take the full
 * path.
 */
export class FastLane {
  readonly #memory = new LaneMemory();
  readonly #warned = new WeakSet<LaneRoute>();
  #open = false;
  #listeners: readonly InFront[] = [];
  readonly #routes: LaneRoute[] = [];

  /** @param front the code between the server and the handlers. */
  constructor(
    readonly front: Pick<LaneFront, 'everywhere' | 'before' | 'selectors' | 'changed'>,
    private readonly now: () => number,
    private readonly log: CacheLog,
  ) {}

  /** Adds a handler whose hits the lane may answer. */
  add({ cache, plan, owner, gate, timed }: EarlyParts, choice: LaneChoice, keyHeaders: readonly string[]): LaneRoute {
    const route = new LaneRoute(cache, plan, owner, gate, timed, choice, keyHeaders, this.#routes.length);
    this.#routes.push(route);
    return route;
  }

  /** True if any handler uses the lane. */
  get wanted(): boolean {
    return this.#routes.length > 0;
  }

  /** @param listeners other `request` listeners of the server, which do not run for hits. */
  open(listeners: readonly InFront[]): void {
    this.#open = true;
    this.#listeners = listeners;
  }

  /** Sends every request to the full path from now on. */
  close(): void {
    this.#open = false;
    this.#memory.clear();
  }

  /** True if the request was answered. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    if (!this.#open || this.#hasChanged()) return false;
    const address = this.#memory.address(request.method, request.url!);
    if (address === undefined) return false;
    const { route } = address;
    const { headers } = request;
    if (!isPlainRequest(headers) || !route.open || !route.gate.admits(request)) return false;
    if (route.isPersonal(request)) return false;
    const learned = address.learned(route.form(request));
    if (learned === undefined) return false;
    const asked = headers['if-none-match'];
    if (route.skips && asked !== undefined && asked !== learned.tag) return false;
    const now = this.now();
    const whole = learned.whole.list(now);
    // Whether the entry changed is known only after the hit is counted, so both header lists must be ready before.
    const notModified = asked === undefined ? undefined : learned.notModified.list(now);
    if (whole === undefined || (asked !== undefined && notModified === undefined)) return false;
    const entry = route.cache.fresh(learned.key, route.plan);
    if (entry === undefined) return false;
    const answer = isPlain(entry) ? encodedAnswer(entry) : undefined;
    if (answer === undefined) {
      // The entry has a status, headers or bytes now: forget the URL and leave the request to the full path.
      this.#memory.forget(request.method, request.url!);
      return false;
    }
    if (asked !== undefined && notModified !== undefined && noneMatch(asked, answer.tag)) {
      response.writeHead(304, pairs(learned.notModified, notModified, answer, route, entry)).end();
      return true;
    }
    response.writeHead(200, pairs(learned.whole, whole, answer, route, entry));
    if (request.method === 'HEAD') response.end();
    else response.end(answer.text, answer.oneByte ? 'latin1' : 'utf8');
    return true;
  }

  /** Learns from the full path's response to a hit. */
  watch(route: LaneRoute, request: LaneRequest, response: ServerResponse, key: string, entry: Entry): void {
    if (!this.#open || !route.open || !isPlain(entry)) return;
    this.#hasChanged();
    const { method, originalUrl: url, headers } = request;
    if (url === undefined || url.length > LONGEST_ADDRESS) return;
    if (!isPlainRequest(headers) || !route.gate.admits(request)) return;
    const known = this.#memory.address(method, url);
    if (known?.route !== route && !this.#complete(route, request)) return;
    const raw = request.raw ?? (request as unknown as CallerRequest);
    if (route.isPersonal(raw)) return;
    const form = route.form(raw);
    if (form.length > LONGEST_FORM) return;
    const address = known?.route === route ? known : new KnownAddress(route);
    const now = this.now();
    const learned = address.learn(form, key);
    if (!this.#memory.keep(method, url, address)) return;
    const asked = headers['if-none-match'];
    const conditional = asked !== undefined;
    if (route.skips) {
      learned.tag = encodedAnswer(entry)?.tag;
      // Skipped middleware may have derived headers from another tag.
      if (conditional && asked !== learned.tag) return;
    }
    if (!learned.whole.wanted(now) && !(conditional && learned.notModified.wanted(now))) return;
    this.#watchEnd(response, (body) => {
      this.#learn(route, request, response, learned, form, entry, body);
      this.#memory.resize(method, url, address);
    });
  }

  /** Closes the lane after an internal error, so that no request fails because of it. */
  failed(error: unknown): void {
    this.close();
    this.log('error', 'FAST_LANE_FAILED', 'The fast lane failed and is closed; hits go the full path.', {
      cause: error,
    });
  }

  /** Forgets all learned responses if code before handlers was added or replaced. */
  #hasChanged(): boolean {
    if (!this.front.changed()) return false;
    this.#memory.clear();
    for (const route of this.#routes) route.checked = false;
    return true;
  }

  /**
   * Checks the code before a handler while requests run: for each URL the code before this handler, and once more the code that
   * every request passes, because plugins may add hooks and routes later.
   */
  #complete(route: LaneRoute, request: LaneRequest): boolean {
    const ofAll = route.checked ? [] : [...this.#listeners, ...this.front.everywhere()];
    const inFront = [...ofAll, ...this.front.before(request)];
    const selectors = route.checked ? [] : this.front.selectors();
    route.checked = true;
    route.dependOn(selectors ?? []);
    const left = unskippable(route.choice, inFront);
    if (inFront.length > left.length) route.skip();
    route.open &&= left.length === 0 && selectors !== undefined;
    if (!route.open) {
      this.log(
        'warn',
        'FAST_LANE_CLOSED',
        left.length === 0
          ? `${route.owner}: constraints of routes decide which handler an address means, so its hits go the full path.`
          : `${route.owner}: ${listed(left)} turned out to come before it, so its hits go the full path (${howToSkip(left)}).`,
      );
    }
    return route.open;
  }

  /** Calls `seen` with the body once the response was passed to Node. */
  #watchEnd(response: ServerResponse, seen: (body: unknown) => void): void {
    const own = Object.getOwnPropertyDescriptor(response, 'end');
    const failed = (error: unknown): void => this.failed(error);
    const end = response.end as (this: ServerResponse, ...args: unknown[]) => ServerResponse;
    const watched = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
      if (own === undefined) delete (response as { end?: unknown }).end;
      else Object.defineProperty(response, 'end', own);
      const result = end.apply(response, args);
      try {
        seen(args[0]);
      } catch (error) {
        failed(error);
      }
      return result;
    };
    Object.defineProperty(response, 'end', { value: watched, configurable: true, writable: true });
  }

  #learn(
    route: LaneRoute,
    request: LaneRequest,
    response: ServerResponse,
    learned: LearnedForm,
    form: string,
    entry: Entry,
    body: unknown,
  ): void {
    const { statusCode: status } = response;
    if (status !== 200 && status !== 304) return;
    // Only Node's head shows all sent headers in their order and spelling.
    const head = (response as { _header?: unknown })._header;
    const answer = encodedAnswer(entry);
    if (answer === undefined) return;
    const plain = status === 304 || request.method === 'HEAD' ? isEmpty(body) : isText(body, answer);
    const list =
      typeof head === 'string' && plain ? HeaderList.read(head, status, answer, route.timed(entry)) : undefined;
    if (list === undefined || route.dependOn(list.vary)) return;
    // A response that repeats a header of one caller must not be sent to other callers.
    for (const said of route.unkeyed(request.headers)) if (list.repeats(said)) return;
    const kind = `${request.method}${status}`;
    const seen = status === 304 ? learned.notModified : learned.whole;
    const name = route.listName(form, kind);
    const differences = seen.compare(list, this.now(), this.#memory.list(name));
    if (differences.length > 0) {
      this.#memory.forgetList(name);
      this.#warn(route, differences);
    } else if (seen.confirmed !== undefined) this.#memory.keepList(name, seen.confirmed);
  }

  #warn(route: LaneRoute, differences: readonly string[]): void {
    if (this.#warned.has(route)) return;
    this.#warned.add(route);
    this.log(
      'warn',
      'FAST_LANE_DIFFERS',
      `${route.owner}: two answers to one URL differ in ${[...new Set(differences)].join(', ')}, so such hits go the full path.`,
    );
  }
}

/** True for entries sent as text, without status or headers of their handler. */
function isPlain({ meta, value }: Entry): boolean {
  return meta === undefined && (isJson(value) || typeof value === 'string');
}

/** True for a request that the lane can answer like the full path: without ranges or other special headers. */
function isPlainRequest(headers: LaneRequest['headers']): boolean {
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return false;
  if (headers.range !== undefined || headers.expect !== undefined || headers.upgrade !== undefined) return false;
  if (headers['if-modified-since'] !== undefined || headers['if-match'] !== undefined) return false;
  // Express has its own rules for a reload with a condition, so leave it to the full path.
  return (
    headers['if-none-match'] === undefined || (headers['cache-control'] === undefined && headers.pragma === undefined)
  );
}

function pairs(
  seen: LearnedResponse,
  list: HeaderList,
  answer: EncodedAnswer,
  route: LaneRoute,
  entry: Entry,
): string[] {
  return seen.pairs(list, answer, list.lasting ? undefined : route.timed(entry));
}

function isEmpty(body: unknown): boolean {
  return (
    body === undefined ||
    body === null ||
    body === '' ||
    typeof body === 'function' ||
    (Buffer.isBuffer(body) && body.length === 0)
  );
}

function isText(body: unknown, answer: EncodedAnswer): boolean {
  return typeof body === 'string'
    ? body === answer.text
    : Buffer.isBuffer(body) && body.equals(Buffer.from(answer.text));
}
