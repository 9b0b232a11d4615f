import { VersioningType } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import type { ProvidedClass } from '../decoration/decorated-classes.js';
import type { Method } from '../decoration/method-site.js';

/** The facts that determine whether hits of an HTTP handler need Nest's chain. */
export interface ChainSubject {
  readonly provided: ProvidedClass;
  readonly implementation: Method;
  readonly host: string | undefined;
  /** Interceptors outside ours. */
  readonly interceptors: number;
}

/** Lists the parts of Nest's chain that must run on hits; empty if none does. */
export function chainReasons(
  { provided, implementation, host, interceptors }: ChainSubject,
  config: ApplicationConfig,
): string[] {
  const reasons: string[] = [];
  if (isGuarded({ provided, implementation }, config)) reasons.push('a guard protects it');
  if (interceptors > 0) reasons.push('another interceptor outside needs the value');
  if (!provided.wrapper.isDependencyTreeStatic()) reasons.push('its class is request-scoped');
  if (host !== undefined) reasons.push(`the host '${host}' selects it`);
  if (Reflect.getMetadata('__fastify_route_constraints__', implementation) !== undefined)
    reasons.push('a route constraint selects it');
  const versioning = config.getVersioning();
  if (versioning !== undefined && versioning.type !== VersioningType.URI)
    reasons.push('API versions are not part of the URL');
  return reasons;
}

/** True if a guard of the method, its controller or the application protects a handler. */
export function isGuarded(
  { provided, implementation }: Pick<ChainSubject, 'provided' | 'implementation'>,
  config: ApplicationConfig,
): boolean {
  return (
    metadataLength('__guards__', implementation) +
      metadataLength('__guards__', provided.cls) +
      config.getGlobalGuards().length +
      config.getGlobalRequestGuards().length >
    0
  );
}

function metadataLength(key: string, target: object): number {
  const list: unknown = Reflect.getMetadata(key, target);
  return Array.isArray(list) ? list.length : 0;
}
