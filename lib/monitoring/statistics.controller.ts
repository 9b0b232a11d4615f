import { Get, Inject, Req, Res, type Type } from '@nestjs/common';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import { type Monitoring, MonitoredRoutes } from './monitored-routes.js';
import { limitOf, minRequestsOf, type MonitoringRequest, thresholdOf, windowOf } from './parameters.js';
import { Reply } from './reply.js';

/** The routes that read what the metrics hold; a class of its own for every registration. */
export function statisticsController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheStatisticsController {
    readonly #metrics: CacheMetrics;
    readonly #reply: Reply;

    constructor(@Inject(CacheMetrics) metrics: CacheMetrics, @Inject(Reply) reply: Reply) {
      this.#metrics = metrics;
      this.#reply = reply;
    }

    @Get('health')
    health(@Res() response: unknown): void {
      this.#reply.json(response, this.#metrics.getHealth());
    }

    @Get('stats')
    stats(@Req() request: MonitoringRequest, @Res() response: unknown): void {
      this.#reply.json(response, this.#metrics.getStats(windowOf(request)));
    }

    @Get('stats/patterns')
    patterns(@Req() request: MonitoringRequest, @Res() response: unknown): void {
      this.#reply.json(response, this.#metrics.getAllPatternStats(windowOf(request)));
    }

    @Get('stats/endpoints')
    endpoints(@Req() request: MonitoringRequest, @Res() response: unknown): void {
      this.#reply.json(response, this.#metrics.getEndpointStats(windowOf(request)));
    }

    @Get('stats/layers')
    layers(@Req() request: MonitoringRequest, @Res() response: unknown): void {
      this.#reply.json(response, this.#metrics.getLayerStats(windowOf(request)));
    }

    @Get('stats/operations')
    operations(@Req() request: MonitoringRequest, @Res() response: unknown): void {
      this.#reply.json(response, this.#metrics.getOperationStats(windowOf(request)));
    }

    @Get('stats/top-patterns')
    topPatterns(@Req() request: MonitoringRequest, @Res() response: unknown): void {
      this.#reply.json(response, this.#metrics.getTopPatterns(limitOf(request), windowOf(request)));
    }

    @Get('stats/low-performers')
    lowPerformers(@Req() request: MonitoringRequest, @Res() response: unknown): void {
      const threshold = thresholdOf(request);
      const minRequests = minRequestsOf(request);
      this.#reply.json(response, this.#metrics.getLowPerformers(threshold, windowOf(request), minRequests));
    }

    @Get('hit-rate')
    hitRate(@Res() response: unknown): void {
      this.#reply.json(response, this.#metrics.getHitRates());
    }

    @Get('realtime')
    realtime(@Res() response: unknown): void {
      this.#reply.json(response, this.#metrics.getRealtime());
    }
  }
  return CacheStatisticsController;
}
