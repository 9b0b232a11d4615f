import type { ApplicationConfig } from '@nestjs/core';
import { type ProvidedClass, unsharedInstances } from '../decoration/decorated-classes.js';
import { returnType } from '../decoration/return-type.js';
import { neverCached } from '../decoration/handler-kind.js';
import { type CachedSite, type Method, methodName } from '../decoration/method-site.js';
import type { Transport } from '../inputs/call.js';
import { handlerInputs } from '../inputs/handler-inputs.js';
import { parameterTypes } from '../inputs/route-arguments.js';
import { handlerKey } from './handler-key.js';
import { SafeKeys } from '../keys/safe-keys.js';
import { BypassLog } from '../gate/bypass-log.js';
import { RequestGate } from '../gate/request-gate.js';
import type { WarmingRequests } from '../gate/warming-requests.js';
import type { Compilation } from './compilation.js';
import { policyOf, seriesOptions } from './handler-policy.js';
import type { Invalidation } from '../invalidation/invalidation.js';
import { MessageHandler } from './message-handler.js';
import { interceptorsOutside } from './outside-interceptors.js';

/** The names of these transports in the endpoints of statistics. */
const ENDPOINT = { rpc: 'RPC', ws: 'WS', graphql: 'GRAPHQL' } as const;

/** Messages have no HTTP methods. */
const NO_METHODS: ReadonlySet<string> = new Set();

/** Compiles an RPC, WebSocket or GraphQL handler; undefined if it is never cached or faulty. */
export function compileMessage(
  compilation: Compilation,
  transport: Exclude<Transport, 'http' | 'method'>,
  provided: ProvidedClass,
  site: CachedSite,
  implementation: Method,
  name: string,
  config: ApplicationConfig,
  invalidations: readonly Invalidation[],
  warming: WarmingRequests,
): MessageHandler | undefined {
  const { faults, log, cache } = compilation;
  const { cls, module, wrapper } = provided;
  const { options, pattern } = site;
  const owner = `${cls.name}.${methodName(site.method)}()`;
  const never = neverCached(implementation, transport);
  if (never !== undefined) {
    log('warn', 'NEVER_CACHED', `${owner} is never cached: ${never}.`, { pattern: pattern.statistics });
    return undefined;
  }
  const piped = {
    transport,
    cls,
    method: site.method,
    implementation,
    module,
    config,
  };
  const inputs = handlerInputs(piped, site.original, options.query);
  const types = parameterTypes(cls, site.method);
  const unshared = unsharedInstances(wrapper);
  const base = `${ENDPOINT[transport]} ${name}`;
  const key = handlerKey({ site, transport, owner, inputs, base, unsharedInstances: unshared, types, log }, faults);
  const outside = interceptorsOutside(implementation, cls, config);
  const plan = faults.try(() => {
    const declared = policyOf(options);
    return cache.plan(
      pattern.statistics,
      outside > 0 && options.clone === undefined ? { ...declared, clone: true } : declared,
      base,
      seriesOptions(options),
      { returns: returnType(cls, site.method) },
    );
  });
  const tags = compilation.tagsOf(site, { transport, inputs, owner });
  compilation.declare({ site, cls, owner, recipe: key?.recipe, plan, tags });
  if (key === undefined || plan === undefined) return undefined;
  compilation.compiled(site, { className: cls.name, transport, plan, route: undefined });
  const gate = new RequestGate({
    cache,
    transport,
    keys: new SafeKeys(key.recipe, owner, log),
    methods: NO_METHODS,
    answersAuthorization: key.answersAuthorization,
    honorRequestDirectives: options.honorRequestDirectives === true,
    warming,
    bypasses: new BypassLog(owner, site.pattern.statistics, key.whyUnidentified, log),
  });
  const probe = inputs.some(({ identifying }) => identifying !== undefined) ? undefined : compilation.probeOf(owner);
  return new MessageHandler(cache, plan, gate, compilation.now, tags, invalidations, probe);
}
