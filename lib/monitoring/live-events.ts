import type { ServerResponse } from 'node:http';
import { Inject, Injectable, type OnModuleDestroy, Optional } from '@nestjs/common';
import { type Clock, systemClock } from '../cache/base/clock.js';
import { CACHE_CLOCK, OWN_CACHE } from '../cache/base/tokens.js';
import type { CacheInvalidation } from '../cache/invalidation/invalidation-listeners.js';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import { EventPatterns } from '../metrics/patterns/event-patterns.js';
import { counter, gauge } from '../metrics/family.js';
import type { FamilySource, MetricFamily, MetricPoint } from '../metrics/family.js';
import type { Realtime } from '../metrics/snapshot.js';
import { CacheWarmer } from '../warming/cache-warmer.js';
import { MONITORED_CACHE, MONITORED_CACHES, type MonitoredCache, type MonitoredCaches } from './monitored-cache.js';
import type { PolicyTuning } from '../tuning/policy-tuning.js';
import { MonitoringError } from './monitoring-error.js';
import { ofCache, present } from './presenter.js';
import { RecentEvents } from './recent-events.js';
import { EventClient, eventFrame } from './event-client.js';

/** The part of the metrics that is read, and to which the number of clients is added. */
type WatchedMetrics = Pick<CacheMetrics, 'collectRealtime' | 'addSource'>;

/** The part of the cache that is watched. */
type WatchedCache = Pick<MonitoredCache, 'watchInvalidations' | 'watchAlerts'> & {
  readonly tuning: Pick<PolicyTuning, 'watch'>;
};

/** Token of the limit of concurrent clients. */
export const MAX_EVENT_CLIENTS = Symbol('cache-observability:max-event-clients');

const TICK_MS = 1_000;
/** The most ticks written per second, since writes are the cost: with more clients, ticks come less often, at least every five seconds. */
const TICKS_A_SECOND = 20;
const SLOWEST_TICK_MS = 5_000;
/** The most clients that ask other routes at their own interval; more of them wait longer, at most four times as long. */
const CLIENTS_AT_FULL_PACE = 25;
const SLOWEST_PACE = 4;
/** The pause before a browser reconnects, milliseconds. */
const RETRY_MS = 3_000;
/** The most patterns named in one invalidation. */
const MAX_PATTERNS = 20;
/** How long events are kept for reconnecting clients after the last one has left, milliseconds. */
const REMEMBER_MS = 300_000;
/** The most keys of one invalidation whose patterns are detected. */
const MAX_KEYS = 1_000;

/**
 * The event stream: one ticker and one set of listeners for all clients, active while there are clients. The listeners stay
 * five minutes longer, for clients that reconnect. Each frame is rendered once. It contains patterns and counts only, never a key.
 */
@Injectable()
export class LiveEvents implements OnModuleDestroy, FamilySource {
  readonly #metrics: WatchedMetrics;
  readonly #warmer: Pick<CacheWarmer, 'onProgress'>;
  readonly #cache: WatchedCache;
  readonly #named: MonitoredCaches | undefined;
  readonly #maxClients: number;
  readonly #clock: Clock;
  readonly #clients = new Set<EventClient>();
  /** Clients that have received a tick. */
  readonly #started = new Set<EventClient>();
  readonly #patterns = new EventPatterns();
  readonly #missed = new RecentEvents();
  #stops: (() => void)[] = [];
  #stopTicks: (() => void) | undefined;
  #forgetLater: (() => void) | undefined;
  #looking = false;
  /** Whether the next reading is for all clients. */
  #due = false;
  #sent = 0;
  #refused = 0;
  #closed = false;

  constructor(
    @Inject(CacheMetrics) metrics: WatchedMetrics,
    @Inject(CacheWarmer) warmer: Pick<CacheWarmer, 'onProgress'>,
    @Inject(MONITORED_CACHE) cache: WatchedCache,
    @Inject(MAX_EVENT_CLIENTS) maxClients: number,
    @Optional() @Inject(CACHE_CLOCK) clock?: Clock,
    @Optional() @Inject(MONITORED_CACHES) named?: MonitoredCaches,
  ) {
    this.#metrics = metrics;
    this.#warmer = warmer;
    this.#cache = cache;
    this.#maxClients = maxClients;
    this.#clock = clock ?? systemClock;
    this.#named = named;
    metrics.addSource(this);
  }

  /** The number of clients. */
  get clients(): number {
    return this.#clients.size;
  }

