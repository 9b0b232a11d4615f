import type { CacheLog } from '../../cache/cache-log.js';
import { systemClock } from '../../cache/clock.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { ReadPlan } from '../../cache/read-plan.js';
import type { CachedHandler, CachedRoute } from '../cached-handler.js';
import type { CachingOptions } from '../caching.options.js';
import { type CachedSite, type MeasuredSite, methodName } from '../decoration/method-site.js';
import { FaultList } from '../keys/key-design.js';
import { Probe } from './probe.js';
import type { WholeKeys } from './whole-keys.js';

/** What compiling handlers and methods of one application has in common: its cache, its log, and what has been found. */
export class Compilation {
  readonly cache: LayeredCache;
  readonly options: CachingOptions;
  readonly log: CacheLog;
  readonly faults = new FaultList();
  readonly handlers: CachedHandler[] = [];
  readonly wholeKeys: WholeKeys;
  readonly #measured: { readonly site: CachedSite; readonly measured: MeasuredSite }[] = [];

  constructor(cache: LayeredCache, options: CachingOptions, wholeKeys: WholeKeys) {
    this.cache = cache;
    this.options = options;
    this.log = options.log;
    this.wholeKeys = wholeKeys;
  }

  /** Notes a compiled handler or method for other rooms and for `cacheMetricsOf`. */
  compiled(site: CachedSite, className: string, plan: ReadPlan, route: CachedRoute | undefined): void {
    const { pattern, options, method } = site;
    this.handlers.push({
      className,
      methodName: methodName(method),
      pattern: pattern.statistics,
      plan,
      route,
      warm: options.warm ?? [],
    });
    const { metrics } = this.options;
    if (metrics === undefined || options.metrics === false) return;
    const measured = { metrics, series: plan.series };
    site.measured.add(measured);
    this.#measured.push({ site, measured });
  }

  probeOf(owner: string): Probe | undefined {
    const share = this.options.probe ?? 0;
    if (share <= 0 || process.env.NODE_ENV === 'production') return undefined;
    return new Probe({ share, random: this.options.random ?? Math.random, log: this.log, owner });
  }

  /** The clock's reading. */
  now(): () => number {
    const clock = this.options.clock ?? systemClock;
    return () => clock.now();
  }

  /** Forgets the application's part in what decorators left behind. */
  close(): void {
    for (const { site, measured } of this.#measured) site.measured.delete(measured);
  }
}
