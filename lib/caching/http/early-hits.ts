import type { ServerResponse } from 'node:http';
import type { ApplicationConfig } from '@nestjs/core';
import type { Entry } from '../../cache/entries/entry.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { ReadPlan } from '../../cache/policies/read-plan.js';
import type { CachedSite } from '../decoration/method-site.js';
import type { ChainSubject } from './chain-rules.js';
import type { DeclaredInput } from '../inputs/declared-inputs.js';
import type { FaultList } from '../keys/key-design.js';
import type { RequestGate } from '../gate/request-gate.js';
import type { CachingOptions } from '../options/caching.options.js';

/** Token of an application's {@link EarlyHits}; undefined or not provided if no handler uses them. */
export const EARLY_HITS = Symbol('cache-observability:early-hits');

/** Answers hits before the framework gets their requests. The code is loaded only if a handler uses it. */
export interface EarlyHits {
  /** Call it before Nest adds the middleware of modules and routes. */
  beforeRoutes(): Promise<void>;
  /**
   * Admits a handler; undefined if it does not use early hits. A handler that asks for early hits and cannot use them is
   * reported as a fault.
   * @returns a function that adds the handler. Call it when the handler is compiled.
   */
  admit(
    compilation: EarlyCompilation,
    config: ApplicationConfig,
    handler: EarlySubject,
  ): ((parts: EarlyParts) => EarlyHandler) | undefined;
  /** Call it when all modules are initialised. */
  open(): void;
  /** Sends every request to the framework from now on. */
  close(): void;
  /** True if any handler was added. */
  readonly areUsed: boolean;
}

/** The part of an application's compilation that admitting a handler needs. */
export interface EarlyCompilation {
  readonly faults: FaultList;
  readonly options: CachingOptions;
}

/** A handler that requests early hits. */
export interface EarlySubject extends ChainSubject {
  readonly site: CachedSite;
  readonly inputs: readonly DeclaredInput[];
  /** For messages: `FeedController.discover()`. */
  readonly owner: string;
}

/** The compiled parts of a handler that answer its hits. */
export interface EarlyParts {
  readonly cache: LayeredCache;
  readonly plan: ReadPlan;
  readonly owner: string;
  readonly gate: RequestGate;
  /** Creates the headers that depend on time. */
  readonly timed: (entry: Entry) => (name: string) => string | undefined;
}

/** One handler with early hits. */
export interface EarlyHandler {
  /** Learns from a hit that the full path answers. */
  watch(request: object, response: ServerResponse, key: string, entry: Entry): void;
}
