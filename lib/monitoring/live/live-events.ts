import type { ServerResponse } from 'node:http';
import { Inject, Injectable, type OnModuleDestroy, Optional } from '@nestjs/common';
import { type Clock, systemClock } from '../../cache/clock.js';
import type { CacheInvalidation } from '../../cache/writing/invalidation-feed.js';
import { CacheMetrics } from '../../metrics/cache-metrics.js';
import { PatternDetector } from '../../metrics/recording/pattern-detector.js';
import { counter, gauge } from '../../metrics/catalogue/families.js';
import type { FamilySource, MetricFamily, MetricPoint } from '../../metrics/family.js';
import type { Realtime } from '../../metrics/snapshot.js';
import { CacheWarmer } from '../../warming/cache-warmer.js';
import { MONITORED_CACHE, type MonitoredCache } from '../monitored-cache.js';
import { MonitoringError } from '../monitoring-error.js';
import { present } from '../presenter.js';
import { AlertChanges } from './alert-changes.js';
import { EventClient, eventFrame } from './event-client.js';

/** What is read of the metrics, and that they show how many clients there are. */
type WatchedMetrics = Pick<CacheMetrics, 'collectRealtime' | 'addSource'>;

/** Token of the most clients at a time. */
export const MAX_EVENT_CLIENTS = Symbol('cache-observability:max-event-clients');
/** Token of the clock, for tests. */
export const EVENT_CLOCK = Symbol('cache-observability:event-clock');

const TICK_MS = 1_000;
/** Comments between events, so that proxies keep an idle connection; ticks come more often unless they fail. */
const HEARTBEAT_TICKS = 15;
/** After how many milliseconds a browser connects again. */
const RETRY_MS = 3_000;
/** Patterns named in one invalidation. */
const MAX_PATTERNS = 20;

/**
 * The event stream: one ticker and one set of listeners for all clients, there as long as there is a client. What is sent is
 * made once. Patterns and counts only: never a key.
 */
@Injectable()
export class LiveEvents implements OnModuleDestroy, FamilySource {
  readonly #metrics: WatchedMetrics;
  readonly #warmer: Pick<CacheWarmer, 'onProgress'>;
  readonly #cache: Pick<MonitoredCache, 'watchInvalidations'>;
  readonly #maxClients: number;
  readonly #clock: Clock;
  readonly #clients = new Set<EventClient>();
  /** Clients that have had a tick. */
  readonly #started = new Set<EventClient>();
  readonly #alerts = new AlertChanges();
  readonly #patterns = new PatternDetector();
  #stops: (() => void)[] = [];
  #looking = false;
  /** Whether the next look is for everybody. */
  #due = false;
  #ticks = 0;
  #sent = 0;
  #refused = 0;
  #closed = false;

  constructor(
    @Inject(CacheMetrics) metrics: WatchedMetrics,
    @Inject(CacheWarmer) warmer: Pick<CacheWarmer, 'onProgress'>,
    @Inject(MONITORED_CACHE) cache: Pick<MonitoredCache, 'watchInvalidations'>,
    @Inject(MAX_EVENT_CLIENTS) maxClients: number,
    @Optional() @Inject(EVENT_CLOCK) clock?: Clock,
  ) {
    this.#metrics = metrics;
    this.#warmer = warmer;
    this.#cache = cache;
    this.#maxClients = maxClients;
    this.#clock = clock ?? systemClock;
    metrics.addSource(this);
  }

  /** How many listen. */
  get clients(): number {
    return this.#clients.size;
  }

  /** @throws MonitoringError 503 while there is no room for another client, or the application is closing. */
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

  /** Adds a client, which starts with a tick. Ask {@link admit} before. */
  connect(response: ServerResponse, headers: Readonly<Record<string, unknown>> = {}): void {
    const client = new EventClient(response, headers, () => this.#leave(client));
    this.#clients.add(client);
    client.send(`retry: ${RETRY_MS}\n\n`);
    if (this.#clients.size === 1) this.#start();
    void this.#look();
  }

  families(): MetricFamily[] {
    const point = (value: number): MetricPoint[] => [{ labels: [], value }];
    return [
      gauge('cache_event_clients', 'Clients that listen to the event stream.', [], () => point(this.#clients.size)),
      counter(
        'cache_event_clients_refused_total',
        'Clients turned away from the event stream for want of room.',
        [],
        () => point(this.#refused),
      ),
    ];
  }

  /** Before the server waits for its connections to end. */
  onModuleDestroy(): void {
    this.#closed = true;
    for (const client of [...this.#clients]) client.end();
  }

  #leave(client: EventClient): void {
    this.#clients.delete(client);
    this.#started.delete(client);
    if (this.#clients.size > 0) return;
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#due = false;
    this.#alerts.forget();
  }

  #start(): void {
    this.#stops = [
      this.#warmer.onProgress((progress) => this.#send('warming', progress)),
      this.#cache.watchInvalidations((invalidation) => this.#invalidated(invalidation)),
      this.#tickAgain(),
    ];
  }

  /** @returns how to stop. */
  #tickAgain(): () => void {
    const plan = (): (() => void) =>
      this.#clock.after(TICK_MS, () => {
        cancel = plan();
        if (++this.#ticks % HEARTBEAT_TICKS === 0) this.#broadcast(': still here\n\n');
        this.#due = true;
        void this.#look();
      });
    let cancel = plan();
    return () => cancel();
  }

  /** Reads the figures, one reading at a time: for everybody where a tick is due, else for clients that have had none. */
  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const everybody = this.#due;
    this.#due = false;
    const realtime = await this.#realtime();
    this.#looking = false;
    if (realtime !== undefined && this.#clients.size > 0) this.#tell(realtime, everybody);
    if (this.#due) void this.#look();
  }

  /** A client starts with a tick, in which stands what is open; what comes and goes then is told to those that have started. */
  #tell(realtime: Realtime, everybody: boolean): void {
    const changes = this.#alerts.since(realtime.alerts);
    const started = [...this.#started];
    const tick = eventFrame('tick', present(realtime), everybody ? ++this.#sent : this.#sent);
    for (const client of this.#clients) {
      if (!everybody && this.#started.has(client)) continue;
      this.#started.add(client);
      client.send(tick);
    }
    for (const change of changes) this.#send('alert', change, started);
  }

  #invalidated({ keys, globs, tags, all, removed }: CacheInvalidation): void {
    const patterns = new Set<string>();
    for (const text of [...keys, ...globs]) {
      if (patterns.size >= MAX_PATTERNS) break;
      patterns.add(this.#patterns.patternOf(text));
    }
    const counts = { keys: keys.length, globs: globs.length, tags: tags.length };
    this.#send('invalidation', { patterns: [...patterns], ...counts, all, removed });
  }

  /** Undefined where the figures cannot be read: the stream goes on. */
  async #realtime(): Promise<Realtime | undefined> {
    try {
      return await this.#metrics.collectRealtime();
    } catch {
      return undefined;
    }
  }

  #send(event: string, data: unknown, clients: Iterable<EventClient> = this.#clients): void {
    this.#broadcast(eventFrame(event, present(data), ++this.#sent), clients);
  }

  #broadcast(frame: string, clients: Iterable<EventClient> = this.#clients): void {
    for (const client of clients) client.send(frame);
  }
}
