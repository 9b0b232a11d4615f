import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Layer, ServerInfo } from '../../../lib/cache/layers/layer.js';
import { ServerFigures } from '../../../lib/exporters/server-figures.js';
import { ManualClock, settle } from '../../support/manual-clock.js';

const said: ServerInfo = {
  redisVersion: '7.0.15',
  usedMemoryHuman: '1.68M',
  usedMemory: 1_766_576,
  connectedClients: 2,
  totalKeys: 276,
  uptimeInSeconds: 213,
  hitRate: 0.43,
  evictedKeys: 7,
  maxMemory: 0,
};

describe('figures of the servers', () => {
  let clock: ManualClock;
  let asked: number;
  let answer: () => Promise<ServerInfo>;
  let figures: ServerFigures;

  beforeEach(() => {
    clock = new ManualClock();
    asked = 0;
    answer = () => Promise.resolve(said);
    const redis = {
      name: 'redis',
      serverInfo: () => {
        asked++;
        return answer();
      },
    } as Partial<Layer> as Layer;
    const memory = { name: 'memory' } as Partial<Layer> as Layer;
    figures = new ServerFigures(() => [memory, redis], { clock });
  });

  const shown = (): Record<string, number> =>
    Object.fromEntries(
      figures
        .families()
        .flatMap(({ name, points }) => [...points()].map(({ labels, value }) => [`${name} ${labels.join()}`, value!])),
    );

  it('figures of a server contain the values of INFO, by layer', async () => {
    await figures.refresh();
    expect(shown()).toEqual({
      'cache_server_up redis': 1,
      'cache_server_memory_used_bytes redis': 1_766_576,
      'cache_server_memory_limit_bytes redis': 0,
      'cache_server_keys redis': 276,
      'cache_server_connected_clients redis': 2,
      'cache_server_hit_ratio redis': 0.43,
      'cache_server_evicted_keys_total redis': 7,
      'cache_server_uptime_seconds redis': 213,
    });
  });

  it('figures of a server cost the server one request, however many scrapes come within five seconds', async () => {
    await Promise.all([figures.refresh(), figures.refresh()]);
    await clock.advance(4_999);
    await figures.refresh();
    shown();
    expect(asked).toBe(1);
    await clock.advance(1);
    await figures.refresh();
    expect(asked).toBe(2);
  });

  it('figures of a server are requested in the background if no scrape waits for them', async () => {
    expect(shown()).toEqual({});
    await settle();
    expect(shown()).toMatchObject({ 'cache_server_up redis': 1 });
  });

  it('figures of a server delay a scrape by the deadline at most, and show the last answer for a minute', async () => {
    await figures.refresh();
    answer = () => new Promise(() => undefined);
    await clock.advance(5_000);
    let over = false;
    void figures.refresh().then(() => (over = true));
    await clock.advance(499);
    expect(over).toBe(false);
    await clock.advance(1);
    expect(over).toBe(true);
    expect(shown()).toMatchObject({ 'cache_server_up redis': 0, 'cache_server_keys redis': 276 });
    await clock.advance(60_000);
    expect(shown()).toEqual({ 'cache_server_up redis': 0 });
  });

  it('figures of a server return when the server does', async () => {
    answer = () => Promise.reject(new Error('down'));
    await figures.refresh();
    expect(shown()).toEqual({ 'cache_server_up redis': 0 });
    answer = () => Promise.resolve(said);
    await clock.advance(5_000);
    await figures.refresh();
    expect(shown()).toMatchObject({ 'cache_server_up redis': 1, 'cache_server_keys redis': 276 });
  });

  it('figures of a server are empty if no layer has a server', async () => {
    const none = new ServerFigures(() => [{ name: 'memory' } as Partial<Layer> as Layer], { clock });
    await none.refresh();
    expect(none.families()).toEqual([]);
  });
});
