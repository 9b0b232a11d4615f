import { Get, Inject, Req, Res, type Type } from '@nestjs/common';
import { MonitoredRoutes } from './monitored-routes.js';
import { MONITORED_CACHE, MONITORED_CACHES, type MonitoredCache, type MonitoredCaches } from './monitored-cache.js';
import type { Monitoring } from './monitoring.options.js';
import { cacheOf, limitOf, type MonitoringRequest, patternOf, requiredPatternOf } from './parameters.js';
import { Reply } from './reply.js';

/** The routes of what insight shows; a class of its own for every registration. */
export function insightsController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheInsightsController {
    constructor(
      @Inject(MONITORED_CACHE) private readonly cache: MonitoredCache,
      @Inject(MONITORED_CACHES) private readonly named: MonitoredCaches,
      @Inject(Reply) private readonly reply: Reply,
    ) {}

    @Get('insights')
    async insights(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const pattern = patternOf(request);
      const insight = this.#insightOf(request);
      await this.reply.large(response, await insight.collectRecommendations({ pattern }));
    }

    @Get('insights/ttl')
    async ttl(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const pattern = requiredPatternOf(request);
      await this.reply.large(response, this.#insightOf(request).ttlLadder(pattern));
    }

    @Get('insights/memory')
    async memory(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      await this.reply.large(response, this.#insightOf(request).memoryLadder());
    }

    @Get('hot-keys')
    async hotKeys(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const limit = limitOf(request);
      await this.reply.large(response, this.#insightOf(request).hotKeys(limit));
    }

    #insightOf(request: MonitoringRequest): MonitoredCache['insight'] {
      return (cacheOf(request, this.named.all) ?? this.cache).insight;
    }
  }
  return CacheInsightsController;
}
