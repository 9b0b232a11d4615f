import type { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { CacheLog } from '../../cache/base/cache-log.js';
import type { OptionFault } from '../../cache/options/option-rules.js';
import { decoratedClasses, unsharedInstances } from '../decoration/decorated-classes.js';
import { neverCached } from '../decoration/handler-kind.js';
import { type CachedSite, methodName } from '../decoration/method-site.js';
import { neverCachedHttp } from '../http/never-cached.js';
import type { Transport } from '../inputs/call.js';
import { handlerInputs } from '../inputs/handler-inputs.js';
import { arity, parameterTypes } from '../inputs/route-arguments.js';
import { tagTemplates } from '../invalidation/tag-templates.js';
import { FaultList } from '../keys/key-design.js';
import { identifyingArguments } from './compile-method.js';
import { DecoratorChecks } from './decorator-checks.js';
import { type HandledClass, handledClasses, type HandledMethod } from './handled-classes.js';
import { handlerKey } from './handler-key.js';
import { methodKey } from './method-key.js';

/** The parts of an application that its decorators are checked against. */
export interface DeclaringApplication {
  readonly modules: ModulesContainer;
  readonly config: ApplicationConfig;
  readonly adapterHost: HttpAdapterHost;
}

/** What compiling would log is left to the boot that compiles. */
const SILENT: CacheLog = () => undefined;

/**
 * The faults of every decorator that metadata alone shows: its options, unknown or missing inputs, inputs that identify a caller,
 * synchronous methods. They are listed where the boot fails before a cache exists and handlers are compiled. Handlers and names that
 * clash are found by compiling only.
 */
export function declarationFaults({ modules, config, adapterHost }: DeclaringApplication): OptionFault[] {
  const faults = new FaultList();
  const checks = new DecoratorChecks(faults, adapterHost);
  const classes = [...handledClasses(decoratedClasses(modules), config, modules).values()];
  for (const { methods } of classes) for (const method of methods) checks.learn(method);
  for (const handled of classes) {
    for (const method of handled.methods) {
      checks.check(handled, method);
      if (method.cached !== undefined) checkKeys(handled, method, method.cached, config, faults);
    }
  }
  return faults.list.map(({ code, message }) => ({ code, text: message.replace(/\.$/, '') }));
}

function checkKeys(
  { cls, mounts }: HandledClass,
  { implementation, transports }: HandledMethod,
  site: CachedSite,
  config: ApplicationConfig,
  faults: FaultList,
): void {
  const [provided] = mounts;
  const { method, options, original } = site;
  const owner = `${cls.name}.${methodName(method)}()`;
  const unshared = mounts.map(({ wrapper }) => unsharedInstances(wrapper)).find((reason) => reason !== undefined);
  const known = { site, owner, base: '', unsharedInstances: unshared, types: parameterTypes(cls, method), log: SILENT };
  const checkTags = (transport: Transport, inputs: ReturnType<typeof handlerInputs>) =>
    faults.try(() => tagTemplates(options.tags, { transport, inputs, owner }, SILENT));
  for (const transport of transports) {
    const never = transport === 'http' ? neverCachedHttp(provided, site, implementation) : neverCached(implementation, transport); // prettier-ignore
    if (never !== undefined) continue;
    const piped = { transport, cls, method, implementation, module: provided.module, config };
    const inputs = handlerInputs(piped, original, options.query);
    handlerKey({ ...known, transport, inputs }, faults);
    checkTags(transport, inputs);
  }
  if (transports.length > 0) return;
  const parameters = arity(cls, method, original);
  methodKey({ ...known, cls, parameters, identifying: identifyingArguments(site, cls) }, faults);
  checkTags('method', []);
}
