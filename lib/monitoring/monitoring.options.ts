import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';

/** The monitoring routes. */
export interface MonitoringOptions {
  /** @default 'cache' */
  path?: string;
  /** Puts the routes under the prefix of `app.setGlobalPrefix()`; `false`: at their path itself. @default true */
  globalPrefix?: boolean;
  /** Guards of every monitoring route, those that change something included. @default [] */
  guards?: (Type<CanActivate> | CanActivate)[];
  /** Guards of the routes that change something, after `guards`. @default [] */
  writeGuards?: (Type<CanActivate> | CanActivate)[];
  /**
   * Origins of other hosts whose pages may change something, such as `'https://admin.shop.test'`; browsers' requests from
   * all other sites are refused. @default []
   */
  origins?: string[];
  /** Modules that export what guard classes inject, where these are not global. @default [] */
  imports?: ModuleMetadata['imports'];
  /** Decorators put on the controllers, that of Prometheus too, such as a `Public()` that a global guard looks for. @default [] */
  decorators?: ClassDecorator[];
  /**
   * Opens the routes that change something without guards, whatever `NODE_ENV` is: something in front of the application
   * protects them. @default false: without guards they are open where `NODE_ENV` is `development` or `test`, where it is
   * not set to direct requests from this machine, and closed everywhere else
   */
  allowUnguarded?: boolean;
  /** The page at `/cache/dashboard`; it opens without rights, and the data in it needs those of `guards`. @default true */
  dashboard?: boolean;
  /** Describes the routes for @nestjs/swagger. @default false */
  swagger?: boolean;
  /** Clients that may listen to the event stream at a time; further ones are answered 503, and the dashboard asks instead. @default 200 */
  maxEventClients?: number;
}

/** The options of one registration's routes, with their defaults. */
export type Monitoring = Required<MonitoringOptions>;
