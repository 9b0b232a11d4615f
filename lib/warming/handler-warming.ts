import { Inject, Injectable, VersioningType } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { CacheError } from '../cache/base/errors.js';
import type { WarmRequest } from '../caching/options/cached.options.js';
import type { CachedHandler, CachedRoute } from '../caching/decoration/cached-handler.js';
import { CachingRuntime } from '../caching/caching-runtime.js';
import type { WarmingVisit } from '../caching/gate/warming-requests.js';
import { InProcessRequests } from './in-process-request.js';
import { routeUrl } from './route-path.js';
import { StrategyRegistry } from './strategy-registry.js';
import { type TaskOutcome, WarmingTask } from './warming-task.js';

/** Prefix of strategies that handlers declare. */
export const HANDLER_STRATEGY_PREFIX = 'handler:';

const USER_AGENT = 'nestjs-cache-observability (warming)';

/**
 * Creates a strategy for every handler with `@Cached(…, { warm: [...] })`. It sends the requests through the whole application,
 * so their keys are those of real requests.
 */
@Injectable()
export class HandlerWarming {
  constructor(
    @Inject(CachingRuntime) private readonly caching: Pick<CachingRuntime, 'handlers' | 'warming'>,
    @Inject(StrategyRegistry) private readonly registry: StrategyRegistry,
    @Inject(InProcessRequests) private readonly requests: Pick<InProcessRequests, 'send'>,
    @Inject(ApplicationConfig) private readonly config: Pick<ApplicationConfig, 'getVersioning'>,
  ) {}

  /**
   * Registers the strategies. @returns their names, such as `handler:FeedController.discover`.
   * @throws CacheError `INVALID_OPTIONS` for `warm` on a method that is not an HTTP handler.
   */
  register(): readonly string[] {
    return this.caching.handlers
      .filter(({ warm }) => warm.length > 0)
      .map((handler) => {
        const subject = `${handler.className}.${handler.methodName}`;
        const { route, warm } = handler;
        if (route === undefined) {
          throw new CacheError(
            'INVALID_OPTIONS',
            `warm: ${subject} is not an HTTP handler and cannot be warmed by requests. Write a @WarmingStrategy for it.`,
          );
        }
        const name = `${HANDLER_STRATEGY_PREFIX}${subject}`;
        const tasks = warm.map((request) => this.#task(handler, route, request));
        this.registry.add({ entries: () => tasks }, { name });
        return name;
      });
  }

  #task(handler: CachedHandler, route: CachedRoute, request: WarmRequest): WarmingTask {
    const task = new WarmingTask(async (signal) => {
      const method = route.method === 'ALL' ? 'GET' : route.method;
      const url = routeUrl(route.path, request.params, request.query);
      const headers = this.#headers(route, request);
      const { answer, visit } = await this.caching.warming.visit((marks) =>
        this.requests.send({ method, url, headers: { ...headers, ...marks }, body: request.body }, signal),
      );
      if (handler.cache === undefined || handler.cache === 'default') task.key = visit.key;
      return outcomeOf(answer, visit, `${method} ${route.path} (${handler.className}.${handler.methodName})`);
    });
    return task;
  }

  #headers(route: CachedRoute, request: WarmRequest): Record<string, string> {
    const host = request.host ?? (route.host === undefined ? undefined : hostOf(route.host, request.params ?? {}));
    return {
      'user-agent': USER_AGENT,
      ...(host === undefined ? {} : { host }),
      ...this.#versionHeaders(request.version ?? route.versions[0]),
      ...Object.fromEntries(Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])),
    };
  }

  #versionHeaders(version: string | undefined): Record<string, string> {
    const versioning = this.config.getVersioning();
    if (versioning === undefined || version === undefined) return {};
    if (versioning.type === VersioningType.HEADER) return { [versioning.header.toLowerCase()]: version };
    if (versioning.type === VersioningType.MEDIA_TYPE)
      return { accept: `application/json;${versioning.key}${version}` };
    return {};
  }
}

function outcomeOf(
  answer: Awaited<ReturnType<InProcessRequests['send']>>,
  { key, warmed = true, bypassed }: WarmingVisit,
  subject: string,
): TaskOutcome {
  if (answer.status < 200 || answer.status > 299) throw refused(subject, answer.status);
  if (bypassed === true) {
    throw new CacheError(
      'WARMING_HANDLER_REFUSED',
      `${subject} bypassed the cache when it was warmed. Remove the header that makes the request private.`,
    );
  }
  return {
    keys: warmed && key !== undefined ? [key] : [],
    warmed: warmed ? 1 : 0,
    skipped: warmed ? 0 : 1,
    bytes: warmed ? answer.bytes : 0,
  };
}

/** A request in the code must succeed: any other answer, including a 4xx, is a failure. */
function refused(subject: string, status: number): CacheError {
  const why =
    status === 401 || status === 403
      ? 'a guard refused it. Add the headers that the guard requires: warm: [{ headers: { … } }]'
      : status === 404 || status === 410
        ? 'its resource does not exist. Correct this request in `warm`, or remove it'
        : 'check its response to this request';
  return new CacheError('WARMING_HANDLER_REFUSED', `${subject} answered ${status} when it was warmed; ${why}.`);
}

/** Fills in the parameters of a controller's host: `:tenant.example.com`. */
function hostOf(host: string, params: Readonly<Record<string, string>>): string {
  return host.replace(/:([A-Za-z_]\w*)/g, (_, name: string) => {
    const value = params[name];
    if (value !== undefined) return value;
    throw new CacheError('INVALID_OPTIONS', `warm: the host ${host} has no value for "${name}". Give host or params.`);
  });
}
