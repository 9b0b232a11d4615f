import { Get, Inject, Req, Res, type Type } from '@nestjs/common';
import { MonitoredRoutes } from './monitored-routes.js';
import type { Monitoring } from './monitoring.options.js';
import type { MonitoringRequest } from './parameters.js';
import { LateHandlers } from './late-handlers.js';

/** The routes of insight and alerts; each registration has its own class. */
export function insightsController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheInsightsController {
    constructor(@Inject(LateHandlers) private readonly handlers: LateHandlers) {}

    @Get('insights')
    insights(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('insights', request, response);
    }

    @Get('insights/ttl')
    ttl(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('insights/ttl', request, response);
    }

    @Get('insights/memory')
    memory(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('insights/memory', request, response);
    }

    @Get('hot-keys')
    hotKeys(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('hot-keys', request, response);
    }

    @Get('alerts')
    alerts(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('alerts', request, response);
    }
  }
  return CacheInsightsController;
}
