import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy, Optional } from '@nestjs/common';
import type { WarmingOptions } from './warming.options.js';
import { ApplicationUp } from './application-up.js';
import { CacheWarmer } from './cache-warmer.js';
import { CacheError } from '../cache/base/errors.js';
import { HandlerWarming } from './handler-warming.js';
import { InProcessRequests } from './in-process-request.js';
import { WARMING_OPTIONS } from './warming-target.js';

/** Warms when the application starts: in the background, or before it is ready. */
@Injectable()
export class StartupWarming implements OnApplicationBootstrap, OnModuleDestroy {
  #giveUp: () => void = () => undefined;
  #closed = false;

  constructor(
    @Inject(CacheWarmer) private readonly warmer: CacheWarmer,
    @Inject(HandlerWarming) private readonly handlers: HandlerWarming,
    @Inject(ApplicationUp) private readonly up: ApplicationUp,
    @Inject(InProcessRequests) private readonly requests: Pick<InProcessRequests, 'prepare'>,
    @Optional() @Inject(WARMING_OPTIONS) private readonly options: WarmingOptions = {},
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { onStartup, blockReadiness } = this.options;
    const strategies = this.warmer.strategies.filter((strategy) => strategy.onStartup !== false);
    const handlers = await this.#runnable(this.handlers.register());
    // `warm` on a handler is enough to warm it; only an explicit `onStartup: false` prevents that.
    if (onStartup === false) return;
    const names = onStartup === true ? strategies.map(({ name }) => name) : [];
    if (blockReadiness === true) {
      await this.#start([...names, ...handlers]);
      return;
    }
    // Strategies need only providers; handlers need the whole application.
    setImmediate(() => void this.#start(names));
    if (handlers.length > 0) this.#giveUp = this.up.whenUp(() => void this.#start(handlers));
  }

  onModuleDestroy(): void {
    this.#closed = true;
    this.#giveUp();
  }

  /** Returns the handlers whose requests can be sent. The boot report already warns of a missing package, so their runs need not fail. */
  async #runnable(handlers: readonly string[]): Promise<readonly string[]> {
    if (handlers.length === 0) return handlers;
    const missing = await this.requests.prepare().then(
      () => false,
      (error: unknown) => error instanceof CacheError && error.code === 'MISSING_PACKAGE',
    );
    return missing ? [] : handlers;
  }

  async #start(names: readonly string[]): Promise<void> {
    if (names.length === 0 || this.#closed) return;
    const waitForReplica = this.options.blockReadiness === true;
    await this.warmer.start(names, { trigger: 'startup', waitForReplica }).done;
  }
}
