import { afterEach, describe, expect, it } from '@jest/globals';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { CircuitState } from '../../lib/cache/base/observer.js';
import { entryOf } from '../support/entries.js';
import { layerContext, recordEvents } from '../support/layer-context.js';
import { eventually, RedisCluster, RedisSentinelSetup } from '../support/redis.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 30_000);

describe('a client whose master is lost', () => {
  it.each([{ how: 'killed' }, { how: 'frozen' }, { how: 'frozen, its circuit never opened', breaker: false as const }])(
    'a client follows Sentinel to the new master when the old one is $how',
    async ({ how, ...resilience }) => {
      const setup = await RedisSentinelSetup.start();
      closing.push(() => setup.dispose());
      const layer = redisLayer({ sentinel: { name: setup.name, rootNodes: setup.rootNodes }, ...resilience }).create(
        layerContext(),
      );
      closing.push(() => layer.disconnect());
      await layer.connect?.();
      await layer.set('k', entryOf('v'));
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (how === 'killed') await setup.master.kill();
      else setup.master.freeze();
      await eventually(
        async () => {
          try {
            await layer.set('new', entryOf('after'));
            return (await layer.get('new'))?.value === 'after';
          } catch {
            return false;
          }
        },
        'the layer writes to the new master',
        25_000,
      );
      expect((await layer.get('k'))?.value).toBe('v');
      expect(await (await setup.replica.client()).exists('cache:new')).toBe(1);
    },
    60_000,
  );

  it("a client moves only the lost master's slots in a cluster", async () => {
    const cluster = await RedisCluster.start({ 'cluster-require-full-coverage': 'no' });
    closing.push(() => cluster.dispose());
    const recorded = recordEvents();
    const layer = redisLayer({ cluster: { rootNodes: cluster.rootNodes }, breaker: false }).create(
      layerContext('{c}~', { events: recorded.events }),
    );
    closing.push(() => layer.disconnect());
    await layer.connect?.();
    await layer.set('k', entryOf('v'));
    const slotOwner = await (await cluster.nodes[0]!.client()).clusterKeySlot('{c}');
    const owner = Math.min(2, Math.floor((slotOwner * 3) / 16_384));
    await cluster.nodes[(owner + 1) % 3]!.kill();
    for (let turn = 0; turn < 10; turn++) {
      expect((await layer.get('k'))?.value).toBe('v');
      await layer.set('k', entryOf('v'));
    }
    expect(layer.status().circuitState).toBe(CircuitState.closed);
  }, 60_000);
});
