import { Get, Inject, Req, Res, type Type } from '@nestjs/common';
import { Fleet } from '../fleet/fleet.js';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import type { CacheStatistics } from '../metrics/cache-statistics.js';
import { MonitoredRoutes } from './monitored-routes.js';
import type { Monitoring } from './monitoring.options.js';
import { MONITORED_CACHES, type MonitoredCaches } from './monitored-cache.js';
import {
  cacheOf,
  historyWindowOf,
  limitOf,
  minRequestsOf,
  type MonitoringRequest,
  patternOf,
  patternsOf,
  scopeOf,
  thresholdOf,
  windowOf,
} from './parameters.js';
import { presentedText } from './presenter.js';
import { Reply } from './reply.js';
import { SharedAnswers } from './shared-answers.js';

/** The routes that read what the metrics hold; a class of its own for every registration. */
export function statisticsController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheStatisticsController {
    constructor(
      @Inject(CacheMetrics) private readonly metrics: CacheMetrics,
      @Inject(Fleet) private readonly fleet: Fleet,
      @Inject(Reply) private readonly reply: Reply,
      @Inject(MONITORED_CACHES) private readonly named: MonitoredCaches,
      @Inject(SharedAnswers) private readonly shared: SharedAnswers,
    ) {}

    @Get('health')
    health(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.#answer(request, response, (metrics) => metrics.collectHealth());
    }

    @Get('stats')
    stats(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const window = windowOf(request);
      return this.#answer(request, response, (metrics) => metrics.collectStats(window));
    }

    @Get('stats/patterns')
    patterns(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const window = windowOf(request);
      return this.#answer(request, response, (metrics) => metrics.collectPatternStats(window));
    }

    @Get('stats/endpoints')
    endpoints(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const window = windowOf(request);
      return this.#answer(request, response, (metrics) => metrics.collectEndpointStats(window));
    }

    @Get('stats/layers')
    layers(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const window = windowOf(request);
      return this.#answer(request, response, (metrics) => metrics.collectLayerStats(window));
    }

    @Get('stats/operations')
    operations(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const window = windowOf(request);
      return this.#answer(request, response, (metrics) => metrics.collectOperationStats(window));
    }

    @Get('stats/top-patterns')
    topPatterns(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const limit = limitOf(request);
      const window = windowOf(request);
      return this.#answer(request, response, (metrics) => metrics.collectTopPatterns(limit, window));
    }

    @Get('stats/low-performers')
    lowPerformers(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const threshold = thresholdOf(request);
      const minRequests = minRequestsOf(request);
      const window = windowOf(request);
      return this.#answer(request, response, (metrics) => metrics.collectLowPerformers(threshold, window, minRequests));
    }

    @Get('hit-rate')
    hitRate(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.#answer(request, response, (metrics) => metrics.collectHitRates());
    }

    @Get('realtime')
    realtime(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.#answer(request, response, (metrics) => metrics.collectRealtime());
    }

    @Get('history')
    history(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const window = historyWindowOf(request);
      const pattern = patternOf(request);
      const patterns = patternsOf(request);
      return this.#answer(request, response, (metrics) => metrics.collectHistory(window, pattern, patterns));
    }

    /** Of one cache of this instance, or of all instances, whose number a header names. */
    async #answer(
      request: MonitoringRequest,
      response: unknown,
      ask: (metrics: CacheStatistics) => unknown,
    ): Promise<void> {
      const metrics = cacheOf(request, this.named.all)?.metrics ?? this.metrics;
      const scope = scopeOf(request);
      const address = request.originalUrl ?? request.url ?? '';
      const { text, instances } = await this.shared.answer(address, request.headers ?? {}, async () => {
        if (scope === 'instance') return { text: await presentedText(await ask(metrics)) };
        const fleet = await this.fleet.statistics();
        return { text: await presentedText(await ask(fleet.statistics)), instances: fleet.instances };
      });
      if (instances !== undefined) this.reply.header(response, 'X-Cache-Instances', String(instances));
      this.reply.text(response, text, 'application/json; charset=utf-8');
    }
  }
  return CacheStatisticsController;
}
