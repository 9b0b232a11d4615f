import { Delete, Get, Inject, Patch, Put, Req, Res, type Type } from '@nestjs/common';
import { shown } from '../cache/base/shown.js';
import { nearest } from '../cache/options/unknown-option.js';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import { nameIn } from '../tuning/override-record.js';
import type { PolicyReport } from '../tuning/policy-tuning.js';
import { Write } from './access.js';
import { noBodyOf, policyBodyOf } from './bodies.js';
import { MONITORED_CACHE, MONITORED_CACHES, type MonitoredCache, type MonitoredCaches } from './monitored-cache.js';
import { MonitoredRoutes } from './monitored-routes.js';
import { MonitoringError } from './monitoring-error.js';
import type { Monitoring } from './monitoring.options.js';
import { cacheNameOf, cacheParameterOf, type MonitoringRequest, requiredPatternOf } from './parameters.js';
import { ofCache } from './presenter.js';
import { ReadingReply } from './reading-reply.js';
import { Reply } from './reply.js';
import { shownPolicy } from './shown-policy.js';

/** The fields of `request.user` that hold a name; the first one present is used. */
const NAMES = ['username', 'name', 'id', 'sub'] as const;

/** The routes that list, override and revert policies; each registration has its own class. */
export function policiesController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CachePoliciesController {
    constructor(
      @Inject(MONITORED_CACHE) private readonly cache: MonitoredCache,
      @Inject(CacheMetrics) private readonly metrics: CacheMetrics,
      @Inject(MONITORED_CACHES) private readonly named: MonitoredCaches,
      @Inject(ReadingReply) private readonly reading: ReadingReply,
      @Inject(Reply) private readonly reply: Reply,
    ) {}

    @Get('policies')
    policies(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('policies', request, response);
    }

    @Put('policies')
    @Write(monitoring)
    overridePolicy(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.#override(request, response, false);
    }

    /** Adds to the override that is in force. */
    @Patch('policies')
    @Write(monitoring)
    extendPolicy(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.#override(request, response, true);
    }

    @Delete('policies')
    @Write(monitoring)
    async revertPolicy(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const pattern = requiredPatternOf(request);
      const { tuning, metrics } = this.#asked(request);
      noBodyOf(request);
      const shown = shownPolicy(await tuning.revert(pattern, { by: whoAsks(request) }), metrics);
      this.reply.json(response, ofCache(shown, cacheNameOf(request)));
    }

    async #override(request: MonitoringRequest, response: unknown, keep: boolean): Promise<void> {
      const pattern = requiredPatternOf(request);
      const { tuning, metrics } = this.#asked(request);
      const { change, lasting } = policyBodyOf(request);
      if (!tuning.isDeclared(pattern)) await refuseUnknown(pattern, metrics, tuning.policies());
      const terms = { by: whoAsks(request), keep, ...(lasting !== undefined && { for: lasting }) };
      const shown = shownPolicy(await tuning.override(pattern, change, terms), metrics);
      this.reply.json(response, ofCache(shown, cacheNameOf(request)));
    }

    #asked(request: MonitoringRequest): Pick<MonitoredCache, 'tuning'> & { readonly metrics: CacheMetrics } {
      return cacheParameterOf(request, this.named.all) ?? { tuning: this.cache.tuning, metrics: this.metrics };
    }
  }
  return CachePoliciesController;
}

/** The name of the authenticated user, as the application's guards set it. */
function whoAsks({ user }: MonitoringRequest): string {
  if (typeof user !== 'object' || user === null) return nameIn(user);
  const name = NAMES.map((field) => (user as Record<string, unknown>)[field]).find(
    (value) => typeof value === 'string' || typeof value === 'number',
  );
  return nameIn(name);
}

/** Refuses a pattern that is neither declared nor counted: an override of a misspelt pattern would have no effect. */
async function refuseUnknown(pattern: string, metrics: CacheMetrics, policies: readonly PolicyReport[]): Promise<void> {
  const counted = await metrics.collectPatternStats('all');
  const known = [...new Set([...policies, ...counted].map((each) => each.pattern))];
  if (known.includes(pattern)) return;
  const meant = nearest(pattern, known);
  const hint = meant === undefined ? '' : ` Did you mean ${shown(meant)}?`;
  throw new MonitoringError(
    404,
    'UNKNOWN_PATTERN',
    `No handler declares the pattern ${shown(pattern)} and no key of it was counted.${hint} GET policies and GET stats/patterns list what there is.`,
  );
}
