import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';

/** The options of the monitoring routes. */
export interface MonitoringOptions {
  /** @default 'cache' */
  path?: string;
  /** Puts the routes under the prefix of `app.setGlobalPrefix()`; `false` ignores that prefix. @default true */
  globalPrefix?: boolean;
  /** Guards of every monitoring route, including those that change data. @default [] */
  guards?: (Type<CanActivate> | CanActivate)[];
  /** Guards of the routes that change data, after `guards`. @default [] */
  writeGuards?: (Type<CanActivate> | CanActivate)[];
  /**
   * Origins of other hosts whose pages may change data, such as `'https://admin.shop.test'`. Requests of browsers from the pages of
   * any other site are refused. @default []
   */
  origins?: string[];
  /** Modules that export the dependencies of guard classes, if these are not global. @default [] */
  imports?: ModuleMetadata['imports'];
  /** Decorators of the controllers, including that of Prometheus, such as a `Public()` for a global guard. @default [] */
  decorators?: ClassDecorator[];
  /**
   * Opens the routes that change data without guards, for any `NODE_ENV`. Set it if something in front of the application protects
   * them. @default false: without guards these routes are open if `NODE_ENV` is `development` or `test`, open to direct requests from
   * this machine if `NODE_ENV` is not set, and closed otherwise
   */
  allowUnguarded?: boolean;
  /** Serves the page at `/cache/dashboard`. The page itself has no guards; its data is behind `guards`. @default true */
  dashboard?: boolean;
  /** Describes the routes for @nestjs/swagger. @default false */
  swagger?: boolean;
  /** The most concurrent clients of the event stream. Further clients get a 503; the dashboard then polls instead. @default 200 */
  maxEventClients?: number;
}

/** The options of one registration's routes, with their defaults. */
export type Monitoring = Required<MonitoringOptions>;
