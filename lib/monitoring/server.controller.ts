import { Get, Inject, Res, type Type } from '@nestjs/common';
import { DatabaseMetrics } from '../database/database-metrics.js';
import { type Monitoring, MonitoredRoutes } from './monitored-routes.js';
import { Reply } from './reply.js';
import { ServerInformation } from './server-information.js';

/** The routes that tell of the servers behind the cache; a class of its own for every registration. */
export function serverController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheServerController {
    readonly #information: ServerInformation;
    readonly #reply: Reply;
    readonly #databases: DatabaseMetrics;

    constructor(
      @Inject(ServerInformation) information: ServerInformation,
      @Inject(Reply) reply: Reply,
      @Inject(DatabaseMetrics) databases: DatabaseMetrics,
    ) {
      this.#information = information;
      this.#reply = reply;
      this.#databases = databases;
    }

    @Get('info')
    async info(@Res() response: unknown): Promise<void> {
      this.#reply.json(response, await this.#information.read());
    }

    @Get('database')
    database(@Res() response: unknown): void {
      this.#reply.json(response, this.#databases.snapshot());
    }
  }
  return CacheServerController;
}
