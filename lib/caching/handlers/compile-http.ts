import type { HttpServer } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import type { CacheLog } from '../../cache/base/cache-log.js';
import type { Entry } from '../../cache/entries/entry.js';
import type { ReadPlan } from '../../cache/policies/read-plan.js';
import type { CachedRoute } from '../decoration/cached-handler.js';
import { type ClassConstructor, type ProvidedClass, unsharedInstances } from '../decoration/decorated-classes.js';
import { type CachedSite, type Method, methodName } from '../decoration/method-site.js';
import { returnType } from '../decoration/return-type.js';
import type { EarlyHandler, EarlyHits, EarlyParts } from '../http/early-hits.js';
import { chainReasons, isGuarded } from '../http/chain-rules.js';
import type { Compilation } from './compilation.js';
import { loadsInBackground, policyOf, seriesOptions, withoutBackground } from './handler-policy.js';
import type { Invalidation } from '../invalidation/invalidation.js';
import type { TagTemplates } from '../invalidation/tag-templates.js';
import type { Probe } from '../inputs/probe.js';
import { interceptorsOutside } from './outside-interceptors.js';
import type { DeclaredInput } from '../inputs/declared-inputs.js';
import { handlerInputs } from '../inputs/handler-inputs.js';
import type { PipedHandler } from '../inputs/handler-pipes.js';
import { suggestedFields } from '../inputs/query-fields.js';
import { parameterTypes } from '../inputs/route-arguments.js';
import { type HandlerKey, handlerKey } from './handler-key.js';
import { SafeKeys } from '../keys/safe-keys.js';
import { BypassLog } from '../gate/bypass-log.js';
import { RequestGate } from '../gate/request-gate.js';
import { AnswerHeaders } from '../http/answer-headers.js';
import { methodsOf, requestBase } from '../http/cached-requests.js';
import { type ClientCacheControl, clientCacheControl } from '../http/client-cache.js';
import { HandlerRuns } from '../http/handler-run.js';
import { HttpHandler } from '../http/http-handler.js';
import { neverCachedHttp } from '../http/never-cached.js';
import type { ResponseAdapter } from '../http/response-adapter.js';
import { makesHeaders, RouteAnswer } from '../http/route-answer.js';
import { RouteDecisions } from '../http/route-decisions.js';
import { RouteFailures } from '../http/route-failures.js';
import type { RouteHits } from '../http/route-hits.js';
import { StoredAnswers } from '../http/stored-answers.js';
import type { WarmingRequests } from '../gate/warming-requests.js';

/** The parts of an application that compiling an HTTP handler uses. */
export interface HttpApplication {
  readonly config: ApplicationConfig;
  readonly responses: ResponseAdapter;
  readonly early: EarlyHits | undefined;
  readonly routes: RouteHits;
  readonly warming: WarmingRequests;
  readonly adapter: HttpServer;
  /** Request headers by which the application selects a handler for a URL, lower case; `*` if they are unknown. */
  readonly selectingHeaders: readonly string[];
}

/** The mount of an HTTP handler in an application. */
export interface HandlerMount {
  readonly route: CachedRoute;
  /** True if the controller's class is mounted more than once. Then only the request shows which mount it reached. */
  readonly mountedTwice: boolean;
  /** True if no other controller has a route with the same function. Then a route identifies its handler. */
  readonly alone: boolean;
  /** Names the route uniquely. */
  readonly nameOf: () => string;
}

/**
 * Compiles an HTTP handler at boot: checks, key and policy. The parts that answer its requests are created by the
 * first request.
 * @returns a function that creates the runner; undefined if the handler is never cached or faulty.
 */
