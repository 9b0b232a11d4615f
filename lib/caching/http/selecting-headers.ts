import { type VersioningOptions, VersioningType } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { methodsOf } from '../decoration/route-carriers.js';

/**
 * Returns the request headers by which an application selects a handler for a URL, lower case, for `Vary`. `*` if they are
 * unknown: a function finds the version, or Fastify's routes have constraints.
 */
export function selectingHeaders(versioning: VersioningOptions | undefined, modules: ModulesContainer): string[] {
  if ([...routeConstraints(modules)].some((name) => name !== 'host')) return ['*'];
  switch (versioning?.type) {
    case VersioningType.HEADER:
      return [versioning.header.toLowerCase()];
    case VersioningType.MEDIA_TYPE:
      return ['accept'];
    case VersioningType.CUSTOM:
      return ['*'];
    default:
      return [];
  }
}

/** The constraints of handlers by which Fastify selects a route of a URL. */
export function routeConstraints(modules: ModulesContainer): ReadonlySet<string> {
  const names = new Set<string>();
  for (const module of modules.values()) {
    for (const { metatype } of module.controllers.values()) {
      for (const method of methodsOf(metatype?.prototype as object | undefined)) {
        const constraints: unknown = Reflect.getMetadata('__fastify_route_constraints__', method);
        if (typeof constraints === 'object') for (const name in constraints) names.add(name);
      }
    }
  }
  return names;
}
