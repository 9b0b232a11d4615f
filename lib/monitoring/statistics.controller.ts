import { Get, Inject, Req, Res, type Type } from '@nestjs/common';
import { Fleet } from '../fleet/fleet.js';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import type { CacheStatistics } from '../metrics/cache-statistics.js';
import { type Monitoring, MonitoredRoutes } from './monitored-routes.js';
import { limitOf, minRequestsOf, type MonitoringRequest, scopeOf, thresholdOf, windowOf } from './parameters.js';
import { Reply } from './reply.js';

/** The routes that read what the metrics hold; a class of its own for every registration. */
export function statisticsController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheStatisticsController {
    readonly #metrics: CacheMetrics;
    readonly #fleet: Fleet;
    readonly #reply: Reply;

    constructor(@Inject(CacheMetrics) metrics: CacheMetrics, @Inject(Fleet) fleet: Fleet, @Inject(Reply) reply: Reply) {
      this.#metrics = metrics;
      this.#fleet = fleet;
      this.#reply = reply;
    }

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

    /** Of this instance, or of all of them: how many that are, a header says. */
    async #answer(
      request: MonitoringRequest,
      response: unknown,
      ask: (metrics: CacheStatistics) => unknown,
    ): Promise<void> {
      if (scopeOf(request) === 'instance') return this.#reply.large(response, await ask(this.#metrics));
      const { statistics, instances } = await this.#fleet.statistics();
      this.#reply.header(response, 'X-Cache-Instances', String(instances));
      await this.#reply.large(response, await ask(statistics));
    }
  }
  return CacheStatisticsController;
}
