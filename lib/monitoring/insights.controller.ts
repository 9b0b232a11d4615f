import { Get, Inject, Req, Res, type Type } from '@nestjs/common';
import { MonitoredRoutes } from './monitored-routes.js';
import type { Monitoring } from './monitoring.options.js';
import type { MonitoringRequest } from './parameters.js';
import { ReadingReply } from './reading-reply.js';

/** The routes of insight and of alerts; each registration has its own class. */
export function insightsController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheInsightsController {
    constructor(@Inject(ReadingReply) private readonly reading: ReadingReply) {}

    @Get('insights')
    insights(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('insights', request, response);
    }

    @Get('insights/ttl')
    ttl(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('insights/ttl', request, response);
    }

    @Get('insights/memory')
    memory(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('insights/memory', request, response);
    }

    @Get('hot-keys')
    hotKeys(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('hot-keys', request, response);
    }

    @Get('alerts')
    alerts(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('alerts', request, response);
    }
  }
  return CacheInsightsController;
}