  /** By what clients that also ask other routes again and again should multiply their intervals: 1 to 4, by the number of clients. */
  get pace(): number {
    return Math.min(SLOWEST_PACE, Math.max(1, this.#clients.size / CLIENTS_AT_FULL_PACE));
  }

  /** @throws MonitoringError 503 if the limit of clients is reached, or the application is closing. */
  admit(): void {
    if (this.#closed) throw new MonitoringError(503, 'EVENTS_CLOSED', 'The application is closing.');
    if (this.#clients.size < this.#maxClients) return;
    this.#refused++;
    throw new MonitoringError(
      503,
      'TOO_MANY_CLIENTS',
      `${this.#maxClients} clients listen to the events already, as many as monitoring.maxEventClients allows; ` +
        'try again when one has gone, or ask GET realtime.',
    );
  }

  /**
   * Adds a client, which starts with a tick. Call {@link admit} before.
   * @param lastEventId the last event that the client received: later events are sent to it, all kept ones after one of another process.
   */
  connect(response: ServerResponse, headers: Readonly<Record<string, unknown>> = {}, lastEventId = ''): void {
    const client = new EventClient(response, headers, () => this.#leave(client));
    this.#clients.add(client);
    client.send(`retry: ${RETRY_MS}\n\n`);
    for (const frame of this.#missed.after(lastEventId)) client.send(frame);
    if (this.#stops.length === 0) this.#start();
    this.#forgetLater?.();
    this.#forgetLater = undefined;
    this.#stopTicks ??= this.#tickAgain();
    void this.#look();
  }

  families(): MetricFamily[] {
    const point = (value: number): MetricPoint[] => [{ labels: [], value }];
    return [
      gauge('cache_event_clients', 'Clients that listen to the event stream.', [], () => point(this.#clients.size)),
      counter(
        'cache_event_clients_refused_total',
        'Clients refused by the event stream, because the limit was reached.',
        [],
        () => point(this.#refused),
      ),
    ];
  }

  /** Runs before the server waits for its connections to end. */
  onModuleDestroy(): void {
    this.#closed = true;
    for (const client of [...this.#clients]) client.end();
    this.#stop();
  }

  #leave(client: EventClient): void {
    this.#clients.delete(client);
    this.#started.delete(client);
    if (this.#clients.size > 0) return;
    this.#stopTicks?.();
    this.#stopTicks = undefined;
    this.#due = false;
    if (this.#closed) this.#stop();
    else this.#forgetLater = this.#clock.after(REMEMBER_MS, () => this.#stop());
  }

  /** Stops everything when no client has reconnected. */
  #stop(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#forgetLater?.();
    this.#forgetLater = undefined;
    this.#missed.clear();
  }

  #start(): void {
    this.#stops = [this.#warmer.onProgress((progress) => this.#send('warming', progress)), ...this.#watchCaches()];
  }

  /** Watches policies and alerts of the application's own cache and of named ones, with their names. */
  #watchCaches(): (() => void)[] {
    const caches: [string, WatchedCache][] = [[OWN_CACHE, this.#cache], ...(this.#named?.all ?? [])];
    return caches.flatMap(([cache, watched]) => [
      watched.tuning.watch((event) => this.#send('policy', { cache, ...event })),
      watched.watchAlerts((change) => {
        // What several caches have is one event, of the first of them.
        if ((change.alert.caches?.[0] ?? cache) === cache) this.#send('alert', { cache, ...change });
      }),
      watched.watchInvalidations((invalidation) => this.#invalidated(cache, invalidation)),
    ]);
  }

  /** @returns a function that stops it. */
  #tickAgain(): () => void {
    const plan = (): (() => void) =>
      this.#clock.after(tickMs(this.#clients.size), () => {
        cancel = plan();
        this.#due = true;
        void this.#look();
      });
    let cancel = plan();
    return () => cancel();
  }

  /** Reads the figures, one reading at a time: for all clients if a tick is due, else for clients without a first tick. */
  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const everybody = this.#due;
    this.#due = false;
    const realtime = await this.#realtime();
    this.#looking = false;
    if (realtime !== undefined) this.#sendTick(realtime, everybody);
    // Proxies close an idle connection.
    else if (everybody) this.#broadcast(': no figures\n\n');
    if (this.#due) void this.#look();
  }

  #sendTick(realtime: Realtime, everybody: boolean): void {
    const id = this.#missed.idOf(everybody ? ++this.#sent : this.#sent);
    const tick = eventFrame('tick', present(ofCache(realtime, OWN_CACHE)), id);
    for (const client of this.#clients) {
      if (!everybody && this.#started.has(client)) continue;
      this.#started.add(client);
      client.send(tick);
    }
  }

  #invalidated(cache: string, { keys, globs, tags, all, removed }: CacheInvalidation): void {
    const patterns = [...this.#patterns.patternsOf([...keys, ...globs].slice(0, MAX_KEYS))].slice(0, MAX_PATTERNS);
    const counts = { keys: keys.length, globs: globs.length, tags: tags.length };
    this.#send('invalidation', { cache, patterns, ...counts, all, removed });
  }

  /** Undefined if the figures cannot be read: the stream continues. */
  async #realtime(): Promise<Realtime | undefined> {
    try {
      return await this.#metrics.collectRealtime();
    } catch {
      return undefined;
    }
  }

  /** Says when it happened: a client that was away receives it later, and may have another clock. */
  #send(event: string, data: object): void {
    const timestamp = new Date(this.#clock.now()).toISOString();
    const frame = eventFrame(event, present({ ...data, timestamp }), this.#missed.idOf(++this.#sent));
    this.#missed.add(this.#sent, frame);
    this.#broadcast(frame);
  }

  #broadcast(frame: string): void {
    for (const client of this.#clients) client.send(frame);
  }
}

/** The time between two ticks for a number of clients. */
function tickMs(clients: number): number {
  return Math.min(SLOWEST_TICK_MS, TICK_MS * Math.max(1, Math.ceil(clients / TICKS_A_SECOND)));
}
