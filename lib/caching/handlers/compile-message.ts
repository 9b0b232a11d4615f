import type { ApplicationConfig } from '@nestjs/core';
import type { ProvidedClass } from '../decoration/decorated-classes.js';
import { neverCached } from '../decoration/handler-kind.js';
import { type CachedSite, type Method, methodName } from '../decoration/method-site.js';
import type { Transport } from '../inputs/call.js';
import { declaredInputs } from '../inputs/declared-inputs.js';
import { parameterTypes } from '../inputs/route-arguments.js';
import { handlerKey } from '../keys/handler-key.js';
import { SafeKeys } from '../keys/safe-keys.js';
import type { Compilation } from './compilation.js';
import { policyOf, seriesOptions } from './handler-policy.js';
import type { Invalidation } from './invalidation.js';
import { MessageHandler } from './message-handler.js';
import { outsideInterceptors, serializerOf } from './outside-interceptors.js';
import { tagTemplates } from './tag-templates.js';

/** How endpoints of these transports are called in statistics. */
const ENDPOINT = { rpc: 'RPC', ws: 'WS', graphql: 'GRAPHQL' } as const;

/** Decides everything about an RPC, WebSocket or GraphQL handler; undefined where it is never cached, or at fault. */
export function compileMessage(
  compilation: Compilation,
  transport: Exclude<Transport, 'http' | 'method'>,
  provided: ProvidedClass,
  site: CachedSite,
  implementation: Method,
  name: string,
  config: ApplicationConfig,
  invalidations: readonly Invalidation[],
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
  const inputs = declaredInputs(transport, cls, site.method, site.original);
  const types = parameterTypes(cls, site.method);
  const requestScoped = !wrapper.isDependencyTreeStatic();
  const base = `${ENDPOINT[transport]} ${name}`;
  const key = handlerKey({ site, transport, owner, inputs, base, requestScoped, types }, faults);
  if (pattern.kind === 'template' && options.key === undefined) {
    compilation.wholeKeys.claim(pattern.template, owner, { site, cls }, faults);
  }
  const outside = outsideInterceptors(implementation, cls, module, config);
  const plan = faults.try(() => {
    const clone = outside.count > 0 && options.clone === undefined;
    return cache.plan(
      pattern.statistics,
      { ...policyOf(options), ...(clone && { clone }) },
      base,
      seriesOptions(options),
    );
  });
  const tags = faults.try(() => tagTemplates(options.tags, transport, inputs, owner));
  if (key === undefined || plan === undefined) return undefined;
  compilation.compiled(site, cls.name, plan, undefined);
  return new MessageHandler({
    cache,
    plan,
    transport,
    keys: new SafeKeys(key.recipe, owner, log),
    answersAuthorization: key.answersAuthorization,
    tags,
    invalidations,
    probe: inputs.some(({ identifying }) => identifying !== undefined) ? undefined : compilation.probeOf(owner),
    prepare: serializerOf(outside, implementation, cls),
  });
}