export function compileHttp(
  compilation: Compilation,
  application: HttpApplication,
  { route, mountedTwice, alone, nameOf }: HandlerMount,
  provided: ProvidedClass,
  site: CachedSite,
  implementation: Method,
  invalidations: readonly Invalidation[],
): (() => HttpHandler) | undefined {
  const { faults, log } = compilation;
  const { cls, module, wrapper } = provided;
  const { options, pattern } = site;
  const owner = `${cls.name}.${methodName(site.method)}()`;
  const methods = methodsOf(options.methods);
  const never = neverCachedHttp(provided, site, implementation);
  if (never !== undefined) {
    log('warn', 'NEVER_CACHED', `${owner} is never cached: ${never}.`, { pattern: pattern.statistics });
    return undefined;
  }
  if (route.method !== 'ALL' && !methods.has(route.method)) {
    const message = `${owner} answers ${route.method}, which is not among its cached methods; add \`methods: ['${route.method}']\`.`;
    log('warn', 'METHOD_NOT_CACHED', message, { pattern: pattern.statistics });
  }
  const base = nameOf();
  const piped: PipedHandler = {
    transport: 'http',
    cls,
    method: site.method,
    implementation,
    module,
    config: application.config,
  };
  const inputs = handlerInputs(piped, site.original, options.query);
  const key = handlerKey(
    {
      site,
      transport: 'http',
      owner,
      inputs,
      base: requestBase(base, route.method, mountedTwice),
      unsharedInstances: unsharedInstances(wrapper),
      types: parameterTypes(cls, site.method),
      log,
    },
    faults,
  );
  hintWholeQuery(site, owner, inputs, piped, log);
  const outside = interceptorsOutside(implementation, cls, application.config);
  const chain = { provided, implementation, host: route.host, interceptors: outside };
  const returns = returnType(cls, site.method);
  const plan = faults.try(() => httpPlan(compilation, { site, owner, inputs, route, outside, returns }));
  const tags = compilation.tagsOf(site, { transport: 'http', inputs, owner });
  compilation.declare({ site, cls, owner, recipe: key?.recipe, plan, tags });
  const clientCache = faults.try(() =>
    clientCacheControl(options.clientCache, {
      variesByCaller: key?.private ?? true,
      guarded: options.shared !== true && isGuarded(chain, application.config),
    }),
  );
  const addEarly = application.early?.admit(compilation, application.config, { ...chain, site, inputs, owner });
  if (key === undefined || plan === undefined) return undefined;
  compilation.compiled(site, { className: cls.name, transport: 'http', plan, route });
  const probe = inputs.some(({ identifying }) => identifying !== undefined) ? undefined : compilation.probeOf(owner);
  // At its route, a probe's second run would write to a response that was already sent.
  const isAtRoute = alone && probe === undefined && !makesHeaders(implementation);
  const handler: CompiledHandler = {
    site,
    cls,
    implementation,
    owner,
    route,
    methods,
    key,
    plan,
    tags,
    invalidations,
    holdsResponse: holdsResponse(inputs),
    outside,
    clientCache,
    probe,
    // A probe calls the handler on hits, and only the chain can do that. So there are no early hits.
    addEarly: probe === undefined ? addEarly : undefined,
    isAtRoute: isAtRoute && chainReasons(chain, application.config).length === 0,
  };
  return answeredOnDemand(compilation, application, handler);
}

/**
 * Creates the runner at the first request. This is a separate function, so that its closure keeps nothing that only compilation
 * needs.
 */
function answeredOnDemand(
  compilation: Compilation,
  application: HttpApplication,
  handler: CompiledHandler,
): () => HttpHandler {
  let answering: Answering | undefined;
  const parts = () => (answering ??= answeringParts(compilation, application, handler));
  // The fast lane learns its routes at boot.
  if (handler.addEarly !== undefined) parts();
  if (handler.isAtRoute) application.routes.open(handler.site, () => parts().atRoute);
  return () => parts().handler;
}

/** A handler without faults. */
interface CompiledHandler {
  readonly site: CachedSite;
  readonly cls: ClassConstructor;
  readonly implementation: Method;
  readonly owner: string;
  readonly route: CachedRoute;
  readonly methods: ReadonlySet<string>;
  readonly key: HandlerKey;
  readonly plan: ReadPlan;
  readonly tags: TagTemplates | undefined;
  readonly invalidations: readonly Invalidation[];
  readonly holdsResponse: boolean;
  /** The number of interceptors outside ours. */
  readonly outside: number;
  readonly clientCache: ClientCacheControl | undefined;
  readonly probe: Probe | undefined;
  readonly addEarly: ((parts: EarlyParts) => EarlyHandler) | undefined;
  /** True if its hits can be answered at the route, without Nest's chain. */
  readonly isAtRoute: boolean;
}

