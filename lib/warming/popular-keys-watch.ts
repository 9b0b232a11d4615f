import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy, Optional } from '@nestjs/common';
import type { WarmingOptions } from './warming.options.js';
import { type Clock, systemClock } from '../cache/base/clock.js';
import { CACHE_CLOCK } from '../cache/base/tokens.js';
import { milliseconds } from '../cache/base/duration.js';
import { CacheWarmer } from './cache-warmer.js';
import { POPULAR_KEYS, PopularKeys } from './popular-keys.js';
import { type PopularTarget, WARMING_OPTIONS, WARMING_TARGET } from './warming-target.js';

const DEFAULT_LIMIT = 100;
const DEFAULT_EVERY = '10s';

/** Runs the strategy `popular-keys` whenever one of its keys is about to expire, if `warming.popularKeys` is on. */
@Injectable()
export class PopularKeysWatch implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #clock: Clock;
  #stop: () => void = () => undefined;
  #closed = false;

  constructor(
    @Inject(WARMING_TARGET) private readonly target: PopularTarget,
    @Inject(CacheWarmer) private readonly warmer: CacheWarmer,
    @Optional() @Inject(WARMING_OPTIONS) private readonly options: WarmingOptions = {},
    @Optional() @Inject(CACHE_CLOCK) clock?: Clock,
  ) {
    this.#clock = clock ?? systemClock;
  }

  onApplicationBootstrap(): void {
    const { popularKeys } = this.options;
    if (popularKeys === undefined || popularKeys === false) return;
    const { limit = DEFAULT_LIMIT, every = DEFAULT_EVERY } = popularKeys === true ? {} : popularKeys;
    const everyMs = milliseconds(every, 'warming.popularKeys.every');
    const popular = new PopularKeys(this.target, this.#clock, limit, everyMs);
    this.warmer.register(popular, { name: POPULAR_KEYS, onStartup: false });
    const unwatch = popular.watch();
    const cancel = this.#repeat(everyMs, popular);
    this.#stop = () => {
      cancel();
      unwatch();
    };
  }

  onModuleDestroy(): void {
    this.#closed = true;
    this.#stop();
  }

  #repeat(everyMs: number, popular: PopularKeys): () => void {
    let cancel: () => void = () => undefined;
    const look = async () => {
      if ((await popular.look()) && !this.#closed) {
        await this.warmer.start(POPULAR_KEYS, { trigger: 'cron', quiet: true }).done;
      }
    };
    const next = () => {
      cancel = this.#clock.after(everyMs, () => {
        void look().finally(() => {
          if (!this.#closed) next();
        });
      });
    };
    next();
    return () => cancel();
  }
}
