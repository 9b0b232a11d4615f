import { TIMED_OUT, within } from '../cache/base/bounded-wait.js';
import type { Clock } from '../cache/base/clock.js';
import type { Layer, ServerInfo } from '../cache/layers/layer.js';
import type { FamilySource, MetricFamily, MetricPoint } from '../metrics/family.js';

export interface ServerFiguresOptions {
  readonly clock: Clock;
  /** How long a server may take to answer, milliseconds. After that, its last answer is shown. @default 500 */
  readonly deadlineMs?: number;
  /** How long an answer is used before the server is asked again, milliseconds. Several scrapers then cost the server one query. @default 5000 */
  readonly keepMs?: number;
  /** How long the last answer of a server that is down is shown, milliseconds. @default 60000 */
  readonly staleMs?: number;
}

/** The last answer of one layer's server. */
interface Answer {
  readonly info: ServerInfo | undefined;
  readonly answeredAt: number;
  /** True if the server answered when it was asked last. */
  readonly up: boolean;
}

/**
 * The figures that the servers of the layers report (INFO of Redis), as families. Each scrape asks the servers; a scrape that cannot wait
 * asks them in the background. A server that is down or slow delays a scrape by the deadline at most.
 */
export class ServerFigures implements FamilySource {
  readonly #layers: () => readonly Layer[];
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #keepMs: number;
  readonly #staleMs: number;
  readonly #answers = new Map<string, Answer>();
  #asking: Promise<void> | undefined;
  #askedAt = -Infinity;

  constructor(layers: () => readonly Layer[], options: ServerFiguresOptions) {
    this.#layers = layers;
    this.#clock = options.clock;
    this.#deadlineMs = options.deadlineMs ?? 500;
    this.#keepMs = options.keepMs ?? 5_000;
    this.#staleMs = options.staleMs ?? 60_000;
  }

  /** Asks the servers whose last answers are too old; resolves within the deadline. */
  refresh(): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    if (this.#clock.now() - this.#askedAt < this.#keepMs) return Promise.resolve();
    const servers = this.#layers().filter((layer) => layer.serverInfo !== undefined);
    if (servers.length === 0) return Promise.resolve();
    this.#askedAt = this.#clock.now();
    const asking = Promise.all(servers.map((layer) => this.#ask(layer))).then(() => {
      this.#asking = undefined;
    });
    this.#asking = asking;
    return asking;
  }

  families(): MetricFamily[] {
    void this.refresh();
    if (this.#answers.size === 0) return [];
    return [
      {
        name: 'cache_server_up',
        help: 'Whether the server behind a layer answered when it was asked last.',
        type: 'gauge',
        // 1 only if every process can reach the server.
        aggregation: 'min',
        labelNames: ['layer'],
        points: () => [...this.#answers].map(([layer, { up }]) => ({ labels: [layer], value: up ? 1 : 0 })),
      },
      this.#family('memory_used_bytes', 'Memory in use on the whole server.', ({ usedMemory }) => usedMemory),
      this.#family('memory_limit_bytes', 'Memory the server may use; 0 for no limit.', ({ maxMemory }) => maxMemory),
      this.#family(
        'keys',
        'Keys on the whole server, including those of other applications.',
        ({ totalKeys }) => totalKeys,
      ),
      this.#family('connected_clients', 'Clients connected to the server.', ({ connectedClients }) => connectedClients),
      this.#family(
        'hit_ratio',
        'Share of lookups on the server that found a key, since its start.',
        ({ hitRate }) => hitRate,
      ),
      this.#family(
        'evicted_keys_total',
        'Keys the server evicted to free memory, since its start.',
        ({ evictedKeys }) => evictedKeys,
      ),
      this.#family('uptime_seconds', 'How long the server has been up.', ({ uptimeInSeconds }) => uptimeInSeconds),
    ];
  }

  async #ask(layer: Layer): Promise<void> {
    const info = await serverInfoOf(layer, this.#deadlineMs, this.#clock);
    // The layer has no server.
    if (info === null) return void this.#answers.delete(layer.name);
    const before = this.#answers.get(layer.name) ?? { info: undefined, answeredAt: -Infinity };
    this.#answers.set(
      layer.name,
      info === undefined ? { ...before, up: false } : { info, answeredAt: this.#clock.now(), up: true },
    );
  }

  #family(name: string, help: string, read: (info: ServerInfo) => number | null): MetricFamily {
    const unit = /_(bytes|seconds|ratio)$/.exec(name)?.[1] as MetricFamily['unit'];
    return {
      name: `cache_server_${name}`,
      help,
      type: name.endsWith('_total') ? 'counter' : 'gauge',
      ...(unit === undefined ? {} : { unit }),
      // The server gives every process the same answer, so values must not be added up.
      aggregation: 'max',
      labelNames: ['layer'],
      points: () => this.#points(read),
    };
  }

  *#points(read: (info: ServerInfo) => number | null): Iterable<MetricPoint> {
    for (const [layer, { info, answeredAt }] of this.#answers) {
      if (info === undefined || this.#clock.now() - answeredAt > this.#staleMs) continue;
      const value = read(info);
      if (value !== null) yield { labels: [layer], value };
    }
  }
}

/**
 * Returns what the server of a layer reports. Undefined if the server is down, refuses or takes longer than `deadlineMs`; null if the
 * layer has no server.
 */
export async function serverInfoOf(
  layer: Layer,
  deadlineMs: number,
  clock: Clock,
): Promise<ServerInfo | null | undefined> {
  try {
    const answer = await within(Promise.resolve(layer.serverInfo?.()), deadlineMs, clock);
    return answer === TIMED_OUT ? undefined : answer;
  } catch {
    return undefined;
  }
}
