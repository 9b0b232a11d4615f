import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SharedMap, Layer } from '../../lib/cache/layers/layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import type { RedisLayerOptions } from '../../lib/cache/layers/redis/redis-options.js';
import { entryOf } from '../support/entries.js';
import { layerContext } from '../support/layer-context.js';
import { eventually } from '../support/redis.js';
import { RedisPlaces } from '../support/redis-places.js';

const redis = new RedisPlaces();
const places: [string, () => RedisLayerOptions][] = [
  ...redis.both,
  ['one server with write-behind', () => ({ url: redis.server.url, writes: 'behind' })],
];

let turn = 0;
const bytes = (...of: number[]) => Uint8Array.from(of);
const plain = (notes: ReadonlyMap<string, Uint8Array>) =>
  Object.fromEntries([...notes].map(([slot, note]) => [slot, [...note]]));

describe.each(places)('the shared map over %s', (_, options) => {
  let prefix: string;
  let layers: Layer[];
  let here: SharedMap;
  let there: SharedMap;

  beforeEach(async () => {
    prefix = `map${turn++}`;
    layers = [0, 1].map(() => redisLayer({ deadline: 2_000, ...options() }).create(layerContext(prefix)));
    for (const layer of layers) await layer.connect?.();
    [here, there] = layers.map((layer) => layer.sharedMap!('fleet')) as [SharedMap, SharedMap];
  });
  afterEach(async () => {
    for (const layer of layers) await layer.disconnect();
  });

  it('the shared map shows every note to every process, byte for byte', async () => {
    expect(await here.readAll()).toEqual(new Map());
    await here.publish('a', bytes(0, 255, 10, 13, 0), 10_000);
    await there.publish('b', bytes(), 10_000);
    for (const map of [here, there]) {
      expect(plain(await map.readAll())).toEqual({ a: [0, 255, 10, 13, 0], b: [] });
    }
    expect([...(await there.read('a'))!]).toEqual([0, 255, 10, 13, 0]);
    expect(await there.read('c')).toBeUndefined();
  });

  it('the shared map replaces and removes the note of a slot', async () => {
    await here.publish('a', bytes(1), 10_000);
    await here.publish('a', bytes(2), 10_000);
    expect(plain(await there.readAll())).toEqual({ a: [2] });
    await there.withdraw('a');
    expect(plain(await here.readAll())).toEqual({});
  });

  it('the shared map drops a note that is not renewed, and keeps the others', async () => {
    await here.publish('dying', bytes(1), 150);
    await here.publish('living', bytes(2), 10_000);
    await eventually(async () => !(await there.readAll()).has('dying'), 'the note is dropped', 2_000);
    expect(plain(await here.readAll())).toEqual({ living: [2] });
  });

  it('the shared map keeps notes separate from other maps and entries, also when those are cleared', async () => {
    await here.publish('a', bytes(1), 10_000);
    expect(plain(await layers[0]!.sharedMap!('other').readAll())).toEqual({});
    await layers[0]!.set('a', entryOf('value'));
    const keys: string[] = [];
    for await (const batch of layers[1]!.keys('*')) keys.push(...batch);
    await layers[1]!.clear();
    expect(plain(await there.readAll())).toEqual({ a: [1] });
  });
});

describe('the shared map on a frozen server', () => {
  it('the shared map of a frozen server rejects within its deadline, after which probes open the circuit', async () => {
    const layer = redisLayer({ url: redis.server.url, deadline: 300 }).create(layerContext('frozen'));
    await layer.connect?.();
    const sharedMap = layer.sharedMap!('fleet');
    redis.server.freeze();
    try {
      await expect(sharedMap.readAll()).rejects.toMatchObject({ code: 'LAYER_TIMEOUT' });
      expect(layer.status().circuitState).toBe(0);
      await eventually(() => layer.status().circuitState !== 0, 'the circuit opens');
    } finally {
      redis.server.resume();
      await layer.disconnect();
    }
  }, 15_000);
});
