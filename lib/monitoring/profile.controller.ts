import { Get, Inject, Post, Req, Res, type Type } from '@nestjs/common';
import { Write } from './access.js';
import { LateHandlers } from './late-handlers.js';
import { MonitoredRoutes } from './monitored-routes.js';
import type { Monitoring } from './monitoring.options.js';
import type { MonitoringRequest } from './parameters.js';

/** The routes of profiling; each registration has its own class. */
export function profileController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheProfileController {
    constructor(@Inject(LateHandlers) private readonly handlers: LateHandlers) {}

    @Get('flamegraph')
    flamegraph(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.answer('flamegraph', request, response);
    }

    @Post('cpu-profile')
    @Write(monitoring)
    cpuProfile(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.answer('cpuProfile', request, response);
    }
  }
  return CacheProfileController;
}
