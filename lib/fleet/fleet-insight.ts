import type { Clock } from '../cache/base/clock.js';
import { runInSlices } from '../cache/base/slices.js';
import type { SharedMap } from '../cache/layers/layer.js';
import type { Alert } from '../insight/alerts/alert.js';
import type { CacheInsight } from '../insight/cache-insight.js';
import type { HotKey } from '../insight/hot-key-figures.js';
import {
  type FleetMemoryLadder,
  type InstanceName,
  type MemoryOfInstance,
  memoryTogether,
} from '../insight/memory-ladders-together.js';
import type { TtlLadder } from '../insight/ladder-report.js';
import type { Recommendation } from '../insight/recommendations/recommendation-types.js';
import { fleetOff, fleetUnavailable } from './fleet-errors.js';
import { type InsightNotes, insightBytes, readInsightNotes } from './insight-notes.js';
import { SharedNotes } from './shared-notes.js';

/** The number of intervals between two publications of notes, and the number for which they are stored. */
const NOTED_EVERY = 3;
const KEPT = 3 * NOTED_EVERY;
/** How long the notes that were read are reused, milliseconds. */
const FRESH_MS = 1_000;

export interface FleetInsightOptions {
  /** This instance, as `GET /cache/instances` lists it. */
  readonly own: InstanceName;
  readonly insight: Pick<
    CacheInsight,
    | 'enabled'
    | 'alerts'
    | 'collectRecommendations'
    | 'ladderFigures'
    | 'ttlLadderWith'
    | 'hotKeyFigures'
    | 'memoryFigures'
    | 'hotKeysWith'
    | 'keyHashOf'
  >;
  /** Undefined if no layer can store notes. */
  readonly sharedMap: SharedMap | undefined;
  /** The interval of the fleet, milliseconds; undefined if `fleet` is off. */
  readonly everyMs: number | undefined;
  readonly clock: Clock;
}

/** An answer of all live instances, and their number. */
export interface OfFleet<T> {
  readonly value: T;
  readonly instances: number;
}

/** Merges alerts, recommendations, ladders and hot keys of all live instances; those of this instance are current. */
export class FleetInsight {
  /** Undefined if no layer can store notes, or `fleet` is off. */
  readonly #notes: SharedNotes | undefined;
  #latest: { readonly at: number; readonly others: Promise<readonly InsightNotes[]> } | undefined;

  constructor(private readonly options: FleetInsightOptions) {
    const { sharedMap, everyMs, clock } = options;
    if (sharedMap !== undefined && everyMs !== undefined) this.#notes = new SharedNotes(sharedMap, clock);
  }

