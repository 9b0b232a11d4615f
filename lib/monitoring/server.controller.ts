import { Get, Inject, Req, Res, type Type } from '@nestjs/common';
import { Write } from './access.js';
import { LateHandlers } from './late-handlers.js';
import { MonitoredRoutes } from './monitored-routes.js';
import type { Monitoring } from './monitoring.options.js';
import type { MonitoringRequest } from './parameters.js';

/** The routes about the cache's servers; each registration has its own class. */
export function serverController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheServerController {
    constructor(@Inject(LateHandlers) private readonly handlers: LateHandlers) {}

    @Get('info')
    info(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('info', request, response);
    }

    @Get('database')
    database(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.read('database', request, response);
    }

    /** Guarded like a write: it changes nothing, but it uses the database and shows its tables. */
    @Get('database/plan')
    @Write(monitoring)
    databasePlan(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.answer('databasePlan', request, response);
    }
  }
  return CacheServerController;
}
