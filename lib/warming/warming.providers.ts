import type { Provider } from '@nestjs/common';
import { ApplicationUp } from './application-up.js';
import { CacheWarmer } from './cache-warmer.js';
import { HandlerWarming } from './handler-warming.js';
import { InProcessRequests } from './in-process-request.js';
import { PopularKeysWatch } from './popular-keys-watch.js';
import { StartupWarming } from './startup-warming.js';
import { StrategyExplorer } from './strategy-explorer.js';
import { StrategyRegistry } from './strategy-registry.js';
import { WarmingScheduler } from './warming-scheduler.js';

/**
 * The providers of warming, for the module to spread. The module binds `WARMING_TARGET` and `WARMING_OPTIONS`, imports Nest's
 * `DiscoveryModule`, and exports `CacheWarmer`; `CacheWarmer.metrics` are families for the exporters.
 */
export const warmingProviders: readonly Provider[] = [
  StrategyRegistry,
  CacheWarmer,
  StrategyExplorer,
  InProcessRequests,
  HandlerWarming,
  ApplicationUp,
  StartupWarming,
  WarmingScheduler,
  PopularKeysWatch,
];
