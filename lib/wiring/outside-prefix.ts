import { RequestMethod } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';

type ExcludedRoute = NonNullable<ReturnType<ApplicationConfig['getGlobalPrefixOptions']>['exclude']>[number];

/**
 * Excludes the routes at these paths and below from `app.setGlobalPrefix()`, like its option `exclude`. The application sets
 * its prefix after the modules are created, and Nest reads the exclusions before it configures modules. So the paths are added
 * whenever Nest reads the exclusions.
 */
export function keepOutsidePrefix(config: ApplicationConfig, paths: readonly string[]): void {
  if (paths.length === 0) return;
  const excluded = paths.flatMap(routesAt);
  const read = config.getGlobalPrefixOptions.bind(config);
  config.getGlobalPrefixOptions = () => {
    const options = read();
    return { ...options, exclude: [...(options.exclude ?? []), ...excluded] };
  };
}

/** Returns the path itself and all paths below it. */
function routesAt(path: string): ExcludedRoute[] {
  const plain = `/${path.replace(/^\/+|\/+$/g, '')}`;
  const escaped = plain.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const route = (text: string, source: string): ExcludedRoute => ({
    path: text,
    requestMethod: RequestMethod.ALL,
    pathRegex: new RegExp(source, 'i'),
  });
  return [route(plain, `^${escaped}/?$`), route(`${plain}/*path`, `^${escaped}/.+$`)];
}
