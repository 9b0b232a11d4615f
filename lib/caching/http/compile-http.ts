import type { HttpServer } from '@nestjs/common';
import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { Entry } from '../../cache/entry.js';
import type { ReadPlan } from '../../cache/read-plan.js';
import type { CachedRoute } from '../cached-handler.js';
import type { ProvidedClass } from '../decoration/decorated-classes.js';
import { type CachedSite, type Method, methodName } from '../decoration/method-site.js';
import type { FastLane } from '../fast-lane/fast-lane.js';
import { admitToLane } from '../fast-lane/lane-admission.js';
import { chainReasons } from '../handlers/chain-rules.js';
import type { Compilation } from '../handlers/compilation.js';
import { loadsInBackground, policyOf, seriesOptions, withoutBackground } from '../handlers/handler-policy.js';
import type { Invalidation } from '../handlers/invalidation.js';
import { outsideInterceptors, serializerOf } from '../handlers/outside-interceptors.js';
import { tagTemplates } from '../handlers/tag-templates.js';
import { type DeclaredInput, declaredInputs } from '../inputs/declared-inputs.js';
import { parameterTypes } from '../inputs/route-arguments.js';
import { handlerKey } from '../keys/handler-key.js';
import { SafeKeys } from '../keys/safe-keys.js';
import { AnswerHeaders } from './answer-headers.js';
import { methodsOf, requestBase } from './cached-requests.js';
import { clientCacheControl } from './client-cache.js';
import { handlerRoute, routeBase } from './handler-route.js';
import { HttpHandler, type HttpHandlerParts } from './http-handler.js';
import { neverCachedHttp } from './never-cached.js';
import type { ResponseFace } from './response-face.js';
import { makesHeaders, RouteAnswer } from './route-answer.js';
import { RouteFailures } from './route-failures.js';
import type { RouteHits } from './route-hits.js';
import { StoredAnswers } from './stored-answers.js';
import type { WarmingRequests } from './warming-requests.js';

/** What compiling an HTTP handler needs of its application. */
export interface HttpApplication {
  readonly config: ApplicationConfig;
  readonly modules: ModulesContainer;
  readonly face: ResponseFace;
  /** True where a controller's class is mounted more than once, so that only the request tells which of them is meant. */
  readonly mountedTwice: boolean;
  /** True where no other controller has routes by the same function, so that they tell it. */
  readonly alone: boolean;
  /** Keeps two routes of one name apart. */
  readonly nameOf: (base: string) => string;
  readonly lane: FastLane;
  readonly routes: RouteHits;
  readonly warming: WarmingRequests;
  readonly adapter: HttpServer;
}

/** Decides everything about an HTTP handler that can be decided before a request; undefined where it is never cached, or at fault. */
export function compileHttp(
  compilation: Compilation,
  application: HttpApplication,
  provided: ProvidedClass,
  site: CachedSite,
  implementation: Method,
  invalidations: readonly Invalidation[],
): HttpHandler | undefined {
  const { faults, log, cache } = compilation;
  const { cls, module, wrapper } = provided;
  const { options, pattern } = site;
  const owner = `${cls.name}.${methodName(site.method)}()`;
  const route = handlerRoute(implementation, cls, module, application.config, application.modules);
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
  const base = application.nameOf(routeBase(route));
  const inputs = declaredInputs('http', cls, site.method, site.original);
  const key = handlerKey(
    {
      site,
      transport: 'http',
      owner,
      inputs,
      base: requestBase(base, route.method, application.mountedTwice),
      requestScoped: !wrapper.isDependencyTreeStatic(),
      types: parameterTypes(cls, site.method),
    },
    faults,
  );
  if (pattern.kind === 'template' && options.key === undefined)
    compilation.wholeKeys.claim(pattern.template, owner, { site, cls }, faults);
  const outside = outsideInterceptors(implementation, cls, module, application.config);
  const chain = { provided, implementation, host: route.host, interceptors: outside.count };
  const plan = faults.try(() => httpPlan(compilation, { site, owner, inputs, route, copied: outside.count > 0 }));
  const tags = faults.try(() => tagTemplates(options.tags, 'http', inputs, owner));
  const clientCache = faults.try(() => clientCacheControl(options.clientCache, key?.private ?? true));
  const choice = admitToLane(compilation, application, { ...chain, site, inputs, owner });
  if (key === undefined || plan === undefined) return undefined;
  compilation.compiled(site, cls.name, plan, route);
  const { headers: level = 'minimal', name = 'nestjs-cache-observability' } = compilation.options;
  const now = compilation.now();
  const { face, lane } = application;
  const { answersAuthorization } = key;
  const honorRequestDirectives = options.honorRequestDirectives === true;
  const headers = new AnswerHeaders({
    face,
    level,
    name,
    now,
    vary: key.varyHeaders,
    private: key.private,
    clientCache,
  });
  // A second run would write to a response that has been sent.
  const probe = inputs.some(({ identifying }) => identifying !== undefined) ? undefined : compilation.probeOf(owner);
  const timed = (entry: Entry) => headers.timed(entry);
  const parts: HttpHandlerParts = {
    cache,
    plan,
    keys: new SafeKeys(key.recipe, owner, log),
    face,
    headers,
    methods,
    answersAuthorization,
    honorRequestDirectives,
    innermostOnly: outside.count === 0,
    tagged: level !== false,
    tags,
    invalidations,
    probe,
    warming: application.warming,
    failures: new RouteFailures(),
    now,
    prepare: serializerOf(outside, implementation, cls),
    // Probed hits need their handler, which only the chain can call: no lane, no answer at the route.
    lane:
      choice && probe === undefined
        ? {
            lane,
            route: lane.add({ cache, plan, owner, ...choice, answersAuthorization, honorRequestDirectives, timed }),
          }
        : undefined,
  };
  const answers = new StoredAnswers(parts);
  const isAtRoute = application.alone && probe === undefined && !makesHeaders(implementation);
  if (isAtRoute && chainReasons(chain, application.config).length === 0)
    application.routes.open(
      site,
      new RouteAnswer(parts, answers, application.adapter, { cls, implementation, method: route.method }),
    );
  return new HttpHandler(parts, answers);
}

/** How a handler's calls read the cache. */
function httpPlan(
  { cache, log }: Compilation,
  handler: {
    readonly site: CachedSite;
    readonly owner: string;
    readonly inputs: readonly DeclaredInput[];
    readonly route: CachedRoute;
    /** True where interceptors may change what they are given. */
    readonly copied: boolean;
  },
): ReadPlan {
  const { site, owner, inputs, route, copied } = handler;
  const { options, pattern } = site;
  const policy = { ...policyOf(options), ...(copied && options.clone === undefined && { clone: true }) };
  const holdsResponse = inputs.some(({ written }) => written === '@Res()');
  if (holdsResponse && loadsInBackground(policy)) {
    log('warn', 'NO_BACKGROUND_LOADS', `${owner} holds its response, so nothing is refreshed behind an answer's back.`);
  }
  const chosen = holdsResponse ? withoutBackground(policy) : policy;
  return cache.plan(pattern.statistics, chosen, `${route.method} ${route.path}`, seriesOptions(options));
}
