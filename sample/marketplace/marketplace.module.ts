import { Module, type DynamicModule } from '@nestjs/common';
import { CacheObservabilityModule, type WebhookOptions } from 'nestjs-cache-observability';
import { cacheLayers } from './cache/cache-layers.js';
import { CategoriesModule } from './categories/categories.module.js';
import { FeedsModule } from './feeds/feeds.module.js';
import { HealthModule } from './health/health.module.js';
import { LessonsModule } from './lessons/lessons.module.js';
import { ProductsModule } from './products/products.module.js';
import { SearchModule } from './search/search.module.js';
import { SellersModule } from './sellers/sellers.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { SETTINGS, SettingsModule } from './settings.module.js';
import type { Settings } from './settings.js';
import { WarmingModule } from './warming/warming.module.js';
import { WelcomeModule } from './welcome/welcome.module.js';

@Module({})
export class MarketplaceModule {
  static with(settings: Settings): DynamicModule {
    return {
      module: MarketplaceModule,
      imports: [
        SettingsModule.with(settings),
        CacheObservabilityModule.forRootAsync({
          inject: [SETTINGS],
          useFactory: async (settings: Settings) => ({
            layers: await cacheLayers(settings),
            namespace: 'marketplace',
            serviceName: 'marketplace',
            // With Redis a start reads what was asked for most into memory, before it is ready: see the line WARM_STARTED.
            warming: { onStartup: true, warmStart: { maxKeys: 500 } },
            // PUT /cache/policies?pattern=feed:* changes this TTL while the shop is open, within these bounds.
            tuning: { bounds: { 'feed:*': { minTtl: '10s', maxTtl: '1h' } } },
            // A shop this small may look more often than at one operation in a hundred.
            profiling: { every: 10 },
            // Several marketplaces at one Redis: `?scope=fleet` on the routes answers for all of them.
            fleet: settings.redisUrl !== undefined && settings.redisStore === 'redis',
            // Logged and shown at /cache/alerts in any case.
            ...(settings.alertsUrl !== undefined && { alerts: { webhook: alertWebhook(settings.alertsUrl) } }),
            health: { patterns: { 'feed:*': { hitRate: 0.8 }, 'product:*': { hitRate: 0.3 } } },
          }),
        }),
        FeedsModule,
        SearchModule,
        CategoriesModule,
        SellersModule,
        ProductsModule,
        SessionsModule.with(settings),
        HealthModule,
        LessonsModule,
        WarmingModule,
        WelcomeModule,
      ],
    };
  }
}

/** The format by the host of the address. */
function alertWebhook(url: string): WebhookOptions {
  return { url, format: new URL(url).host === 'hooks.slack.com' ? 'slack' : 'json' };
}
