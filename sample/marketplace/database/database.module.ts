import { Inject, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { observePool, observeQueries } from 'nestjs-cache-observability/database';
import { SETTINGS } from '../settings.module.js';
import type { Settings } from '../settings.js';
import { connectOrigin, type Origin } from './connect.js';
import { seed, type Catalogue } from './seed.js';

/** Token of the pool that every query goes through: a `Pool` of pg, with the catalogue behind it. */
export const DATABASE = Symbol('marketplace:database');
/** Token of the {@link Catalogue}: how much there is. */
export const CATALOGUE = Symbol('marketplace:catalogue');
/** Token of the {@link Origin}. */
export const ORIGIN = Symbol('marketplace:origin');

@Module({
  providers: [
    {
      provide: ORIGIN,
      inject: [SETTINGS],
      useFactory: ({ databaseUrl }: Settings): Promise<Origin> => {
        new Logger('Database').log(databaseUrl === undefined ? 'Starting an embedded PostgreSQL' : 'Connecting');
        return connectOrigin(databaseUrl);
      },
    },
    {
      provide: DATABASE,
      inject: [ORIGIN, CATALOGUE],
      // From here on: what it took to fill the database is no query of the application's.
      useFactory: ({ pool }: Origin) => observeQueries(observePool(pool, { name: 'marketplace' }), { explain: true }),
    },
    {
      provide: CATALOGUE,
      inject: [ORIGIN, SETTINGS],
      useFactory: async ({ pool, description }: Origin, settings: Settings): Promise<Catalogue> => {
        const log = new Logger('Catalogue');
        const catalogue = await seed(pool, settings.catalogue, (line) => log.log(`${description}: ${line}`));
        if (!catalogue.fresh) log.log(`${description}: ${catalogue.products.toLocaleString('en')} products were there`);
        return catalogue;
      },
    },
  ],
  exports: [DATABASE, CATALOGUE, ORIGIN],
})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(@Inject(ORIGIN) private readonly origin: Origin) {}

  /** After the HTTP server has closed: requests that were under way have had their answers. */
  async onApplicationShutdown(): Promise<void> {
    await this.origin.close();
  }
}
