import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import {
  Cached,
  CacheInvalidate,
  CacheObservabilityModule,
  InjectCache,
  memoryLayer,
  ObservedCache,
} from '../../lib/index.js';
import { boot, closeApps, platforms } from '../support/apps.js';

afterEach(closeApps);

describe.each(platforms)('the recipe for a cache for sessions, on %s', (platform) => {
  it('the recipe for a named cache separates sessions from the rest and shows their statistics', async () => {
    @Injectable()
    class SessionService {
      constructor(@InjectCache('sessions') private readonly cache: ObservedCache) {}

      @Cached('session:{0}', { cache: 'sessions' })
      async find(id: string): Promise<unknown> {
        return { id };
      }

      @CacheInvalidate({ cache: 'sessions', keys: ['session:{0}'] })
      async end(id: string): Promise<{ ended: string }> {
        return { ended: id };
      }

      holds(id: string): boolean {
        return this.cache.peek(`session:${id}`) !== undefined;
      }
    }

    @Module({
      imports: [
        CacheObservabilityModule.forRoot(),
        CacheObservabilityModule.forFeature('sessions', { layers: [memoryLayer({ maxEntries: 1_000 })], ttl: '30m' }),
      ],
      providers: [SessionService],
    })
    class AppModule {}

    const { app, ask } = await boot(platform, { imports: [AppModule] });
    const sessions = app.get(SessionService);
    await sessions.find('7');
    await sessions.find('7');
    expect(sessions.holds('7')).toBe(true);
    expect(app.get(ObservedCache).peek('session:7')).toBeUndefined();
    const { body } = await ask().get('/cache/stats?cache=sessions').expect(200);
    expect(body).toMatchObject({ cache_hits: 1, cache_misses: 1 });
    await sessions.end('7');
    expect(sessions.holds('7')).toBe(false);
  });
});
