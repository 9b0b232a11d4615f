import type { InjectionToken, Provider } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { APPLICATION_CACHE } from './application-cache.js';
import type { CachingOptions } from '../caching/options/caching.options.js';
import { CACHING_OPTIONS } from '../caching/caching.tokens.js';
import { decoratedClasses, providedMethods } from '../caching/decoration/decorated-classes.js';
import { EARLY_HITS, type EarlyHits } from '../caching/http/early-hits.js';
import { DatabaseMetrics } from '../database/records/database-metrics.js';
import { databaseMetrics } from '../database/records/process-metrics.js';
import type { FamilySource } from '../metrics/family.js';
import type { HealthWarning } from '../metrics/snapshot.js';
import { MONITORED_PROFILER } from '../monitoring/late-handlers.js';
import type { ObservedCache } from './observed-cache.js';

/**
 * A part of the library that few applications use. It is loaded on demand. Features are registered only here, so that the
 * module adds their providers without naming them.
 */
export interface Feature {
  readonly providers: readonly Provider[];
  /** Tokens of its providers that the module exports. */
  readonly exports?: readonly InjectionToken[];
  /** Tokens of its providers that are {@link FeatureSource}s. Their metrics and warnings are added to those of the cache. */
  readonly sources?: readonly InjectionToken[];
}

/** The fast lane is loaded if the application or a handler uses it. */
const fastLane: Feature = {
  providers: [
    {
      provide: EARLY_HITS,
      inject: [CACHING_OPTIONS, ModulesContainer, HttpAdapterHost],
      useFactory: async (
        options: CachingOptions,
        modules: ModulesContainer,
        adapterHost: HttpAdapterHost,
      ): Promise<EarlyHits | undefined> => {
        const ofHandlers = decoratedClasses(modules).flatMap(({ cls }) =>
          providedMethods(cls).map(({ cached }) => cached?.options.fastLane),
        );
        if (!options.fastLane && !ofHandlers.some(Boolean)) return undefined;
        const { ApplicationLane } = await import('../caching/fast-lane/application-lane.js');
        return new ApplicationLane(options, modules, adapterHost);
      },
    },
  ],
};

/**
 * The entry `database` loads the SQL parser and the observers of pools. Here, only the class is provided, as a token that
 * routes and applications inject.
 */
const databases: Feature = {
  providers: [{ provide: DatabaseMetrics, useValue: databaseMetrics }],
  exports: [DatabaseMetrics],
  sources: [DatabaseMetrics],
};

/** The cache creates its profiler from its options. The routes load the code that renders a profile. */
const profiling: Feature = {
  providers: [
    { provide: MONITORED_PROFILER, inject: [APPLICATION_CACHE], useFactory: ({ profiler }: ObservedCache) => profiler },
  ],
};

export const features: readonly Feature[] = [fastLane, databases, profiling];

/** The metrics of a feature and its current warnings. */
export interface FeatureSource extends FamilySource {
  warnings?(): readonly HealthWarning[];
}

/** Token of the {@link FeatureSource}s of all features. */
export const FEATURE_SOURCES = Symbol('cache-observability:feature-sources');

/** The providers of all features. */
export const featureProviders: readonly Provider[] = [
  ...features.flatMap(({ providers }) => providers),
  {
    provide: FEATURE_SOURCES,
    inject: features.flatMap(({ sources = [] }) => [...sources]),
    useFactory: (...sources: unknown[]) => sources,
  },
];

/** The exports of all features. */
export const featureExports: readonly InjectionToken[] = features.flatMap(({ exports = [] }) => exports);
