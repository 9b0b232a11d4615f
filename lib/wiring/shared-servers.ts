import type { Clock } from '../cache/base/clock.js';
import { CachesByServer } from '../cache/layers/caches-by-server.js';
import { OutageLog } from '../cache/layers/outage-log.js';
import { ServerOutages } from '../insight/alerts/server-outages.js';

/** What the caches of one application know together about their servers, so that an outage is one alert and one line of the log. */
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
  /** Its name. */
  readonly cache: string;
  readonly servers: SharedServers;
}
