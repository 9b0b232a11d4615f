import { decoratorFaults, sentence } from '../decoration/decorator-faults.js';
import type { HttpServer } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { CacheLog } from '../../cache/base/cache-log.js';
import type { CachedHandler } from '../decoration/cached-handler.js';
import type { ClassConstructor, ProvidedMethod } from '../decoration/decorated-classes.js';
import { isFieldResolver } from '../decoration/handler-kind.js';
import { type CachedSite, type Method, methodName, type MethodSite } from '../decoration/method-site.js';
import type { Transport } from '../inputs/call.js';
import { type DeclaredInput, declaredInputs } from '../inputs/declared-inputs.js';
import { withoutMark } from '../inputs/input-path.js';
import type { FaultList } from '../keys/key-design.js';
import {
  doubtVary,
  type NamingSubject,
  parametersIn,
  refuseUnknownInCached,
  refuseUnknownInInvalidate,
} from './named-inputs.js';
import { refuseUnknownIgnored, refuseUnknownWarmed } from './named-options.js';
import type { HandledClass, HandledMethod } from './handled-classes.js';
import { KeyNames } from './key-names.js';
import { TagNames } from './tag-names.js';

/** Reports faulty options of decorators. Each use of a decorator is checked once. */
export class DecoratorChecks {
  /** The roots of all paths in `vary` of any handler. */
  readonly #varied = new Set<string>();
  readonly #checked = new Set<MethodSite>();
  /** Warnings about paths in `vary`. */
  readonly #doubts = new Set<string>();
  /** By cache. */
  readonly #tags = new Map<string, TagNames>();
  /** By cache. */
  readonly #keys = new Map<string, KeyNames>();

  constructor(
    private readonly faults: FaultList,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /**
   * Records the roots that `vary` names. Call it for all methods before the checks, because other handlers may name these
   * roots.
   */
  learn({ cached }: ProvidedMethod): void {
    const { vary = [] } = cached?.options ?? {};
    for (const path of [vary].flat()) {
      if (typeof path === 'string') this.#varied.add(withoutMark(path).path.split('.')[0]!);
    }
  }

  check({ cls }: HandledClass, handled: HandledMethod): void {
    const { cached, invalidating, transports } = handled;
    const sites: readonly MethodSite[] = [...invalidating, ...(cached === undefined ? [] : [cached])];
    for (const site of sites) {
      if (!this.#checked.has(site)) this.#checkOptions(site);
      this.#checked.add(site);
      const subjects = (transports.length === 0 ? (['method'] as const) : transports).map(
        (transport) => new HandledSubject(cls, site, handled, transport, this.#varied, this.adapterHost.httpAdapter),
      );
      for (const subject of subjects) this.#refuseUnknown(site, subject);
      if (site.kind !== 'cached') continue;
      for (const subject of subjects)
        doubtVary(site.options, subject, this.faults, (text) => void this.#doubts.add(text));
      refuseUnknownIgnored(site.options, subjects, this.faults);
      refuseUnknownWarmed(site.options, subjects, this.faults);
    }
    if (cached !== undefined && transports.length === 0) this.#refuseSynchronous(cached, cls);
  }

  /**
   * Logs paths in `vary` that are probably misspelt, and tags and keys that are invalidated although nothing sets them. @param
   * handlers compiled, with the tags of the module's policy.
   */
  report(handlers: readonly Pick<CachedHandler, 'cache' | 'plan'>[], log: CacheLog): void {
    for (const text of this.#doubts) log('warn', 'VARY_UNKNOWN', text);
    for (const { cache, plan } of handlers) this.#tagsOf(cache).set(plan.policy.tagsOf ?? plan.policy.tags);
    for (const names of [...this.#tags.values(), ...this.#keys.values()]) names.report(log);
  }

  #tagsOf(cache = 'default'): TagNames {
    const tags = this.#tags.get(cache) ?? new TagNames();
    this.#tags.set(cache, tags);
    return tags;
  }

  #keysOf(cache = 'default'): KeyNames {
    const keys = this.#keys.get(cache) ?? new KeyNames();
    this.#keys.set(cache, keys);
    return keys;
  }

  #checkOptions(site: MethodSite): void {
    const owner = `${site.declaredBy.name}.${methodName(site.method)}()`;
    for (const { code, text } of decoratorFaults(site)) this.faults.add(code, sentence(text));
    const tags = this.#tagsOf(site.options.cache);
    const keys = this.#keysOf(site.options.cache);
    if (site.kind === 'cached') {
      tags.set(site.options.tags ?? []);
      keys.make(site.pattern.statistics);
    } else {
      tags.name(site.options.tags ?? [], owner);
      keys.name(site.options, owner);
    }
  }

  #refuseUnknown(site: MethodSite, subject: NamingSubject): void {
    if (site.kind === 'cached') refuseUnknownInCached(site.pattern, site.options, subject, this.faults);
    else refuseUnknownInInvalidate(site.options, subject, this.faults);
  }

  /** Field resolvers are exempt: GraphQL awaits them like handlers. */
  #refuseSynchronous({ method, dispatcher }: CachedSite, cls: ClassConstructor): void {
    if (isFieldResolver(dispatcher)) return;
    const type: unknown = Reflect.getMetadata('design:returntype', cls.prototype as object, method as string);
    if (typeof type !== 'function' || type === Object) return;
    const instance: unknown = type.prototype;
    if (typeof instance === 'object' && instance !== null && ('then' in instance || 'subscribe' in instance)) return;
    this.faults.add(
      'SYNC_METHOD',
      `${cls.name}.${methodName(method)}(): @Cached is on a method that is declared to return ${type.name}, but callers of a ` +
        `cached method get a promise. Declare it to return Promise<${type.name}>, or remove @Cached.`,
    );
  }
}

/** The inputs that a decorator may name. They are looked up on demand, because most decorators name none. */
class HandledSubject implements NamingSubject {
  readonly method: string | symbol;
  readonly original: Method;
  #inputs: readonly DeclaredInput[] | undefined;

  constructor(
    readonly cls: ClassConstructor,
    site: MethodSite,
    private readonly handled: HandledMethod,
    readonly transport: Transport,
    readonly varied: ReadonlySet<string>,
    readonly adapter: HttpServer | undefined,
  ) {
    this.method = site.method;
    this.original = site.original;
  }

  get owner(): string {
    return `${this.cls.name}.${methodName(this.method)}()`;
  }

  get inputs(): readonly DeclaredInput[] {
    const { transport, cls, method, original } = this;
    return (this.#inputs ??= transport === 'method' ? [] : declaredInputs(transport, cls, method, original));
  }

  get route(): string | undefined {
    return this.#routes?.[0]?.path;
  }

  get parameters(): ReadonlySet<string> | undefined {
    const { cls, handled } = this;
    const own = [cls, handled.implementation].flatMap((target) =>
      [Reflect.getMetadata('path', target) as unknown].flat(),
    );
    const whole = this.#routes?.map(({ path }) => path);
    return whole && parametersIn([...own.filter((path) => typeof path === 'string'), ...whole]);
  }

  get hosts(): ReadonlySet<string> | undefined {
    return this.#routes && parametersIn(this.#routes.flatMap(({ host }) => host ?? []));
  }

  get #routes(): HandledMethod['routes'] | undefined {
    return this.transport === 'http' ? this.handled.routes : undefined;
  }
}
