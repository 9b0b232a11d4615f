import { Get, Inject, Req, Res, type Type } from '@nestjs/common';
import { MonitoredRoutes } from './monitored-routes.js';
import type { Monitoring } from './monitoring.options.js';
import type { MonitoringRequest } from './parameters.js';
import { LateHandlers } from './late-handlers.js';

/** The routes that read the metrics; each registration has its own class. */
export function statisticsController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheStatisticsController {
    constructor(@Inject(LateHandlers) private readonly handlers: LateHandlers) {}

    @Get('health')
    health(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('health', request, response);
    }

    @Get('stats')
    stats(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('stats', request, response);
    }

    @Get('stats/patterns')
    patterns(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('stats/patterns', request, response);
    }

    @Get('stats/endpoints')
    endpoints(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('stats/endpoints', request, response);
    }

    @Get('stats/layers')
    layers(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('stats/layers', request, response);
    }

    @Get('stats/memory')
    heldMemory(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('stats/memory', request, response);
    }

    @Get('stats/operations')
    operations(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('stats/operations', request, response);
    }

    @Get('stats/top-patterns')
    topPatterns(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('stats/top-patterns', request, response);
    }

    @Get('stats/low-performers')
    lowPerformers(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('stats/low-performers', request, response);
    }

    @Get('hit-rate')
    hitRate(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('hit-rate', request, response);
    }

    @Get('realtime')
    realtime(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('realtime', request, response);
    }

    @Get('history')
    history(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('history', request, response);
    }

    @Get('instances')
    instances(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('instances', request, response);
    }
  }
  return CacheStatisticsController;
}
