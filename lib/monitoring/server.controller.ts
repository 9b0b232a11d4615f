import { Get, Inject, Req, Res, type Type } from '@nestjs/common';
import { DatabaseMetrics } from '../database/records/database-metrics.js';
import { Write } from './access.js';
import { MonitoredRoutes } from './monitored-routes.js';
import type { Monitoring } from './monitoring.options.js';
import { type MonitoringRequest, shapeOf } from './parameters.js';
import { ReadingReply } from './reading-reply.js';
import { Reply } from './reply.js';

/** The routes about the cache's servers; each registration has its own class. */
export function serverController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheServerController {
    constructor(
      @Inject(ReadingReply) private readonly reading: ReadingReply,
      @Inject(Reply) private readonly reply: Reply,
      @Inject(DatabaseMetrics) private readonly databases: DatabaseMetrics,
    ) {}

    @Get('info')
    info(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('info', request, response);
    }

    @Get('database')
    database(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('database', request, response);
    }

    /** Changes nothing, but makes the database work and shows its tables: guarded like a write. */
    @Get('database/plan')
    @Write(monitoring)
    async databasePlan(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      this.reply.json(response, await this.databases.plan(shapeOf(request)));
    }
  }
  return CacheServerController;
}
