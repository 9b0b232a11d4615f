import type { FleetStatistics } from './fleet.js';
import { fleetOff } from './fleet-errors.js';
import type { FleetInsight } from './fleet-insight.js';

/** Answers that cover all live instances. Without a fleet, each is refused with `FLEET_OFF`. */
export interface FleetAnswers {
  statistics(): Promise<FleetStatistics>;
  readonly insight: Pick<FleetInsight, 'alerts' | 'recommendations' | 'ttlLadder' | 'hotKeys' | 'memoryLadders'>;
}

/** Token of the {@link FleetAnswers}. */
export const FLEET = Symbol('cache-observability:fleet');

const refuse = (what: string) => () => Promise.reject(fleetOff(what));

/** The answers if the option `fleet` is off: then the code of fleets is not loaded. */
export const noFleet: FleetAnswers = {
  statistics: refuse('Statistics'),
  insight: {
    alerts: refuse('Alerts'),
    recommendations: refuse('Recommendations'),
    ttlLadder: refuse('TTL ladders'),
    hotKeys: refuse('Hot keys'),
    memoryLadders: refuse('Memory ladders'),
  },
};
