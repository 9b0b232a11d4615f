import type { CacheLog } from '../cache/base/cache-log.js';
import type { Clock } from '../cache/base/clock.js';
import type { ShutdownBudget } from '../cache/base/shutdown-budget.js';
import type { SharedMap } from '../cache/layers/layer.js';
import type { CacheInsight } from '../insight/cache-insight.js';
import type { InstanceName } from '../insight/memory-ladders-together.js';
import type { FleetAnswers } from './fleet-answers.js';
import { Fleet, type FleetMember, type FleetStatistics } from './fleet.js';
import { FleetInsight } from './fleet-insight.js';
import { SharedLadders } from './shared-ladders.js';
import { SharedLoads } from './shared-loads.js';

export interface RunningFleetOptions {
  /** This instance, as `GET /cache/instances` lists it. */
  readonly own: InstanceName;
  readonly metrics: FleetMember;
  readonly insight: CacheInsight;
  /** Returns the shared map of a name; undefined if no layer has shared maps. */
  readonly sharedMapOf: (name: string) => SharedMap | undefined;
  /** The interval between two exchanges, milliseconds. */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: CacheLog;
  readonly shutdown: ShutdownBudget;
}

/** Exchanges statistics, loads, TTL ladders and insight between the instances of an application. */
export class RunningFleet implements FleetAnswers {
  readonly insight: FleetInsight;
  readonly #fleet: Fleet;
  readonly #parts: readonly (Fleet | FleetInsight | SharedLoads | SharedLadders)[];

  constructor({ own, metrics, insight, sharedMapOf, everyMs, clock, log, shutdown }: RunningFleetOptions) {
    this.#fleet = new Fleet({ metrics, sharedMap: sharedMapOf('fleet'), everyMs, clock, log, shutdown });
    const exchanged = { insight, everyMs, clock };
    this.insight = new FleetInsight({ ...exchanged, own, sharedMap: sharedMapOf('insight') });
    const loads = { ...exchanged, everyMs: insight.enabled ? everyMs : undefined, sharedMap: sharedMapOf('loads') };
    const ladders = new SharedLadders({ ...exchanged, sharedMap: sharedMapOf('ladders') });
    this.#parts = [this.#fleet, new SharedLoads(loads), ladders, this.insight];
  }

  statistics(): Promise<FleetStatistics> {
    return this.#fleet.statistics();
  }

  onApplicationBootstrap(): void {
    for (const part of this.#parts) part.onApplicationBootstrap();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.onApplicationShutdown()));
  }
}
