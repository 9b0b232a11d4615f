import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Layer, ServerInfo } from '../../../lib/cache/layers/layer.js';
import { CircuitState } from '../../../lib/cache/base/observer.js';
import { ServerInformation } from '../../../lib/monitoring/server-information.js';

const status = {
  entries: 3,
  bytes: 300,
  connected: true,
  circuitState: CircuitState.halfOpen,
  queueDepth: 2,
  writesDropped: 1,
};
const layer = (name: string, serverInfo?: () => Promise<ServerInfo>) =>
  ({ name, shared: serverInfo !== undefined, status: () => status, serverInfo }) as unknown as Layer;
const redis: ServerInfo = {
  redisVersion: '7.0.15',
  usedMemoryHuman: '1M',
  usedMemory: 1_048_576,
  connectedClients: 2,
  totalKeys: 5,
  uptimeInSeconds: 60,
  hitRate: 0.5,
  evictedKeys: 0,
  maxMemory: 0,
};
const read = (...layers: Layer[]) => new ServerInformation({ layers } as never, { all: new Map() }).read();

describe('the information about servers', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('server information contains the figures of the first layer with a server', async () => {
    const answer = await read(
      layer('memory'),
      layer('redis', async () => redis),
    );
    expect(answer).toMatchObject(redis);
  });

  it('server information is null without a server', async () => {
    expect(await read(layer('memory'))).toMatchObject({ redisVersion: null, totalKeys: null, hitRate: null });
  });

  it('server information is null if the server refuses', async () => {
    const refusing = layer('redis', () => Promise.reject(new Error('down')));
    expect(await read(refusing)).toMatchObject({ redisVersion: null, layers: [{ layer: 'redis' }] });
  });

  it('server information is null if the server does not respond in time', async () => {
    const answer = read(layer('redis', () => new Promise(() => undefined)));
    await jest.advanceTimersByTimeAsync(2000);
    expect(await answer).toMatchObject({ redisVersion: null, layers: [{ layer: 'redis' }] });
  });

  it('server information contains the state of every layer', async () => {
    expect((await read(layer('memory'))).layers).toEqual([
      {
        cache: 'default',
        layer: 'memory',
        shared: false,
        connected: true,
        circuitState: 'half_open',
        entryCount: 3,
        totalSizeBytes: 300,
        queueDepth: 2,
        writesDropped: 1,
      },
    ]);
  });

  it('server information names the bounds of a layer, and which of them is nearer', async () => {
    const bounded = (bounds: object) => ({ ...layer('memory'), status: () => ({ ...status, bounds }) }) as Layer;
    const [byBytes] = (await read(bounded({ entries: 10, bytes: 600 }))).layers;
    expect(byBytes).toMatchObject({ maxEntries: 10, maxSizeBytes: 600, boundBy: 'bytes' });
    const [byEntries] = (await read(bounded({ entries: 4, bytes: 600 }))).layers;
    expect(byEntries).toMatchObject({ boundBy: 'entries' });
    const [unbounded] = (await read(bounded({ entries: Infinity, bytes: 600 }))).layers;
    expect(unbounded).toMatchObject({ maxSizeBytes: 600, boundBy: 'bytes' });
    expect(unbounded).not.toHaveProperty('maxEntries');
  });
});
