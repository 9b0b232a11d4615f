import { Inject, Injectable } from '@nestjs/common';
import { type CircuitState, CircuitState as State } from '../cache/observer.js';
import type { Layer, ServerInfo } from '../cache/layers/layer.js';
import { MONITORED_CACHE, type MonitoredCache } from './monitored-cache.js';

/** How long a server may take to answer before its figures are left out, milliseconds. */
const DEADLINE_MS = 2000;

/** What `GET info` answers: the server's figures, null without a server that answers, and each layer of ours. */
export interface CacheInformation extends Record<keyof ServerInfo, string | number | null> {
  readonly layers: readonly LayerInformation[];
}

export interface LayerInformation {
  readonly layer: string;
  readonly shared: boolean;
  readonly connected: boolean;
  readonly circuitState: 'closed' | 'open' | 'half_open';
  readonly entryCount: number | null;
  readonly totalSizeBytes: number | null;
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

const stateNames: Record<CircuitState, LayerInformation['circuitState']> = {
  [State.closed]: 'closed',
  [State.open]: 'open',
  [State.halfOpen]: 'half_open',
};

/** Asks the nearest layer that has a server what that says of itself. */
@Injectable()
export class ServerInformation {
  readonly #cache: MonitoredCache;

  constructor(@Inject(MONITORED_CACHE) cache: MonitoredCache) {
    this.#cache = cache;
  }

  async read(): Promise<CacheInformation> {
    const layers = this.#cache.layers;
    const asked = layers.find((layer) => layer.serverInfo !== undefined);
    const server = asked === undefined ? undefined : await withinDeadline(asked);
    return { ...nothingKnown, ...server, layers: layers.map(describe) };
  }
}

/** A server that is down, refuses or dawdles is one that says nothing. */
async function withinDeadline(layer: Layer): Promise<ServerInfo | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), DEADLINE_MS);
  });
  try {
    return await Promise.race([layer.serverInfo?.(), late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function describe(layer: Layer): LayerInformation {
  const { entries, bytes, connected, circuitState, queueDepth, writesDropped } = layer.status();
  return {
    layer: layer.name,
    shared: layer.shared,
    connected,
    circuitState: stateNames[circuitState],
    entryCount: entries,
    totalSizeBytes: bytes,
    queueDepth,
    writesDropped,
  };
}
