import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import type { CacheLog } from '../../cache/cache-log.js';
import type { Entry } from '../../cache/entry.js';
import { type EncodedAnswer, encodedAnswer, isJson } from '../http/encoded-answer.js';
import { noneMatch } from '../http/entity-tag.js';
import type { WarmingRequests } from '../http/warming-requests.js';
import { unskippable } from './fast-lane.options.js';
import { HeaderList } from './header-list.js';
import { KnownAddress, type SeenAnswer, type Way } from './known-address.js';
import { LaneRoute, type LaneRouteParts } from './lane-route.js';

/** What the lane reads of a request, as any adapter hands it out. */
export interface LaneRequest {
  readonly method: string;
  /** The address as it arrived. */
  readonly originalUrl?: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

const MOST_ADDRESSES = 5_000;
const LONGEST_ADDRESS = 2_048;

/**
 * Answers hits in front of the framework. It routes nothing and parses nothing: an address is known only once the full path
 * answered that very text from the cache, with the handler, the key and the headers found there; all else goes the full path.
 */
export class FastLane {
  readonly #now: () => number;
  readonly #log: CacheLog;
  /** What every request goes through, by name; asked again while requests run, because plugins may be late. */
  readonly #middleware: () => readonly string[];
  /** What else one request went through before its handler, by name. */
  readonly #inFront: (request: LaneRequest) => readonly string[];
  readonly #warming: WarmingRequests;
  readonly #get = new LRUCache<string, KnownAddress>({ max: MOST_ADDRESSES });
  readonly #head = new LRUCache<string, KnownAddress>({ max: MOST_ADDRESSES / 10 });
  readonly #warned = new WeakSet<LaneRoute>();
  #open = false;
  #routes = 0;

  constructor(parts: {
    now: () => number;
    log: CacheLog;
    middleware: () => readonly string[];
    inFront: (request: LaneRequest) => readonly string[];
    /** Those go the full path. */
    warming: WarmingRequests;
  }) {
    this.#now = parts.now;
    this.#log = parts.log;
    this.#middleware = parts.middleware;
    this.#inFront = parts.inFront;
    this.#warming = parts.warming;
  }

  /** Names of what every request goes through. */
  middleware(): readonly string[] {
    return this.#middleware();
  }

  /** A handler whose hits may leave here. */
  add(parts: LaneRouteParts): LaneRoute {
    this.#routes++;
    return new LaneRoute(parts);
  }

  /** True where some handler has a use for it. */
  get wanted(): boolean {
    return this.#routes > 0;
  }

  open(): void {
    this.#open = true;
  }

  /** From now on every request goes the full path. */
  close(): void {
    this.#open = false;
    this.#get.clear();
    this.#head.clear();
  }

  /** True where the request was answered. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    if (!this.#open) return false;
    const addresses = this.#addresses(request.method);
    const address = addresses?.get(request.url!);
    if (address === undefined) return false;
    const { route } = address;
    const { headers } = request;
    if (!passes(route, headers) || this.#warming.visitOf(request) !== undefined) return false;
    const way = address.way(route.saying(headers));
    if (way === undefined) return false;
    const now = this.#now();
    const whole = way.whole.list(now);
    const asked = headers['if-none-match'];
    // Whether it has changed is known only when the hit is counted: both answers must be ready by then.
    const notModified = asked === undefined ? undefined : way.notModified.list(now);
    if (whole === undefined || (asked !== undefined && notModified === undefined)) return false;
    const entry = route.parts.cache.fresh(way.key, route.parts.plan);
    if (entry === undefined) return false;
    if (!isPlain(entry)) {
      // Kept with a status, headers or bytes of its own since it was seen: the full path counts it once more, and no other.
      addresses!.delete(request.url!);
      return false;
    }
    const answer = encodedAnswer(entry);
    if (asked !== undefined && notModified !== undefined && noneMatch(asked, answer.tag)) {
      response.writeHead(304, pairs(way.notModified, notModified, answer, route, entry)).end();
      return true;
    }
    response.writeHead(200, pairs(way.whole, whole, answer, route, entry));
    if (request.method === 'HEAD') response.end();
    else response.end(answer.text, answer.oneByte ? 'latin1' : 'utf8');
    return true;
  }

  /** Looks at what the full path is about to answer a hit with. */
  watch(route: LaneRoute, request: LaneRequest, response: ServerResponse, key: string, entry: Entry): void {
    if (!this.#open || !route.open || !isPlain(entry)) return;
    const url = request.originalUrl;
    const addresses = this.#addresses(request.method);
    if (addresses === undefined || url === undefined || url.length > LONGEST_ADDRESS) return;
    if (!passes(route, request.headers)) return;
    if (addresses.get(url)?.route !== route && !this.#complete(route, request)) return;
    const saying = route.saying(request.headers);
    const now = this.#now();
    const way = known(addresses, url, route).learn(saying, key);
    const conditional = request.headers['if-none-match'] !== undefined;
    if (!way.whole.wanted(now) && !(conditional && way.notModified.wanted(now))) return;
    this.#watchEnd(response, (body) => this.#saw(route, request, response, way, saying, entry, body));
  }

  /** Nothing that goes wrong here may be felt: from now on every request goes the full path. */
  failed(error: unknown): void {
    this.close();
    this.#log('error', 'FAST_LANE_FAILED', 'The fast lane failed and is closed; hits go the full path.', {
      reason: error instanceof Error ? error.name : typeof error,
    });
  }

