import type { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { systemClock } from '../../cache/base/clock.js';
import type { CachingOptions } from '../options/caching.options.js';
import type { EarlyCompilation, EarlyHandler, EarlyHits, EarlyParts, EarlySubject } from '../http/early-hits.js';
import { FastLane, type LaneRequest } from './fast-lane.js';
import type { LaneAdapter } from './lane-adapter.js';
import { admitToLane } from './lane-admission.js';
import { LaneFront } from './lane-front.js';
import { putInFront } from './lane-server.js';

/**
 * The fast lane of one application: it learns which functions run before handlers, admits handlers, and answers hits before the
 * framework gets their requests.
 */
export class ApplicationLane implements EarlyHits {
  readonly #adapterHost: HttpAdapterHost;
  readonly #front: LaneFront;
  readonly #lane: FastLane;
  #takeAway: (() => void) | undefined;

  constructor(options: CachingOptions, modules: ModulesContainer, adapterHost: HttpAdapterHost) {
    const clock = options.clock ?? systemClock;
    this.#adapterHost = adapterHost;
    this.#front = new LaneFront(() => adapterHost.httpAdapter as unknown as LaneAdapter | undefined, modules);
    this.#lane = new FastLane(this.#front, () => clock.now(), options.log);
    // `init$` emits before Nest creates providers, or later in a testing module.
    adapterHost.init$.subscribe(() => this.#front.watch());
  }

  beforeRoutes(): Promise<void> {
    return this.#front.learn();
  }

  admit(
    compilation: EarlyCompilation,
    config: ApplicationConfig,
    handler: EarlySubject,
  ): ((parts: EarlyParts) => EarlyHandler) | undefined {
    const lane = this.#lane;
    const admitted = admitToLane(compilation, { config, lane }, handler);
    if (admitted === undefined) return undefined;
    return (parts) => {
      const route = lane.add(parts, admitted.choice, admitted.keyHeaders);
      return {
        watch: (request, response, key, entry) => lane.watch(route, request as LaneRequest, response, key, entry),
      };
    };
  }

  open(): void {
    if (!this.areUsed) return;
    const server: unknown = this.#adapterHost.httpAdapter.getHttpServer();
    this.#takeAway = putInFront(this.#lane, server, (listeners) => this.#front.otherListeners(listeners));
  }

  close(): void {
    this.#takeAway?.();
  }

  get areUsed(): boolean {
    return this.#lane.wanted;
  }
}
