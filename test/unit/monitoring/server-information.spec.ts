import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Layer, ServerInfo } from '../../../lib/cache/layers/layer.js';
import { CircuitState } from '../../../lib/cache/observer.js';
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
const read = (...layers: Layer[]) => new ServerInformation({ layers } as never).read();

describe('the information about servers', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('is that of the first layer with a server', async () => {
    const answer = await read(
      layer('memory'),
      layer('redis', async () => redis),
    );
    expect(answer).toMatchObject(redis);
  });

  it('is null without a server', async () => {
    expect(await read(layer('memory'))).toMatchObject({ redisVersion: null, totalKeys: null, hitRate: null });
  });

  it('is null where the server refuses', async () => {
    const refusing = layer('redis', () => Promise.reject(new Error('down')));
    expect(await read(refusing)).toMatchObject({ redisVersion: null, layers: [{ layer: 'redis' }] });
  });

  it('is null where the server does not answer in time', async () => {
    const answer = read(layer('redis', () => new Promise(() => undefined)));
    await jest.advanceTimersByTimeAsync(2000);
    expect(await answer).toMatchObject({ redisVersion: null, layers: [{ layer: 'redis' }] });
  });

  it('tells the state of every layer of ours', async () => {
    expect((await read(layer('memory'))).layers).toEqual([
      {
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
});
