import { VersioningType } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import type { ProvidedClass } from '../decoration/decorated-classes.js';
import type { Method } from '../decoration/method-site.js';

/** What is to be known of an HTTP handler to say whether its hits need Nest's chain. */
export interface ChainSubject {
  readonly provided: ProvidedClass;
  readonly implementation: Method;
  readonly host: string | undefined;
  /** Interceptors that stand outside ours. */
  readonly interceptors: number;
}

/** Everything in Nest's chain that a hit must not go past; empty where nothing stands between route and handler. */
export function chainReasons(
  { provided, implementation, host, interceptors }: ChainSubject,
  config: ApplicationConfig,
): string[] {
  const reasons: string[] = [];
  const guards =
    metadataLength('__guards__', implementation) +
    metadataLength('__guards__', provided.cls) +
    config.getGlobalGuards().length +
    config.getGlobalRequestGuards().length;
  if (guards > 0) reasons.push('a guard decides who gets its answers');
  if (interceptors > 0) reasons.push('another interceptor stands outside and wants the value');
  if (!provided.wrapper.isDependencyTreeStatic()) reasons.push('its class is made anew for each request');
  if (host !== undefined) reasons.push(`the host '${host}' decides whether it is meant`);
  if (Reflect.getMetadata('__fastify_route_constraints__', implementation) !== undefined)
    reasons.push('a route constraint decides whether it is meant');
  const versioning = config.getVersioning();
  if (versioning !== undefined && versioning.type !== VersioningType.URI)
    reasons.push('versions are told by something else than the address');
  return reasons;
}

function metadataLength(key: string, target: object): number {
  const list: unknown = Reflect.getMetadata(key, target);
  return Array.isArray(list) ? list.length : 0;
}
