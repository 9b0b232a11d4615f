import type { Duration } from '../cache/duration.js';

/** One key to warm, with its value or a way to load it. A `load` runs only where the key is not fresh already. */
export type WarmingEntry<V = unknown> = {
  readonly key: string;
  /** @default the strategy's `ttl`, else the cache's */
  readonly ttl?: Duration;
  readonly tags?: readonly string[];
} & (
  | { readonly value: V; readonly load?: undefined }
  | { readonly load: (signal: AbortSignal) => V | Promise<V>; readonly value?: undefined }
);

/** When and how a strategy runs. */
export interface WarmingStrategyOptions {
  /** Names it in reports, logs, metrics and `CacheWarmer.warm(name)`; unique in an application. */
  name: string;
  /** Takes part in the startup run, where `warming.onStartup` is on. @default true */
  onStartup?: boolean;
  /** Runs by this cron expression too, such as `'0 0 * * * *'`. @default none */
  cron?: string;
  /** Higher ones begin first. @default 0 */
  priority?: number;
  /** Entries loaded side by side. @default `warming.concurrency` */
  concurrency?: number;
  /** After this long the strategy is aborted; what it warmed until then is kept. @default none */
  timeout?: Duration;
  /** TTL of entries that name none. @default the cache's */
  ttl?: Duration;
}

/**
 * What to warm. A provider with the decorator of the same name is found by itself; any other object is given to
 * `CacheWarmer.register`.
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
  /** Asked for its next entry only when there is room for it; `signal` is aborted on timeout and shutdown. */
  entries(
    signal: AbortSignal,
  ): Iterable<WarmingEntry<V>> | AsyncIterable<WarmingEntry<V>> | Promise<Iterable<WarmingEntry<V>>>;
}

const WARMING_STRATEGY_METADATA = 'cache-observability:warming-strategy';

/**
 * Makes an injectable class a warming strategy of the application.
 *
 * @publicApi
 */
export function WarmingStrategy(options: WarmingStrategyOptions): ClassDecorator {
  return (target) => Reflect.defineMetadata(WARMING_STRATEGY_METADATA, Object.freeze({ ...options }), target);
}

/** What a class was decorated with, or undefined; decorations are inherited. */
export function warmingStrategyOptionsOf(target: unknown): WarmingStrategyOptions | undefined {
  return typeof target === 'function'
    ? (Reflect.getMetadata(WARMING_STRATEGY_METADATA, target) as WarmingStrategyOptions | undefined)
    : undefined;
}