  onApplicationBootstrap(): void {
    const { insight, everyMs } = this.options;
    const notes = this.#notes;
    if (notes === undefined || everyMs === undefined || !insight.enabled) return;
    notes.exchangeEvery(NOTED_EVERY * everyMs, () => this.#publish(notes, KEPT * everyMs), everyMs);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#notes?.stop();
  }

  /**
   * Returns the alerts of all instances, newest first. If several instances have the same alert at overlapping times, it is one alert.
   * @throws CacheError `FLEET_OFF` or `FLEET_UNAVAILABLE`; the other methods do the same.
   */
  async alerts(state: 'open' | 'all'): Promise<OfFleet<readonly Alert[]>> {
    const others = await this.#others('Alerts');
    const all = [this.options.insight.alerts({ state }), ...others.map(({ alerts }) => alerts)];
    const wanted = alertsTogether(all).filter(({ closedAt }) => state === 'all' || closedAt === null);
    return { value: wanted, instances: all.length };
  }

  /** Returns the recommendations of all instances, most time saved first. */
  async recommendations(pattern: string | undefined): Promise<OfFleet<readonly Recommendation[]>> {
    const [others, own] = await Promise.all([
      this.#others('Recommendations'),
      this.options.insight.collectRecommendations({ pattern }),
    ]);
    const wanted = (all: readonly Recommendation[]) =>
      all.filter((one) => pattern === undefined || one.pattern === pattern);
    const all = [own, ...others.map(({ recommendations }) => wanted(recommendations))];
    return { value: recommendationsTogether(all), instances: all.length };
  }

  /** Returns the TTL ladder for the accesses of all instances. */
  async ttlLadder(pattern: string): Promise<OfFleet<TtlLadder>> {
    const others = await this.#others('TTL ladders');
    const ladders = others.map((other) => other.ladders);
    return { value: this.options.insight.ttlLadderWith(ladders, pattern), instances: 1 + others.length };
  }

  /** Returns the keys with the most requests in all instances. @param limit 1–1,000 */
  async hotKeys(limit: number): Promise<OfFleet<readonly HotKey[]>> {
    const others = await this.#others('Hot keys');
    const noted = others.flatMap(({ hotKeys }) => (hotKeys === undefined ? [] : [hotKeys]));
    const keys = await runInSlices(this.options.insight.hotKeysWith(noted, limit));
    const missing = others.length - noted.length;
    return { value: keys.map((key) => ({ ...key, ...(missing > 0 && { missing }) })), instances: 1 + noted.length };
  }

  /** Returns the effects of other memory bounds in every instance. */
  async memoryLadders(): Promise<OfFleet<readonly FleetMemoryLadder[]>> {
    const others = await this.#others('Memory ladders');
    const noted = others.flatMap(({ memory }) => memory ?? []);
    const missing = others.length - noted.length;
    const ladders = memoryTogether([this.#memory(), ...noted]);
    return { value: ladders.map((one) => ({ ...one, ...(missing > 0 && { missing }) })), instances: 1 + noted.length };
  }

  #memory(): MemoryOfInstance {
    const { insight, own } = this.options;
    const { id, host, pid } = own;
    return { instance: { id, host, pid }, layers: insight.memoryFigures() };
  }

  #others(what: string): Promise<readonly InsightNotes[]> {
    if (this.#notes === undefined) return Promise.reject(fleetOff(what));
    const now = this.options.clock.now();
    if (this.#latest !== undefined && now - this.#latest.at < FRESH_MS) return this.#latest.others;
    const others = this.#read(this.#notes);
    this.#latest = { at: now, others };
    // A failure is not reused: the next call reads again.
    others.catch(() => (this.#latest = undefined));
    return others;
  }

  async #read(notes: SharedNotes): Promise<readonly InsightNotes[]> {
    const hashOf = (key: string) => this.options.insight.keyHashOf(key);
    const others = await notes
      .others((bytes) => readInsightNotes(bytes, hashOf))
      .catch((cause: unknown) => {
        throw fleetUnavailable(cause);
      });
    if (others === undefined) throw fleetUnavailable(undefined);
    return [...others.values()];
  }

  async #publish(notes: SharedNotes, keepMs: number): Promise<void> {
    const { insight } = this.options;
    const ladders = await runInSlices(insight.ladderFigures());
    const recommendations = await insight.collectRecommendations();
    const hotKeys = await runInSlices(insight.hotKeyFigures());
    const alerts = insight.alerts({ state: 'all' });
    const bytes = insightBytes({ alerts, recommendations, ladders, hotKeys, memory: this.#memory() });
    if (bytes !== undefined) await notes.publish(bytes, keepMs);
  }
}

/** Merges overlapping alerts with the same code and subject: the result is open as long as one of them is. */
export function alertsTogether(all: readonly (readonly Alert[])[]): readonly Alert[] {
  const together: Alert[] = [];
  const last = new Map<string, number>();
  const byTime = all.flat().sort((one, other) => Date.parse(one.openedAt) - Date.parse(other.openedAt));
  for (const alert of byTime) {
    const about = `${alert.code}\n${alert.subject}`;
    const at = last.get(about);
    const before = at === undefined ? undefined : together[at]!;
    if (before === undefined || endOf(before) < Date.parse(alert.openedAt)) {
      last.set(about, together.push({ ...alert, instances: 1 }) - 1);
      continue;
    }
    const closedAt = endOf(alert) > endOf(before) ? alert.closedAt : before.closedAt;
    const declaredBy = before.declaredBy ?? alert.declaredBy;
    const caches = new Set([...(before.caches ?? []), ...(alert.caches ?? [])]);
    together[at!] = {
      ...before,
      ...(declaredBy !== undefined && { declaredBy }),
      ...(caches.size > 0 && { caches: [...caches] }),
      closedAt,
      instances: before.instances! + 1,
    };
  }
  return together.reverse();
}

function endOf({ closedAt }: Alert): number {
  return closedAt === null ? Infinity : Date.parse(closedAt);
}

/** Merges recommendations with the same id: the result is that of the instance with the largest saving, with the sum of all savings. */
export function recommendationsTogether(all: readonly (readonly Recommendation[])[]): readonly Recommendation[] {
  const byId = new Map<string, Recommendation[]>();
  for (const one of all.flat()) byId.set(one.id, [...(byId.get(one.id) ?? []), one]);
  const saved = ({ predicted }: Recommendation) => predicted.timeSavedMsPerHour;
  const together = [...byId.values()].map((alike): Recommendation => {
    const most = alike.reduce((one, other) => (saved(other) > saved(one) ? other : one));
    const { bytes, loadsPerHour } = most.predicted;
    // Only the recommendation of this instance contains it.
    const declaredBy = alike.find((one) => one.declaredBy !== undefined)?.declaredBy;
    const total = (of: (one: Recommendation) => number | undefined) =>
      alike.reduce((sum, one) => sum + (of(one) ?? 0), 0);
    return {
      ...most,
      ...(declaredBy !== undefined && { declaredBy }),
      predicted: {
        ...most.predicted,
        timeSavedMsPerHour: total(saved),
        ...(bytes !== undefined && { bytes: total(({ predicted }) => predicted.bytes) }),
        ...(loadsPerHour !== undefined && { loadsPerHour: total(({ predicted }) => predicted.loadsPerHour) }),
      },
      since: alike.reduce(
        (earliest, { since }) => (Date.parse(since) < Date.parse(earliest) ? since : earliest),
        most.since,
      ),
      instances: alike.length,
    };
  });
  return together.sort((one, other) => saved(other) - saved(one) || (one.id < other.id ? -1 : 1));
}
