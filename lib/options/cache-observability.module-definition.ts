import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { CacheObservabilityOptions } from './cache-observability.options.js';

/** The base of `forRoot` and `forRootAsync`, as in every configurable module of Nest. */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<CacheObservabilityOptions>({ moduleName: 'CacheObservability' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createCacheObservabilityOptions')
    .build();

/** Token of the validated options with their defaults. */
export const RESOLVED_OPTIONS = Symbol('cache-observability:resolved-options');
