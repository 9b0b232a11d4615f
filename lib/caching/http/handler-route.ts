import { RequestMethod, VERSION_NEUTRAL, VersioningType } from '@nestjs/common';
import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { Module } from '@nestjs/core/injector/module.js';
import { RoutePathFactory } from '@nestjs/core/router/route-path-factory.js';
import type { CachedRoute } from '../decoration/cached-handler.js';
import type { ClassConstructor } from '../decoration/decorated-classes.js';
import type { Method } from '../decoration/method-site.js';

/** Finds the route of a handler as Nest's router does. Call it when routes are registered: the global prefix is known then. */
export function handlerRoute(
  implementation: Method,
  cls: ClassConstructor,
  module: Module,
  config: ApplicationConfig,
  modules: ModulesContainer,
): CachedRoute {
  const requestMethod = Reflect.getMetadata('method', implementation) as RequestMethod;
  const versioning = config.getVersioning();
  const ownVersion: unknown = Reflect.getMetadata('__version__', implementation);
  const classVersion: unknown =
    versioning === undefined
      ? undefined
      : (Reflect.getMetadata('__version__', cls) ??
        ('defaultVersion' in versioning ? versioning.defaultVersion : undefined));
  const modulePath: unknown =
    Reflect.getMetadata(`__module_path__${modules.applicationId}`, module.metatype) ??
    Reflect.getMetadata('__module_path__', module.metatype);
  const [path] = new RoutePathFactory(config).create(
    {
      ctrlPath: slashed(Reflect.getMetadata('path', cls)),
      methodPath: slashed(Reflect.getMetadata('path', implementation)),
      globalPrefix: slashed(config.getGlobalPrefix()),
      modulePath: modulePath as string | undefined,
      controllerVersion: classVersion as never,
      methodVersion: ownVersion as never,
      ...(versioning !== undefined && { versioningOptions: versioning }),
    },
    requestMethod,
  );
  const inPath = versioning === undefined || versioning.type === VersioningType.URI;
  return {
    method: RequestMethod[requestMethod] ?? 'ALL',
    path: path ?? '/',
    versions: inPath ? [] : versionsOf(ownVersion ?? classVersion),
    host: hostOf(Reflect.getMetadata('host', cls)),
  };
}

/** Writes the text that replaces `*` in a pattern: method, route, versions and host. */
export function routeBase({ method, path, versions, host }: CachedRoute): string {
  const version = versions.length === 0 ? '' : ` v${versions.join(',')}`;
  return `${method} ${path}${version}${host === undefined ? '' : ` @${host}`}`;
}

/** Names a handler by the first of several paths. */
function slashed(path: unknown): string {
  const first: unknown = Array.isArray(path) ? path[0] : path;
  if (typeof first !== 'string' || first === '') return '';
  return first.startsWith('/') ? first : `/${first}`;
}

function versionsOf(version: unknown): string[] {
  const list: unknown[] = version === undefined || version === null ? [] : Array.isArray(version) ? version : [version];
  return list.map((one) => (one === VERSION_NEUTRAL ? 'neutral' : String(one)));
}

function hostOf(host: unknown): string | undefined {
  const list: unknown[] = host === undefined || host === null ? [] : Array.isArray(host) ? host : [host];
  return list.length === 0 ? undefined : list.map(String).join(',');
}
