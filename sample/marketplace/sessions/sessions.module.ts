import { Module, type DynamicModule } from '@nestjs/common';
import { CacheObservabilityModule, memoryLayer, redisLayer } from 'nestjs-cache-observability';
import { DatabaseModule } from '../database/database.module.js';
import type { Settings } from '../settings.js';
import { SessionsController } from './sessions.controller.js';
import { SESSIONS, Sessions } from './sessions.js';

/** Sessions have a cache of their own: pages that fill the memory never evict them, and they live longer than pages. */
@Module({})
export class SessionsModule {
  static with({ redisUrl }: Settings): DynamicModule {
    const memory = memoryLayer({ maxEntries: 5_000 });
    return {
      module: SessionsModule,
      imports: [
        DatabaseModule,
        CacheObservabilityModule.forFeature(SESSIONS, {
          // A session must be known to every instance as soon as it is open: its write is awaited.
          layers: redisUrl === undefined ? [memory] : [memory, redisLayer({ url: redisUrl })],
          ttl: '30m',
          // A token that is unknown now may be that of a session that another process opens.
          policy: { negativeTtl: '5s' },
        }),
      ],
      controllers: [SessionsController],
      providers: [Sessions],
    };
  }
}
