import { TIMED_OUT, within } from '../cache/base/bounded-wait.js';
import type { Clock } from '../cache/base/clock.js';
import type { ShutdownBudget } from '../cache/base/shutdown-budget.js';
import type { SharedMap } from '../cache/layers/layer.js';
import type { CacheStatistics } from '../metrics/cache-statistics.js';
import type { HealthReport } from '../metrics/snapshot.js';
import { isMoment, isText, type ProcessFacts, readFacts } from './process-facts.js';

/** One live instance. */
export interface Instance {
  readonly id: string;
  /** True for the instance that answers the request. */
  readonly own: boolean;
  readonly host: string;
  readonly pid: number;
  readonly version: string | null;
  readonly libraryVersion: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  /** When it last published its description, ISO 8601. */
  readonly lastSeenAt: string;
  readonly status: HealthReport['status'];
  /** Codes of its health warnings. */
  readonly warnings: readonly string[];
  /** The mean of the last minute. */
  readonly requestsPerSecond: number;
  readonly hitRate: number | null;
}

export interface InstanceList {
  /** `off` if the option `fleet` is off or no layer is shared; `unavailable` while that layer does not answer: then only this instance is listed. */
  readonly fleet: 'on' | 'off' | 'unavailable';
  /** This instance first, then the others by start. */
  readonly instances: readonly Instance[];
}

export interface InstancesOptions {
  readonly own: ProcessFacts;
  readonly metrics: Pick<CacheStatistics, 'collectHealth' | 'collectStats'>;
  /** Undefined if no layer can store notes. */
  readonly sharedMap: SharedMap | undefined;
  /** The interval in which this instance publishes its description, milliseconds; undefined if `fleet` is off. */
  readonly everyMs: number | undefined;
  readonly clock: Clock;
  readonly shutdown: ShutdownBudget;
}

/** The description that an instance publishes. */
type Note = ProcessFacts &
  Pick<Instance, 'status' | 'warnings' | 'requestsPerSecond' | 'hitRate'> & { readonly seenAt: number };

/** An instance counts as ended after this number of intervals without a description. */
const SILENT_INTERVALS = 3;
const WITHIN_MS = 1_500;
/** The maximum number of other instances in the list, and of warnings per instance. */
const MOST = 200;
const MOST_WARNINGS = 20;
const STATES: readonly unknown[] = ['healthy', 'warning', 'degraded'] satisfies HealthReport['status'][];

/** Publishes a description of this instance, and lists all instances. Never rejects, and does not keep the process running. */
export class Instances {
  #cancel: (() => void) | undefined;
  #publishing: Promise<void> | undefined;
  #stopped = false;

  constructor(private readonly options: InstancesOptions) {}

  onApplicationBootstrap(): void {
    const { sharedMap, everyMs } = this.options;
    if (sharedMap !== undefined && everyMs !== undefined) this.#describe(sharedMap, everyMs);
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    const { sharedMap, everyMs, own, shutdown } = this.options;
    if (sharedMap === undefined || everyMs === undefined) return;
    const withdrawn = () => Promise.resolve(this.#publishing).then(() => sharedMap.withdraw(own.id));
    await shutdown.spend(withdrawn, WITHIN_MS).catch(() => undefined);
  }

  async list(): Promise<InstanceList> {
    const { sharedMap, everyMs, own, clock } = this.options;
    const self = shown(await this.#note(), clock.now(), true);
    if (sharedMap === undefined || everyMs === undefined) return { fleet: 'off', instances: [self] };
    const notes = await within(sharedMap.readAll(), WITHIN_MS, clock).catch(() => TIMED_OUT);
    if (!(notes instanceof Map)) return { fleet: 'unavailable', instances: [self] };
    const now = clock.now();
    const others = [...(notes as ReadonlyMap<string, Uint8Array>).values()]
      .flatMap((bytes) => readNote(bytes, now) ?? [])
      .filter(({ id }) => id !== own.id)
      .toSorted((one, other) => one.startedAt - other.startedAt)
      .slice(0, MOST);
    return { fleet: 'on', instances: [self, ...others.map((note) => shown(note, now, false))] };
  }

  #describe(sharedMap: SharedMap, everyMs: number): void {
    const publish = async (): Promise<void> => {
      const bytes = Buffer.from(JSON.stringify(await this.#note()));
      await within(
        sharedMap.publish(this.options.own.id, bytes, everyMs * SILENT_INTERVALS),
        WITHIN_MS,
        this.options.clock,
      );
    };
    this.#publishing = publish()
      // If the layer does not answer, the exchange of statistics reports that.
      .catch(() => undefined)
      .finally(() => {
        if (this.#stopped) return;
        this.#cancel = this.options.clock.after(everyMs, () => this.#describe(sharedMap, everyMs));
      });
  }

  async #note(): Promise<Note> {
    const { metrics, own, clock } = this.options;
    const { status, warnings } = await metrics.collectHealth();
    const { totalRequests, coverageSeconds, hitRate } = await metrics.collectStats('1m');
    return {
      ...own,
      seenAt: clock.now(),
      status,
      warnings: [...new Set(warnings.map(({ code }) => code))].slice(0, MOST_WARNINGS),
      requestsPerSecond: coverageSeconds === 0 ? 0 : totalRequests / coverageSeconds,
      hitRate,
    };
  }
}

function shown(
  { id, host, pid, version, libraryVersion, startedAt, seenAt, ...health }: Note,
  now: number,
  own: boolean,
): Instance {
  return {
    id,
    own,
    host,
    pid,
    version,
    libraryVersion,
    startedAt: new Date(startedAt).toISOString(),
    uptimeSeconds: Math.max(0, now - startedAt) / 1_000,
    lastSeenAt: new Date(seenAt).toISOString(),
    ...health,
  };
}

/** Reads the description of another instance; undefined for invalid bytes. */
function readNote(bytes: Uint8Array, now: number): Note | undefined {
  const note = readFacts(bytes, now);
  if (note === undefined) return undefined;
  const { id, host, pid, version, libraryVersion, startedAt, seenAt, status, warnings, requestsPerSecond, hitRate } =
    note;
  const known =
    isMoment(seenAt, now) &&
    STATES.includes(status) &&
    Array.isArray(warnings) &&
    warnings.length <= MOST_WARNINGS &&
    warnings.every(isText) &&
    typeof requestsPerSecond === 'number' &&
    (hitRate === null || typeof hitRate === 'number');
  if (!known) return undefined;
  const health = { status: status as Note['status'], warnings, requestsPerSecond, hitRate };
  return { id, host, pid, version, libraryVersion, startedAt, seenAt, ...health };
}
