import type { Duration } from '../cache/base/duration.js';

/** One key to warm, with its value or a function that loads it. The `load` runs only if the key is not fresh. */
export type WarmingEntry<V = unknown> = {
  readonly key: string;
  /** @default the strategy's `ttl`, otherwise the cache's */
  readonly ttl?: Duration;
  readonly tags?: readonly string[];
} & (
  | { readonly value: V; readonly load?: undefined }
  | { readonly load: (signal: AbortSignal) => V | Promise<V>; readonly value?: undefined }
);

/** When and how a strategy runs. */
export interface WarmingStrategyOptions {
  /** The name in reports, logs, metrics and `CacheWarmer.warm(name)`; unique in an application. */
  name: string;
  /** Runs at startup if `warming.onStartup` is on. @default true */
  onStartup?: boolean;
  /** Also runs by this cron expression, such as `'0 0 * * * *'`. @default none */
  cron?: string;
  /** Higher priorities begin first. @default 0 */
  priority?: number;
  /** Concurrent loads. @default `warming.concurrency` */
  concurrency?: number;
  /** The strategy is aborted after this time; entries that were warmed before stay. @default none */
  timeout?: Duration;
  /** TTL of entries without their own. @default the cache's */
  ttl?: Duration;
}

/**
 * Yields the entries to warm. Providers with the decorator of the same name are registered automatically; pass any other
 * object to `CacheWarmer.register`.
 *
 * @example
 * ```ts
 * @WarmingStrategy({ name: 'top-categories', cron: '0 0 * * * *' })
 * export class TopCategories implements WarmingStrategy {
 *   constructor(private readonly categories: Categories) {}
 *
 *   async *entries(signal: AbortSignal) {
 *     for (const id of await this.categories.topIds(5)) {
 *       yield { key: `category:${id}`, load: () => this.categories.find(id), ttl: '15m' };
 *     }
 *   }
 * }
 * ```
 *
 * @publicApi
 */
export interface WarmingStrategy<V = unknown> {
  /** The next entry is read only when there is room for it. `signal` is aborted on timeout and shutdown. */
  entries(
    signal: AbortSignal,
  ): Iterable<WarmingEntry<V>> | AsyncIterable<WarmingEntry<V>> | Promise<Iterable<WarmingEntry<V>>>;
}

const WARMING_STRATEGY_METADATA = 'cache-observability:warming-strategy';

/**
 * Declares an injectable class as a warming strategy of the application.
 *
 * @publicApi
 */
export function WarmingStrategy(options: WarmingStrategyOptions): ClassDecorator {
  return (target) => Reflect.defineMetadata(WARMING_STRATEGY_METADATA, Object.freeze({ ...options }), target);
}

/** Returns the options of a decorated class, or undefined; decorators are inherited. */
export function warmingStrategyOptionsOf(target: unknown): WarmingStrategyOptions | undefined {
  return typeof target === 'function'
    ? (Reflect.getMetadata(WARMING_STRATEGY_METADATA, target) as WarmingStrategyOptions | undefined)
    : undefined;
}
