import { afterEach, describe, expect, it } from '@jest/globals';
import { hashSlot } from '../../lib/cache/layers/redis/redis-keys.js';
import { Outage } from '../support/outage.js';
import { eventually, RedisCluster } from '../support/redis.js';

describe('a cluster loses one of three masters', () => {
  let cluster: RedisCluster;
  let outage: Outage;
  afterEach(async () => {
    await outage.end();
    await cluster.dispose();
  });

  /** The master with the order of invalidations, and another master. */
  const masters = () => {
    const home = Math.floor((hashSlot('shop') * 3) / 16_384);
    return { home: cluster.nodes[home]!, other: cluster.nodes[(home + 1) % 3]! };
  };

  it('no visitor notices a lost master with no slot served (cluster-require-full-coverage)', async () => {
    cluster = await RedisCluster.start();
    outage = await Outage.begin({ cluster: { rootNodes: cluster.rootNodes } });
    const { home } = masters();
    await outage.breakRedis(() => home.kill());
    expect(await outage.repair(() => home.up())).toBeLessThan(outage.recoveryMs);
    await outage.expectCountsMatch();
    // The bus may have had its connection to the lost master.
    outage.expectUnnoticed({ memoryKept: false });
    expect((await outage.transitions()).closed).toBeGreaterThan(0);
    await outage.expectNothingOld();
  });

  it('no visitor notices a lost master with the other slots served, which are used', async () => {
    cluster = await RedisCluster.start({ 'cluster-require-full-coverage': 'no' });
    outage = await Outage.begin({ cluster: { rootNodes: cluster.rootNodes } });
    const { other } = masters();
    await outage.injectFault(() => other.kill(), 4_000);
    expect(await outage.repair(() => other.up())).toBeLessThan(outage.recoveryMs);
    await outage.expectCountsMatch();
    outage.expectUnnoticed({ memoryKept: false });
    await outage.expectNothingOld();
  });
});

describe('a cluster whose replica takes over', () => {
  let cluster: RedisCluster;
  let outage: Outage;
  afterEach(async () => {
    await outage.end();
    await cluster.dispose();
  });

  it.each([
    { how: 'killed', which: 'holds the order of invalidations' },
    { how: 'frozen', which: 'holds the order of invalidations' },
    { how: 'frozen', which: 'holds other slots' },
  ] as const)('no visitor notices a master that is $how and $which', async ({ how, which }) => {
    const home = which === 'holds the order of invalidations';
    cluster = await RedisCluster.start();
    const at = Math.floor((hashSlot('shop') * 3) / 16_384);
    const master = cluster.nodes[home ? at : (at + 1) % 3]!;
    const replica = await (await cluster.addReplica(master)).client();
    outage = await Outage.begin({ cluster: { rootNodes: cluster.rootNodes } });
    const lose = () => (how === 'killed' ? master.kill() : master.freeze());
    await (home ? outage.breakRedis(lose, 300) : outage.injectFault(lose));
    await outage.repair(() =>
      eventually(async () => (await replica.info('replication')).includes('role:master'), 'the replica is promoted'),
    );
    await outage.expectCountsMatch();
    outage.expectUnnoticed({ memoryKept: false });
    const others = { cluster: { rootNodes: cluster.rootNodes.filter(({ url }) => url !== master.url) } };
    await outage.expectWritesStored(others);
    await outage.expectNothingOld(others);
  });
});
