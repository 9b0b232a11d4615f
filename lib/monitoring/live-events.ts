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

/** The part of the metrics that the stream uses: it reads figures, and adds the number of its clients. */
type WatchedMetrics = Pick<CacheMetrics, 'collectRealtime' | 'addSource'>;

/** The part of a cache that the stream watches. */
type WatchedCache = Pick<MonitoredCache, 'watchInvalidations' | 'watchAlerts'> & {
  readonly tuning: Pick<PolicyTuning, 'watch'>;
};

/** Token of the limit of concurrent clients. */
export const MAX_EVENT_CLIENTS = Symbol('cache-observability:max-event-clients');

const TICK_MS = 1_000;
/** The most ticks written per second, because each write costs time. With more clients, each gets ticks less often, at least every five seconds. */
const TICKS_A_SECOND = 20;
const SLOWEST_TICK_MS = 5_000;
/** With more clients than this, each should poll the other routes less often, at intervals up to four times as long. */
const CLIENTS_AT_FULL_PACE = 25;
const SLOWEST_PACE = 4;
/** The pause before a browser reconnects, milliseconds. */
const RETRY_MS = 3_000;
/** The most patterns named in one invalidation. */
const MAX_PATTERNS = 20;
/** How long events are kept for reconnecting clients after the last client has left, milliseconds. */
const REMEMBER_MS = 300_000;
/** The most keys and globs of one invalidation whose patterns are detected. */
const MAX_KEYS = 1_000;

/**
 * The event stream. One ticker and one set of listeners serve all clients. Both run while there are clients; the listeners run five
 * minutes longer, for clients that reconnect. Each event is rendered once for all clients. Events contain patterns and counts, never keys.
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
  /** The clients that have received a tick. */
  readonly #started = new Set<EventClient>();
  readonly #patterns = new EventPatterns();
  readonly #missed = new RecentEvents();
  #stops: (() => void)[] = [];
  #stopTicks: (() => void) | undefined;
  #forgetLater: (() => void) | undefined;
  #looking = false;
  /** True if the next tick goes to all clients, not only to new ones. */
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

  /** The factor by which clients should lengthen the intervals at which they poll other routes: 1–4, growing with the number of clients. */
  get pace(): number {
    return Math.min(SLOWEST_PACE, Math.max(1, this.#clients.size / CLIENTS_AT_FULL_PACE));
  }

  /** Checks that one more client can connect. @throws MonitoringError 503 if the limit is reached, or the application is closing. */
  admit(): void {
    if (this.#closed) throw new MonitoringError(503, 'EVENTS_CLOSED', 'The application is closing.');
    if (this.#clients.size < this.#maxClients) return;
    this.#refused++;
    throw new MonitoringError(
      503,
      'TOO_MANY_CLIENTS',
      `${this.#maxClients} clients already listen to the events, the limit of monitoring.maxEventClients. ` +
        'Try again when a client has left, or use GET realtime.',
    );
  }

  /**
   * Adds a client, and sends it the events that it missed and a tick. Call {@link admit} first.
   * @param lastEventId the id of the last event that the client received. Later events are sent to it; if another process sent that
   * event, all kept events are.
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

  /** Stops the listeners and drops the kept events. */
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

  /** Watches policies, alerts and invalidations of all caches. Each event names its cache. */
  #watchCaches(): (() => void)[] {
    const caches: [string, WatchedCache][] = [[OWN_CACHE, this.#cache], ...(this.#named?.all ?? [])];
    return caches.flatMap(([cache, watched]) => [
      watched.tuning.watch((event) => this.#send('policy', { cache, ...event })),
      watched.watchAlerts((change) => {
        // Several caches may report the same alert: send it once, for the first of them.
        if ((change.alert.caches?.[0] ?? cache) === cache) this.#send('alert', { cache, ...change });
      }),
      watched.watchInvalidations((invalidation) => this.#invalidated(cache, invalidation)),
    ]);
  }

  /** Starts the ticker. @returns a function that stops it. */
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

  /** Reads the figures and sends a tick: to all clients if one is due, otherwise to new clients. Only one reading runs at a time. */
  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const everybody = this.#due;
    this.#due = false;
    const realtime = await this.#realtime();
    this.#looking = false;
    if (realtime !== undefined) this.#sendTick(realtime, everybody);
    // A comment keeps the connection open: proxies close idle ones.
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

  /** Returns undefined if the figures cannot be read, so that the stream continues. */
  async #realtime(): Promise<Realtime | undefined> {
    try {
      return await this.#metrics.collectRealtime();
    } catch {
      return undefined;
    }
  }

  /** Adds the time of the event: a client that was disconnected receives it later, and its clock may differ. */
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

/** Returns the time between two ticks for this number of clients, milliseconds. */
function tickMs(clients: number): number {
  return Math.min(SLOWEST_TICK_MS, TICK_MS * Math.max(1, Math.ceil(clients / TICKS_A_SECOND)));
}
