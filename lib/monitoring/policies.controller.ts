import { Delete, Get, Inject, Patch, Put, Req, Res, type Type } from '@nestjs/common';
import { Write } from './access.js';
import { LateHandlers } from './late-handlers.js';
import { MonitoredRoutes } from './monitored-routes.js';
import type { Monitoring } from './monitoring.options.js';
import type { MonitoringRequest } from './parameters.js';

/** The routes that list, override and revert policies; each registration has its own class. */
export function policiesController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CachePoliciesController {
    constructor(@Inject(LateHandlers) private readonly handlers: LateHandlers) {}

    @Get('policies')
    policies(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('policies', request, response);
    }

    @Put('policies')
    @Write(monitoring)
    overridePolicy(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.answer('overridePolicy', request, response);
    }

    /** Adds fields to the override that is in force. */
    @Patch('policies')
    @Write(monitoring)
    extendPolicy(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.answer('extendPolicy', request, response);
    }

    @Delete('policies')
    @Write(monitoring)
    revertPolicy(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.answer('revertPolicy', request, response);
    }
  }
  return CachePoliciesController;
}
