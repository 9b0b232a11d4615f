import { Get, Inject, Req, Res, type Type } from '@nestjs/common';
import { MonitoredRoutes } from './monitored-routes.js';
import type { Monitoring } from './monitoring.options.js';
import type { MonitoringRequest } from './parameters.js';
import { ReadingReply } from './reading-reply.js';

/** The routes that read the metrics; each registration has its own class. */
export function statisticsController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheStatisticsController {
    constructor(@Inject(ReadingReply) private readonly reading: ReadingReply) {}

    @Get('health')
    health(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('health', request, response);
    }

    @Get('stats')
    stats(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('stats', request, response);
    }

    @Get('stats/patterns')
    patterns(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('stats/patterns', request, response);
    }

    @Get('stats/endpoints')
    endpoints(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('stats/endpoints', request, response);
    }

    @Get('stats/layers')
    layers(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('stats/layers', request, response);
    }

    @Get('stats/memory')
    heldMemory(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('stats/memory', request, response);
    }

    @Get('stats/operations')
    operations(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('stats/operations', request, response);
    }

    @Get('stats/top-patterns')
    topPatterns(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('stats/top-patterns', request, response);
    }

    @Get('stats/low-performers')
    lowPerformers(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('stats/low-performers', request, response);
    }

    @Get('hit-rate')
    hitRate(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('hit-rate', request, response);
    }

    @Get('realtime')
    realtime(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('realtime', request, response);
    }

    @Get('history')
    history(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('history', request, response);
    }

    @Get('instances')
    instances(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('instances', request, response);
    }
  }
  return CacheStatisticsController;
}
