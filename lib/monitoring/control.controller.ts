import { Get, Inject, Post, Req, Res, type Type } from '@nestjs/common';
import { Write } from './access.js';
import { LateHandlers } from './late-handlers.js';
import { MonitoredRoutes } from './monitored-routes.js';
import type { Monitoring } from './monitoring.options.js';
import type { MonitoringRequest } from './parameters.js';

/**
 * The routes that change data, and the routes of warming runs; each registration has its own class. They answer 200 instead of 201,
 * because they create no resource with a URL. A warming run with `wait=false` answers 202 with the `Location` of its report.
 */
export function controlController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheControlController {
    constructor(@Inject(LateHandlers) private readonly handlers: LateHandlers) {}

    @Post('warm')
    @Write(monitoring)
    warm(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.answer('warm', request, response);
    }

    @Get('warm')
    runs(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('warm', request, response);
    }

    @Get('warm/:id')
    run(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.answer('run', request, response);
    }

    @Post('reset-metrics')
    @Write(monitoring)
    reset(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.answer('reset', request, response);
    }

    @Post('invalidate')
    @Write(monitoring)
    invalidate(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.answer('invalidate', request, response);
    }
  }
  return CacheControlController;
}
