import type { HttpServer } from '@nestjs/common';
import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { ProvidedClass } from '../decoration/decorated-classes.js';
import { type CachedSite, type Method, methodName } from '../decoration/method-site.js';
import type { FastLane } from '../fast-lane/fast-lane.js';
import { laneChoice } from '../fast-lane/fast-lane.options.js';
import { hostsDecide, keyHeaders, laneRefusals } from '../fast-lane/lane-rules.js';
import { chainReasons } from '../handlers/chain-rules.js';
import type { Compilation } from '../handlers/compilation.js';
import { loadsInBackground, policyOf, seriesOptions, withoutBackground } from '../handlers/handler-policy.js';
import type { Invalidation } from '../handlers/invalidation.js';
import { outsideInterceptors, serializerOf } from '../handlers/outside-interceptors.js';
import { tagTemplates } from '../handlers/tag-templates.js';
import type { Call } from '../inputs/call.js';
import { declaredInputs } from '../inputs/declared-inputs.js';
import { declaredParameters, parameterTypes } from '../inputs/route-arguments.js';
import { handlerKey } from '../keys/handler-key.js';
import { SafeKeys } from '../keys/safe-keys.js';
import { AnswerHeaders } from './answer-headers.js';
import { clientCacheControl } from './client-cache.js';
import { handlerRoute, routeBase } from './handler-route.js';
import { HttpHandler, type HttpHandlerParts } from './http-handler.js';
import { isStorable } from './response-capture.js';
import type { ResponseFace } from './response-face.js';
import { RouteAnswer } from './route-answer.js';
import type { RouteHits } from './route-hits.js';
import { StoredAnswers } from './stored-answers.js';

/** What compiling an HTTP handler needs of its application. */
export interface HttpApplication {
  readonly config: ApplicationConfig;
  readonly modules: ModulesContainer;
  readonly face: ResponseFace;
  /** True where a controller's class is mounted more than once, so that only the request tells which of them is meant. */
  readonly mountedTwice: boolean;
  /** Keeps two routes of one name apart. */
  readonly nameOf: (base: string) => string;
  readonly lane: FastLane;
  readonly routes: RouteHits;
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
  const alone = application.routes.claim(site);
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
  const plan = faults.try(() => {
    const endpoint = `${route.method} ${route.path}`;
    const policy = { ...policyOf(options), ...(outside.count > 0 && options.clone === undefined && { clone: true }) };
    const holdsResponse = inputs.some(({ written }) => written === '@Res()');
    if (holdsResponse && loadsInBackground(policy)) {
      log(
        'warn',
        'NO_BACKGROUND_LOADS',
        `${owner} holds its response, so nothing is refreshed behind an answer's back.`,
      );
    }
    const chosen = holdsResponse ? withoutBackground(policy) : policy;
    return cache.plan(pattern.statistics, chosen, endpoint, seriesOptions(options));
  });
  const tags = faults.try(() => tagTemplates(options.tags, 'http', inputs, owner));
  const clientCache = faults.try(() => clientCacheControl(options.clientCache, key?.private ?? true));
  const choice = laneChoice(options.fastLane, compilation.options.fastLane);
  const chain = { provided, implementation, host: route.host, interceptors: outside.count };
  if (choice !== undefined) {
    const { headers = 'minimal' } = compilation.options;
    const refusals = laneRefusals(
      { ...chain, site, inputs, headers, choice },
      application.config,
      application.lane.middleware(),
    );
    if (refusals.length > 0)
      faults.add(
        'FAST_LANE_REFUSED',
        `${owner} cannot answer before the framework: ${refusals.join('; ')}. Take \`fastLane\` from it, or say \`fastLane: false\` there.`,
      );
  }
  if (key === undefined || plan === undefined) return undefined;
  compilation.compiled(site, cls.name, plan, route);
  const { headers: level = 'minimal', name = 'nestjs-cache-observability' } = compilation.options;
  const now = compilation.now();
  const headers = new AnswerHeaders({
    face: application.face,
    level,
    name,
    now,
    vary: key.varyHeaders,
    private: key.private,
    clientCache,
  });
  // A second run would write to a response that has been sent.
  const probe = inputs.some(({ identifying }) => identifying !== undefined) ? undefined : compilation.probeOf(owner);
  const parts: HttpHandlerParts = {
    cache,
    plan,
    keys: new SafeKeys(key.recipe, owner, log),
    face: application.face,
    headers,
    methods,
    answersAuthorization: key.answersAuthorization,
    honorRequestDirectives: options.honorRequestDirectives === true,
    innermostOnly: outside.count === 0,
    tagged: level !== false,
    tags,
    invalidations,
    probe,
    now,
    prepare: serializerOf(outside, implementation, cls),
    lane:
      // Probed hits need their handler.
      choice === undefined || probe !== undefined
        ? undefined
        : {
            lane: application.lane,
            route: application.lane.add({
              cache,
              plan,
              owner,
              choice,
              answersAuthorization: key.answersAuthorization,
              honorRequestDirectives: options.honorRequestDirectives === true,
              keyHeaders: [...keyHeaders(site, inputs), ...(hostsDecide(application.modules) ? ['host'] : [])],
              timed: (entry) => headers.timed(entry),
            }),
          },
  };
  const answers = new StoredAnswers(parts);
  // Probed hits need their handler, which only the chain can call.
  if (alone && probe === undefined && chainReasons(chain, application.config).length === 0)
    application.routes.open(
      site,
      new RouteAnswer(parts, answers, application.adapter, { cls, implementation, method: route.method }),
    );
  return new HttpHandler(parts, answers);
}

function methodsOf(methods: readonly string[] = ['GET', 'HEAD']): ReadonlySet<string> {
  const upper = methods.map((method) => method.toUpperCase());
  return new Set(upper.includes('GET') ? [...upper, 'HEAD'] : upper);
}

/** HEAD shares what GET left; a handler of all methods has each for itself. */
function requestBase(base: string, method: string, mountedTwice: boolean): string | ((call: Call) => string) {
  if (method !== 'ALL' && !mountedTwice) return base;
  return ({ args }) => {
    const request = args[0] as RoutedRequest;
    const asked = request.method === 'HEAD' ? 'GET' : request.method;
    const mounted = mountedTwice ? ` ${request.routeOptions?.url ?? request.route?.path ?? ''}` : '';
    return method === 'ALL' ? `${base} ${asked}${mounted}` : `${base}${mounted}`;
  };
}

interface RoutedRequest {
  readonly method: string;
  readonly routeOptions?: { readonly url?: string };
  readonly route?: { readonly path?: string };
}

function neverCachedHttp({ cls }: ProvidedClass, { method }: CachedSite, implementation: Method): string | undefined {
  const has = (key: string) => Reflect.getMetadata(key, implementation) !== undefined;
  if (has('__sse__')) return 'server-sent events are a stream';
  if (has('__renderTemplate__')) return '@Render() answers with a page of its own';
  if (has('__redirect__')) return '@Redirect() answers with a redirect';
  const passthrough: unknown = Reflect.getMetadata('__responsePassthrough__', cls, method as string);
  const codes = (declaredParameters(cls, method) ?? []).map(({ code }) => code);
  if (codes.includes(2) || (codes.includes(1) && passthrough !== true)) {
    return 'it answers by @Res() or @Next() itself; use @Res({ passthrough: true })';
  }
  const status: unknown = Reflect.getMetadata('__httpCode__', implementation);
  if (typeof status === 'number' && !isStorable(status)) return `it answers with status ${status}`;
  return undefined;
}
