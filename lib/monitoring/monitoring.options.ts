import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';

/** The monitoring routes. */
export interface MonitoringOptions {
  /** @default 'cache' */
  path?: string;
  /** Puts the routes under the prefix of `app.setGlobalPrefix()`; `false`: no prefix. @default true */
  globalPrefix?: boolean;
  /** Guards of every monitoring route, including those that change data. @default [] */
  guards?: (Type<CanActivate> | CanActivate)[];
  /** Guards of the routes that change data, after `guards`. @default [] */
  writeGuards?: (Type<CanActivate> | CanActivate)[];
  /**
   * Origins of other hosts whose pages may change data, such as `'https://admin.shop.test'`; browsers' requests from
   * all other sites are refused. @default []
   */
  origins?: string[];
  /** Modules that export the dependencies of guard classes, if these are not global. @default [] */
  imports?: ModuleMetadata['imports'];
  /** Decorators of the controllers, including that of Prometheus, such as a `Public()` for a global guard. @default [] */
  decorators?: ClassDecorator[];
  /**
   * Opens the routes that change data without guards, whatever `NODE_ENV` is, because something in front of the application
   * protects them. @default false: without guards they are open if `NODE_ENV` is `development` or `test`; if it is
   * not set, to direct requests from this machine; otherwise closed
   */
  allowUnguarded?: boolean;
  /** The page at `/cache/dashboard`; the page itself needs no rights, but its data needs those of `guards`. @default true */
  dashboard?: boolean;
  /** Describes the routes for @nestjs/swagger. @default false */
  swagger?: boolean;
  /** The most concurrent clients of the event stream; further ones get 503, and the dashboard polls instead. @default 200 */
  maxEventClients?: number;
}

/** The options of one registration's routes, with their defaults. */
export type Monitoring = Required<MonitoringOptions>;