  #addresses(method: string | undefined): LRUCache<string, KnownAddress> | undefined {
    return method === 'GET' ? this.#get : method === 'HEAD' ? this.#head : undefined;
  }

  /** Plugins may add their hooks after the application was checked: once more, while requests run; routes in front for each address. */
  #complete(route: LaneRoute, request: LaneRequest): boolean {
    const inFront = this.#inFront(request);
    const left = unskippable(route.parts.choice, route.checked ? inFront : [...this.#middleware(), ...inFront]);
    route.checked = true;
    route.open = left.length === 0;
    if (!route.open) {
      this.#log(
        'warn',
        'FAST_LANE_CLOSED',
        `${route.parts.owner}: ${left.join(', ')} turned out to come before it, so its hits go the full path. ` +
          'Name it in `fastLane: { skipMiddleware: […] }` where hits need not run it.',
      );
    }
    return route.open;
  }

  /** Calls back with the body once the answer was handed to Node. */
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

  #saw(
    route: LaneRoute,
    request: LaneRequest,
    response: ServerResponse,
    way: Way,
    saying: string,
    entry: Entry,
    body: unknown,
  ): void {
    const { statusCode: status } = response;
    if (status !== 200 && status !== 304) return;
    // The one place where what is sent is to be seen whole, in its order and spelling, whichever way it was set.
    const head = (response as { _header?: unknown })._header;
    const answer = encodedAnswer(entry);
    const plain = status === 304 || request.method === 'HEAD' ? isEmpty(body) : isText(body, answer);
    const list =
      typeof head === 'string' && plain ? HeaderList.read(head, status, answer, route.parts.timed(entry)) : undefined;
    if (list === undefined || route.dependOn(list.vary)) return;
    // An answer that repeats what one caller said must not become everybody's.
    for (const said of route.unkeyed(request.headers)) if (list.repeats(said)) return;
    const kind = `${request.method}${status}`;
    const seen = status === 304 ? way.notModified : way.whole;
    const differences = seen.saw(list, this.#now(), route.known(saying, kind));
    if (differences.length > 0) {
      route.forget(saying, kind);
      this.#warn(route, differences);
    } else if (seen.confirmed !== undefined) route.keep(saying, kind, seen.confirmed);
  }

  #warn(route: LaneRoute, differences: readonly string[]): void {
    if (this.#warned.has(route)) return;
    this.#warned.add(route);
    this.#log(
      'warn',
      'FAST_LANE_DIFFERS',
      `${route.parts.owner}: two answers to one address differ in ${[...new Set(differences)].join(', ')}, so such hits go the full path.`,
    );
  }
}

/** True for what is sent as text, with nothing that its handler set on the response. */
function isPlain({ meta, value }: Entry): boolean {
  return meta === undefined && (isJson(value) || typeof value === 'string');
}

/** True where nothing in the request needs more than an answer that is ready. */
function passes({ parts, open }: LaneRoute, headers: LaneRequest['headers']): boolean {
  if (!open || (headers.authorization !== undefined && !parts.answersAuthorization)) return false;
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return false;
  if (headers.range !== undefined || headers.expect !== undefined || headers.upgrade !== undefined) return false;
  if (headers['if-modified-since'] !== undefined || headers['if-match'] !== undefined) return false;
  // Express answers a reload that is conditional by its own rules.
  if (headers['cache-control'] !== undefined || headers.pragma !== undefined) {
    return !parts.honorRequestDirectives && headers['if-none-match'] === undefined;
  }
  return true;
}

function known(addresses: LRUCache<string, KnownAddress>, url: string, route: LaneRoute): KnownAddress {
  const address = addresses.get(url);
  if (address?.route === route) return address;
  const made = new KnownAddress(route);
  addresses.set(url, made);
  return made;
}

function pairs(seen: SeenAnswer, list: HeaderList, answer: EncodedAnswer, route: LaneRoute, entry: Entry): string[] {
  return seen.pairs(list, answer, list.lasting ? undefined : route.parts.timed(entry));
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
