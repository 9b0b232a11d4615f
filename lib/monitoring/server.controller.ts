import { Get, Inject, Optional, Res, type Type } from '@nestjs/common';
import type { DatabaseSnapshot } from '../database/database-snapshot.js';
import { type Monitoring, MonitoredRoutes } from './monitored-routes.js';
import { Reply } from './reply.js';
import { ServerInformation } from './server-information.js';

/** Token of who knows the observed databases, where any are. */
export const DATABASE_SNAPSHOTS = Symbol('cache-observability:database-snapshots');
export interface DatabaseSnapshots {
  snapshot(): DatabaseSnapshot;
}

/** The routes that tell of the servers behind the cache; a class of its own for every registration. */
export function serverController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheServerController {
    readonly #information: ServerInformation;
    readonly #reply: Reply;
    readonly #databases: DatabaseSnapshots | undefined;

    constructor(
      @Inject(ServerInformation) information: ServerInformation,
      @Inject(Reply) reply: Reply,
      @Optional() @Inject(DATABASE_SNAPSHOTS) databases?: DatabaseSnapshots,
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
      this.#reply.json(response, this.#databases?.snapshot() ?? { pools: [], queries: [], slowQueries: [] });
    }
  }
  return CacheServerController;
}
