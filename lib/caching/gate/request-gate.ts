import type { LayeredCache } from '../../cache/layered-cache.js';
import { BypassReason } from '../../cache/base/observer.js';
import type { BypassLog } from './bypass-log.js';
import { type RequestDirectives, requestDirectives } from './request-directives.js';
import type { WarmingRequests, WarmingVisit } from './warming-requests.js';
import { type Call, requestOf, type Transport } from '../inputs/call.js';
import type { KeyOrReason } from '../keys/key-recipe.js';
import type { SafeKeys } from '../keys/safe-keys.js';

/*
 * May the cache answer this request?
 *
 * The problem. A hit is answered on one of four paths: before the framework (the fast lane), at the call of the
 * route by the adapter, in Nest's chain of interceptors, or as the answer to a message (GraphQL, RPC, WebSocket). Each path saves work that the
 * later ones do. A path that misses a rule could send one caller's response to another.
 *
 * The invariant. This file holds all rules on a request, except the rule of what identifies a caller (inputs/authorization.ts).
 * Every path uses the gate of its handler and adds no rule. A path may decline a request that it cannot answer like the others
 * (the fast lane does not support range requests); the next path then decides with the same gate.
 *
 * The rules, in this order:
 *   1. The cache is on and not closing.
 *   2. The handler caches the HTTP method. This rule is for HTTP only.
 *   3. A request with `Authorization` is answered if the handler is shared or its key contains the caller (RFC 9111 section 3.5).
 *   4. The request has a key: every input that identifies callers is present.
 *   5. `Cache-Control` of the request is obeyed if the handler honours it (RFC 9111 section 5.2.1).
 * The gate recognises a request of warming by its token. Rules 1 to 4 hold for it, and nothing about it is counted.
 */

/** Why a request bypasses the cache, with the response headers that report it. */
export class Bypass {
  /** The value of `X-Cache`. */
  readonly xCache: string;
  /** The value of `Cache-Status` after the cache's name (RFC 9211). */
  readonly status: string;

  /** @param forward RFC 9211 section 2.2 */
  constructor(
    readonly reason: BypassReason,
    readonly name: string,
    forward: 'bypass' | 'method' | 'request',
  ) {
    this.xCache = `BYPASS; reason=${name}`;
    this.status = forward === name ? `fwd=${name}` : `fwd=${forward}; detail=${name}`;
  }
}

/** A request with conditions on a stored response. */
export class ConditionalRead {
  constructor(
    readonly key: string,
    readonly directives: RequestDirectives,
  ) {}
}

/** A request that warming sent. */
export class WarmingRead {
  constructor(
    /** Undefined if the cache must not answer it. */
    readonly key: string | undefined,
    readonly visit: WarmingVisit,
  ) {}
}

/** The decision. A key: the cache may answer the request, unconditionally, from the entry under it. */
export type Admission = string | ConditionalRead | WarmingRead | Bypass;

/** The part of a request that the rules read before there is a key. */
export interface GateRequest {
  readonly method?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface GateRules {
  readonly cache: Pick<LayeredCache, 'enabled' | 'closed'>;
  readonly transport: Exclude<Transport, 'method'>;
  readonly keys: SafeKeys;
  /** Methods that the handler caches, upper case; unused for messages. */
  readonly methods: ReadonlySet<string>;
  /** True if requests with `Authorization` may be answered. */
  readonly answersAuthorization: boolean;
  readonly honorRequestDirectives: boolean;
  readonly warming: WarmingRequests;
  readonly bypasses: BypassLog;
}

const DISABLED = new Bypass(BypassReason.disabled, 'disabled', 'bypass');
const METHOD = new Bypass(BypassReason.method, 'method', 'method');
const AUTHORIZATION = new Bypass(BypassReason.authorization, 'authorization', 'bypass');
const VARY = new Bypass(BypassReason.vary, 'vary', 'bypass');
const NO_KEY = new Bypass(BypassReason.condition, 'key', 'bypass');
const NO_STORE = new Bypass(BypassReason.directive, 'no-store', 'request');
/** For a request with `only-if-cached` if no entry is stored. */
export const ONLY_IF_CACHED = new Bypass(BypassReason.directive, 'only-if-cached', 'request');

/** Decides for one handler whether the cache may answer a request: the only place that does. */
export class RequestGate {
  readonly #isHttp: boolean;

