import { Get, Inject, Req, Res, type Type } from '@nestjs/common';
import { DatabaseMetrics } from '../database/records/database-metrics.js';
import { Write } from './access.js';
import { MonitoredRoutes } from './monitored-routes.js';
import type { Monitoring } from './monitoring.options.js';
import { type MonitoringRequest, shapeOf } from './parameters.js';
import { Reply } from './reply.js';
import { ServerInformation } from './server-information.js';

/** The routes about the servers behind the cache; each registration has its own class. */
export function serverController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheServerController {
    constructor(
      @Inject(ServerInformation) private readonly information: ServerInformation,
      @Inject(Reply) private readonly reply: Reply,
      @Inject(DatabaseMetrics) private readonly databases: DatabaseMetrics,
    ) {}

    @Get('info')
    async info(@Res() response: unknown): Promise<void> {
      this.reply.json(response, await this.information.read());
    }

    @Get('database')
    database(@Res() response: unknown): void {
      this.reply.json(response, this.databases.snapshot());
    }

    /** It changes nothing, but makes the database work and shows its tables: guarded as what changes something. */
    @Get('database/plan')
    @Write(monitoring)
    async databasePlan(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      this.reply.json(response, await this.databases.plan(shapeOf(request)));
    }
  }
  return CacheServerController;
}
