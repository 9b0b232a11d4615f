import type { Clock } from '../cache/base/clock.js';
import { CachesByServer } from '../cache/layers/caches-by-server.js';
import { OutageLog } from '../cache/layers/outage-log.js';
import { ServerOutages } from '../insight/alerts/server-outages.js';

/**
 * The shared state of an application's caches about their servers. With it, an outage of a server causes one alert and one line
 * in the log.
 */
export class SharedServers {
  readonly caches = new CachesByServer();
  readonly outages = new ServerOutages(this.caches);
  readonly log: OutageLog;

  constructor(clock: Clock) {
    this.log = new OutageLog(this.caches, clock);
  }
}

/** The place of a cache in its application. */
export interface ApplicationPart {
  /** The name of the cache. */
  readonly cache: string;
  readonly servers: SharedServers;
}
