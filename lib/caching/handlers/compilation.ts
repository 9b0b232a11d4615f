import type { CacheLog } from '../../cache/base/cache-log.js';
import { systemClock } from '../../cache/base/clock.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { ReadPlan } from '../../cache/policies/read-plan.js';
import type { CachedHandler } from '../decoration/cached-handler.js';
import type { CachingOptions } from '../options/caching.options.js';
import { type CachedSite, type MeasuredSite, methodName } from '../decoration/method-site.js';
import { DeclaredKeys, type DeclaredTemplate } from '../keys/declared-keys.js';
import { DeclaredTags } from '../keys/declared-tags.js';
import { FaultList } from '../keys/key-design.js';
import { type KeyRecipe, TemplateRecipe } from '../keys/key-recipe.js';
import { DeclaredPolicies } from './declared-policies.js';
import type { InvalidationSubject } from '../invalidation/invalidation.js';
import { Probe } from '../inputs/probe.js';
import { type TagTemplates, tagTemplates } from '../invalidation/tag-templates.js';

/** A handler or method with its keys; faulty parts are undefined. */
export interface Declaration {
  readonly site: CachedSite;
  readonly cls: object;
  /** For messages: `ProductController.find()`. */
  readonly owner: string;
  readonly recipe: KeyRecipe | undefined;
  readonly plan: ReadPlan | undefined;
  readonly tags: TagTemplates | undefined;
}

/** The shared state while the handlers and methods of one cache are compiled: the cache, its log, and the results. */
export class Compilation {
  readonly cache: LayeredCache;
  readonly options: CachingOptions;
  readonly log: CacheLog;
  readonly faults: FaultList;
  readonly handlers: CachedHandler[];
  readonly declaredKeys = new DeclaredKeys();
  readonly declaredTags = new DeclaredTags();
  readonly #declaredPolicies: DeclaredPolicies;
  /** Returns the current time of the clock. */
  readonly now: () => number;
  readonly #measured: { readonly site: CachedSite; readonly measured: MeasuredSite }[] = [];

  /** @param shared for a named cache: the compilation of the default cache, because all caches share faults and handlers. */
  constructor(cache: LayeredCache, options: CachingOptions, shared?: Pick<Compilation, 'faults' | 'handlers'>) {
    this.faults = shared?.faults ?? new FaultList();
    this.handlers = shared?.handlers ?? [];
    this.cache = cache;
    this.options = options;
    this.log = options.log;
    const { clock = systemClock } = options;
    this.now = () => clock.now();
    this.#declaredPolicies = new DeclaredPolicies(this.declaredKeys, options.log);
    cache.inheritPolicies((key) => this.#declaredPolicies.of(key));
  }

  /**
   * Declares the keys of a handler or method. Then invalidations find these keys, no other handler may make them, and an entry
   * that other code writes under such a key gets the handler's tags and policy.
   */
  declare({ site, cls, owner, recipe, plan, tags }: Declaration): void {
    const { pattern, options } = site;
    if (pattern.kind === 'prefix') return this.declaredKeys.prefix(pattern.prefix);
    // The function `key` decides the key, so no template is known.
    if (options.key !== undefined) return;
    const { template } = pattern;
    const parts = recipe instanceof TemplateRecipe ? recipe.parts : [];
    const declared: DeclaredTemplate = {
      owner,
      subject: { site, cls },
      template,
      literals: template.literals,
      slots: parts.map(({ slot }) => slot),
      names: parts.map(({ name }) => name),
    };
    this.declaredKeys.template(declared, this.faults);
    if (plan !== undefined) this.#declaredPolicies.declare(declared, plan, tags);
  }

  /** Returns the tags of a handler or method that name inputs, and declares them so that invalidations find them. */
  tagsOf(site: CachedSite, subject: InvalidationSubject): TagTemplates | undefined {
    const tags = this.faults.try(() => tagTemplates(site.options.tags, subject, this.log));
    for (const filled of tags?.templates ?? []) this.declaredTags.declare(filled.template, filled.parsers);
    return tags;
  }

  /** Records a compiled handler or method, for other features and `cacheMetricsOf`. */
  compiled(
    site: CachedSite,
    handler: Pick<CachedHandler, 'className' | 'transport' | 'plan' | 'route' | 'repeatable'>,
  ): void {
    const { pattern, options, method } = site;
    const { className, transport, plan, route, repeatable } = handler;
    // A spread object would take twice the memory.
    this.handlers.push({
      className,
      transport,
      plan,
      route,
      repeatable,
      methodName: methodName(method),
      cache: options.cache,
      pattern: pattern.statistics,
      text: pattern.kind === 'template' ? pattern.template.text : pattern.statistics,
      warm: options.warm ?? [],
    });
    const { metrics } = this.options;
    if (metrics === undefined || options.metrics === false) return;
    const measured = { metrics, series: plan.series };
    site.measured = site.measured.concat(measured);
    this.#measured.push({ site, measured });
  }

  probeOf(owner: string): Probe | undefined {
    const share = this.options.probe ?? 0;
    if (share <= 0 || process.env.NODE_ENV === 'production') return undefined;
    return new Probe(share, this.options.random ?? Math.random, this.log, owner);
  }

  /** Removes the application from the metadata of decorators. */
  close(): void {
    this.cache.inheritPolicies(undefined);
    for (const { site, measured } of this.#measured) site.measured = site.measured.filter((one) => one !== measured);
  }
}
