import { systemClock } from '../cache/base/clock.js';
import { OWN_CACHE } from '../cache/base/tokens.js';
import type { Layer, LayerStatus, ServerInfo } from '../cache/layers/layer.js';
import { serverInfoOf } from '../exporters/server-figures.js';
import { circuitStateNamed } from '../metrics/statistics.js';
import type { MonitoredCache, MonitoredCaches } from './monitored-cache.js';

/** How long a server may take to answer before its figures are left out, milliseconds. */
const DEADLINE_MS = 2000;

type Unknowable<T> = { readonly [Name in keyof T]: T[Name] | null };

/** The answer of `GET info`: the figures of a server, null if it does not answer, and each layer of this instance. */
export interface CacheInformation extends Unknowable<ServerInfo> {
  readonly layers: readonly LayerInformation[];
}

export interface LayerInformation {
  /** The name of its cache; `default` for the application's own. */
  readonly cache: string;
  readonly layer: string;
  readonly shared: boolean;
  readonly connected: boolean;
  readonly circuitState: 'closed' | 'open' | 'half_open';
  readonly entryCount: number | null;
  readonly totalSizeBytes: number | null;
  /** The most entries that the layer may hold; omitted if they are not limited. */
  readonly maxEntries?: number;
  readonly maxSizeBytes?: number;
  /** The bound that is used up most: it causes evictions first. Omitted if both bounds are used up equally, such as while the layer is empty. */
  readonly boundBy?: 'entries' | 'bytes';
  readonly queueDepth: number;
  readonly writesDropped: number;
}

const nothingKnown: Record<keyof ServerInfo, null> = {
  redisVersion: null,
  usedMemoryHuman: null,
  usedMemory: null,
  connectedClients: null,
  totalKeys: null,
  uptimeInSeconds: null,
  hitRate: null,
  evictedKeys: null,
  maxMemory: null,
};

/** Reads the figures of the server of the first layer that has one, and the state of every layer. */
export class ServerInformation {
  constructor(
    private readonly cache: MonitoredCache,
    private readonly named: MonitoredCaches,
  ) {}

  async read(): Promise<CacheInformation> {
    const asked = this.cache.layers.filter((layer) => layer.serverInfo !== undefined);
    const answers = await Promise.all(asked.map((layer) => serverInfoOf(layer, DEADLINE_MS, systemClock)));
    const server = answers.find((answer) => answer !== null);
    return { ...nothingKnown, ...server, layers: this.#described() };
  }

  #described(): LayerInformation[] {
    const caches: [string, Pick<MonitoredCache, 'layers'>][] = [[OWN_CACHE, this.cache], ...this.named.all];
    return caches.flatMap(([name, { layers }]) => layers.map((layer) => describe(layer, name)));
  }
}

function describe(layer: Layer, cache: string): LayerInformation {
  const status = layer.status();
  const { entries, bytes, connected, circuitState, queueDepth, writesDropped } = status;
  return {
    cache,
    layer: layer.name,
    shared: layer.shared,
    connected,
    circuitState: circuitStateNamed(circuitState),
    entryCount: entries,
    totalSizeBytes: bytes,
    ...boundsOf(status),
    queueDepth,
    writesDropped,
  };
}

function boundsOf({
  entries,
  bytes,
  bounds = {},
}: LayerStatus): Pick<LayerInformation, 'maxEntries' | 'maxSizeBytes' | 'boundBy'> {
  const { entries: maxEntries = Infinity, bytes: maxSizeBytes = Infinity } = bounds;
  const [ofEntries, ofBytes] = [(entries ?? 0) / maxEntries, (bytes ?? 0) / maxSizeBytes];
  return {
    ...(maxEntries < Infinity && { maxEntries }),
    ...(maxSizeBytes < Infinity && { maxSizeBytes }),
    ...(ofEntries !== ofBytes && { boundBy: ofEntries > ofBytes ? ('entries' as const) : ('bytes' as const) }),
  };
}