  constructor(private readonly rules: GateRules) {
    this.#isHttp = rules.transport === 'http';
  }

  decide(call: Call): Admission | Promise<Admission> {
    const request = this.#isHttp ? (call.args[0] as GateRequest) : messageRequest(call, this.rules.transport);
    const bypass = this.#refused(request);
    if (bypass !== undefined) return this.#admission(request, bypass);
    const key = this.rules.keys.keyOf(call);
    return typeof key === 'object'
      ? key.then((found) => this.#admission(request, found))
      : this.#admission(request, key);
  }

  /**
   * True if the cache may answer the request unconditionally. For a path that already has the key. If this returns false, the
   *   next path calls {@link decide}.
   */
  admits(request: GateRequest): boolean {
    const { warming, honorRequestDirectives } = this.rules;
    if (this.#refused(request) !== undefined || warming.visitOf(request) !== undefined) return false;
    return !honorRequestDirectives || directivesOf(request) === undefined;
  }

  /** Rules 1 to 3. */
  #refused(request: GateRequest | undefined): Bypass | undefined {
    const { cache, methods, answersAuthorization } = this.rules;
    if (!cache.enabled || cache.closed) return DISABLED;
    if (request === undefined) return undefined;
    if (this.#isHttp && !methods.has(request.method!)) return METHOD;
    return answersAuthorization || request.headers.authorization === undefined ? undefined : AUTHORIZATION;
  }

  /** Rules 4 and 5. */
  #admission(request: GateRequest | undefined, key: KeyOrReason | Bypass): Admission {
    const visit = request === undefined ? undefined : this.rules.warming.visitOf(request);
    if (visit !== undefined) return new WarmingRead(typeof key === 'string' ? key : undefined, visit);
    if (typeof key !== 'string') {
      if (typeof key === 'object') return this.#bypassed(key);
      return key === BypassReason.vary ? VARY : NO_KEY;
    }
    const directives = this.rules.honorRequestDirectives && request !== undefined ? directivesOf(request) : undefined;
    if (directives?.noStore === true) return this.#bypassed(NO_STORE);
    this.rules.bypasses.admitted();
    return directives === undefined ? key : new ConditionalRead(key, directives);
  }

  #bypassed(bypass: Bypass): Bypass {
    this.rules.bypasses.bypassed(bypass.reason, bypass.name);
    return bypass;
  }
}

/**
 * Decides the answer to a conditional request: the stored response, a new one, or none with `only-if-cached`.
 * @param now the current time of the clock.
 */
export async function conditionalAnswer(
  cache: Pick<LayeredCache, 'freshEntry'>,
  { key, directives: { noCache, maxAgeMs, onlyIfCached } }: ConditionalRead,
  now: () => number,
): Promise<'stored' | 'reload' | 'none'> {
  const entry = noCache ? undefined : await cache.freshEntry(key);
  if (entry !== undefined && now() - entry.createdAt <= maxAgeMs) return 'stored';
  return onlyIfCached ? 'none' : 'reload';
}

function directivesOf({ headers }: GateRequest): RequestDirectives | undefined {
  const control = headers['cache-control'];
  const { pragma } = headers;
  return control === undefined && pragma === undefined ? undefined : requestDirectives(control, pragma);
}

interface Socket {
  readonly handshake?: GateRequest;
}

interface GrpcMetadata {
  get?(name: string): unknown;
}

/**
 * Returns the request of a message if its transport has one: in a GraphQL context, in a socket's handshake, or as gRPC
 * metadata.
 */
function messageRequest(call: Call, transport: Transport): GateRequest | undefined {
  if (transport === 'graphql') {
    const request = requestOf(call.args, transport);
    return request?.headers === undefined ? undefined : request;
  }
  if (transport === 'ws') {
    const handshake = (call.args[0] as Socket | undefined)?.handshake;
    return handshake?.headers === undefined ? undefined : handshake;
  }
  const metadata = call.args[1] as GrpcMetadata | undefined;
  if (typeof metadata?.get !== 'function') return undefined;
  const sent = metadata.get('authorization');
  const [authorization] = Array.isArray(sent) ? (sent as unknown[]) : [sent];
  return { headers: { authorization: authorization === undefined ? undefined : String(authorization) } };
}
