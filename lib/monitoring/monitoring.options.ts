import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';

/** The monitoring routes. */
export interface MonitoringOptions {
  /** @default 'cache' */
  path?: string;
  /** Guards of every monitoring route. @default [] */
  guards?: (Type<CanActivate> | CanActivate)[];
  /** Modules that export what guard classes inject, where these are not global. @default [] */
  imports?: ModuleMetadata['imports'];
  /** Decorators put on the controllers, that of Prometheus too, such as a `Public()` that a global guard looks for. @default [] */
  decorators?: ClassDecorator[];
  /** Allows the routes that change something in production without guards. @default false */
  allowUnguarded?: boolean;
  /** Describes the routes for @nestjs/swagger. @default false */
  swagger?: boolean;
  /** Clients that may listen to the event stream at a time; further ones are answered 503. @default 50 */
  maxEventClients?: number;
}
