import type { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { CacheLog } from '../../cache/base/cache-log.js';
import type { OptionFault } from '../../cache/options/option-rules.js';
import { unknownNames } from '../../cache/options/unknown-option.js';
import { type ClassConstructor, decoratedClasses, unsharedInstances } from '../decoration/decorated-classes.js';
import { sentence } from '../decoration/decorator-faults.js';
import { neverCached } from '../decoration/handler-kind.js';
import { type CachedSite, methodName, type MethodSite } from '../decoration/method-site.js';
import { neverCachedHttp } from '../http/never-cached.js';
import type { Transport } from '../inputs/call.js';
import { handlerInputs } from '../inputs/handler-inputs.js';
import { arity, parameterTypes } from '../inputs/route-arguments.js';
import { tagTemplates } from '../invalidation/tag-templates.js';
import { DeclaredKeys } from '../keys/declared-keys.js';
import { FaultList } from '../keys/key-design.js';
import { identifyingArguments } from './compile-method.js';
import { DecoratorChecks } from './decorator-checks.js';
import { compiledMount, type HandledClass, handledClasses, type HandledMethod } from './handled-classes.js';
import { handlerKey } from './handler-key.js';
import { mountsByInstance } from './instances.js';
import { KeyClashes } from './key-clashes.js';
import { methodKey } from './method-key.js';
import type { NamedClass } from './provider-names.js';

/** The parts of an application that checking its decorators needs. */
export interface DeclaringApplication {
  readonly modules: ModulesContainer;
  readonly config: ApplicationConfig;
  readonly adapterHost: HttpAdapterHost;
}

/** Logs nothing: compiling logs the same messages. */
const SILENT: CacheLog = () => undefined;

/**
 * Returns the faults of decorators that metadata alone shows: options, unknown or missing inputs, inputs that identify a
 * caller, synchronous methods, keys and names that clash. It is called if the boot fails before a cache exists and handlers are
 * compiled.
 * @param caches the names of the named caches.
 */
export function declarationFaults(application: DeclaringApplication, caches: readonly string[]): OptionFault[] {
  const { modules, config, adapterHost } = application;
  const faults = new FaultList();
  const checks = new DecoratorChecks(faults, adapterHost);
  const provided = decoratedClasses(modules);
  const classes = [...handledClasses(provided, config, modules).values()];
  const instances = [...mountsByInstance(provided).values()].map((mounts): NamedClass => {
    const [{ cls }] = mounts;
    return { cls, host: { cls }, mounts };
  });
  const declarations = new Declarations(config, instances, new KeyClashes(classes, instances, faults), faults);
  for (const { methods } of classes) for (const method of methods) checks.learn(method);
  for (const handled of classes) {
    for (const method of handled.methods) {
      checks.check(handled, method);
      if (method.cached !== undefined) declarations.check(handled, method, method.cached);
      for (const site of [method.cached ?? [], method.invalidating].flat()) {
        const { cache = 'default' } = site.options;
        if (cache !== 'default' && !caches.includes(cache)) faults.add('INVALID_OPTIONS', unknownCache(site, caches));
      }
    }
  }
  return faults.list.map(({ code, message }) => ({ code, text: message.replace(/\.$/, '') }));
}

/** Returns the fault of a decorator that names a cache which the application does not have. */
export function unknownCache({ options, declaredBy, method }: MethodSite, caches: readonly string[]): string {
  const { cache: name = '' } = options;
  const why = sentence(unknownNames([name], ['default', ...caches]).get(name)!);
  return (
    `${declaredBy.name}.${methodName(method)}(): cache '${name}'${why} Import ` +
    `CacheObservabilityModule.forFeature('${name}') to have it.`
  );
}

/** Checks the declared keys of handlers and methods as compiling does. */
class Declarations {
  /** By cache. */
  readonly #keys = new Map<string, DeclaredKeys>();

  constructor(
    private readonly config: ApplicationConfig,
    private readonly instances: readonly NamedClass[],
    private readonly clashes: KeyClashes,
    private readonly faults: FaultList,
  ) {}

  check({ cls, mounts }: HandledClass, handled: HandledMethod, site: CachedSite): void {
    const { clashes, config, faults } = this;
    const { implementation, transports, routes } = handled;
    const { method, options, original } = site;
    const provided = compiledMount(mounts);
    const route = routes[mounts.indexOf(provided)];
    const owner = `${cls.name}.${methodName(method)}()`;
    const unshared = mounts.map(({ wrapper }) => unsharedInstances(wrapper)).find((reason) => reason !== undefined);
    const known = {
      site,
      owner,
      base: '',
      unsharedInstances: unshared,
      types: parameterTypes(cls, method),
      log: SILENT,
    };
    const checkTags = (transport: Transport, inputs: ReturnType<typeof handlerInputs>) =>
      faults.try(() => tagTemplates(options.tags, { transport, inputs, owner }, SILENT));
    for (const transport of transports) {
      const never = transport === 'http' ? neverCachedHttp(provided, site, implementation) : neverCached(implementation, transport); // prettier-ignore
      if (never !== undefined) continue;
      if (transport !== 'http') {
        if (clashes.ofClass(cls, site) === undefined) continue;
      } else if (route !== undefined) clashes.ofRoute(cls, site, route);
      const piped = { transport, cls, method, implementation, module: provided.module, config };
      const inputs = handlerInputs(piped, original, options.query);
      handlerKey({ ...known, transport, inputs }, faults);
      checkTags(transport, inputs);
      this.#declare(site, cls, owner);
    }
    clashes.refuseSharedKeys(site, { cls, mounts, methods: [] }, transports);
    if (transports.length > 0) return;
    const instances = this.instances.filter((each) => each.cls === cls);
    const names = instances.map(({ host }) => clashes.ofInstance(host, site));
    if (names.every((name) => name === undefined)) return;
    const parameters = arity(cls, method, original);
    methodKey({ ...known, cls, parameters, identifying: identifyingArguments(site, cls) }, faults);
    checkTags('method', []);
    this.#declare(site, cls, owner);
  }

  /** Reports a template that can make the same key as another one. */
  #declare(site: CachedSite, cls: ClassConstructor, owner: string): void {
    const { pattern, options } = site;
    if (pattern.kind !== 'template' || options.key !== undefined) return;
    const { template } = pattern;
    const name = options.cache ?? 'default';
    const keys = this.#keys.get(name) ?? new DeclaredKeys();
    this.#keys.set(name, keys);
    keys.template(
      { owner, subject: { site, cls }, template, literals: template.literals, slots: [], names: [] },
      this.faults,
    );
  }
}
