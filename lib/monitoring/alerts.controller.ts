import { Get, Inject, Req, Res, type Type } from '@nestjs/common';
import { MONITORED_CACHE, MONITORED_CACHES, type MonitoredCache, type MonitoredCaches } from './monitored-cache.js';
import { MonitoredRoutes } from './monitored-routes.js';
import type { Monitoring } from './monitoring.options.js';
import { alertStateOf, cacheOf, type MonitoringRequest } from './parameters.js';
import { Reply } from './reply.js';

/** The route of the alerts of this instance; a class of its own for every registration. */
export function alertsController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheAlertsController {
    constructor(
      @Inject(MONITORED_CACHE) private readonly cache: MonitoredCache,
      @Inject(MONITORED_CACHES) private readonly named: MonitoredCaches,
      @Inject(Reply) private readonly reply: Reply,
    ) {}

    @Get('alerts')
    alerts(@Req() request: MonitoringRequest, @Res() response: unknown): void {
      const state = alertStateOf(request);
      const { insight } = cacheOf(request, this.named.all) ?? this.cache;
      this.reply.json(response, insight.alerts({ state }));
    }
  }
  return CacheAlertsController;
}