/** The objects that answer the requests of one handler. */
interface Answering {
  readonly handler: HttpHandler;
  /** Answers hits when the adapter calls the route. */
  readonly atRoute: RouteAnswer | undefined;
}

function answeringParts(
  compilation: Compilation,
  { responses, adapter, selectingHeaders, warming }: HttpApplication,
  handler: CompiledHandler,
): Answering {
  const { cache, log, now } = compilation;
  const { site, cls, implementation, owner, route, methods, key, plan, outside, clientCache, probe } = handler;
  const { headers: level = 'minimal', name = 'nestjs-cache-observability' } = compilation.options;
  const gate = new RequestGate({
    cache,
    transport: 'http',
    keys: new SafeKeys(key.recipe, owner, log),
    methods,
    answersAuthorization: key.answersAuthorization,
    honorRequestDirectives: site.options.honorRequestDirectives === true,
    warming,
    bypasses: new BypassLog(owner, site.pattern.statistics, key.whyUnidentified, log),
  });
  const headers = new AnswerHeaders({
    responses,
    level,
    name,
    now,
    vary: [...new Set([...key.varyHeaders, ...selectingHeaders])],
    private: key.private,
    clientCache,
  });
  const timed = (entry: Entry) => headers.timed(entry);
  const early = handler.addEarly?.({ cache, plan, owner, gate, timed });
  const answers = new StoredAnswers(cache, plan, responses, headers, outside === 0, level !== false, early);
  const { holdsResponse, tags, invalidations } = handler;
  const runs = new HandlerRuns(owner, log, responses, holdsResponse, tags, invalidations, answers);
  const failures = new RouteFailures();
  const decisions = new RouteDecisions();
  return {
    handler: new HttpHandler(
      cache,
      plan,
      gate,
      headers,
      answers,
      runs,
      probe,
      failures,
      decisions,
      now,
      outside === 0,
      cls,
      implementation,
    ),
    atRoute: !handler.isAtRoute
      ? undefined
      : new RouteAnswer(
          cache,
          plan,
          gate,
          answers,
          failures,
          decisions,
          responses,
          adapter,
          cls,
          implementation,
          route.method,
        ),
  };
}

/** Creates the read plan of a handler's calls. */
function httpPlan(
  { cache, log }: Compilation,
  handler: {
    readonly site: CachedSite;
    readonly owner: string;
    readonly inputs: readonly DeclaredInput[];
    readonly route: CachedRoute;
    /** The number of interceptors that may change their value. */
    readonly outside: number;
    readonly returns: ClassConstructor | undefined;
  },
): ReadPlan {
  const { site, owner, inputs, route, outside, returns } = handler;
  const { options, pattern } = site;
  const declared = policyOf(options);
  const policy = outside > 0 && options.clone === undefined ? { ...declared, clone: true } : declared;
  if (holdsResponse(inputs) && loadsInBackground(policy)) {
    log('warn', 'NO_BACKGROUND_LOADS', `${owner} uses its response object, so background refreshes are off.`);
  }
  const background = !holdsResponse(inputs);
  const chosen = background ? policy : withoutBackground(policy);
  const jsonOnly = outside === 0;
  return cache.plan(pattern.statistics, chosen, `${route.method} ${route.path}`, seriesOptions(options), {
    returns,
    jsonOnly,
    background,
  });
}

function holdsResponse(inputs: readonly DeclaredInput[]): boolean {
  return inputs.some(({ written }) => written === '@Res()');
}

/** Logs a hint if every parameter of a query is in the key, because callers can fill the cache with invented parameters. */
function hintWholeQuery(
  { options: { key, ignore = [] }, pattern }: CachedSite,
  owner: string,
  inputs: readonly DeclaredInput[],
  handler: PipedHandler,
  log: CacheLog,
): void {
  const whole = inputs.find(({ path }) => path === 'query');
  if (whole === undefined || whole.narrowed === true || key !== undefined || ignore.includes('query')) return;
  const fields = suggestedFields(inputs, handler);
  const example = (fields.length > 0 ? fields : ['page', 'limit']).map((name) => `'${name}'`).join(', ');
  log(
    'log',
    'WHOLE_QUERY',
    `${owner}: @Query() accepts every parameter that a caller sends, and each makes another key. List those that change the ` +
      `answer: query: [${example}].`,
    { pattern: pattern.statistics },
  );
}
