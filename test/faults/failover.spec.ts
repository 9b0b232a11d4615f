import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Outage } from '../support/outage.js';
import { eventually, RedisSentinelSetup } from '../support/redis.js';

describe('the master behind Sentinel is lost', () => {
  let setup: RedisSentinelSetup;
  let outage: Outage;
  beforeEach(async () => {
    setup = await RedisSentinelSetup.start();
    outage = await Outage.begin({ sentinel: { name: setup.name, rootNodes: setup.rootNodes } });
  });
  afterEach(async () => {
    await outage.end();
    await setup.dispose();
  });

  const promoted = async () => {
    const client = await setup.replica.client();
    // Sentinel closes the connections of the replica that it promotes, including this one.
    const role = () => client.info('replication').catch(() => 'closed');
    await eventually(async () => (await role()).includes('role:master'), 'the replica is promoted');
  };

  it('no visitor notices a killed master whose replica takes over', async () => {
    await outage.breakRedis(() => setup.master.kill(), 300);
    expect(await outage.repair(promoted)).toBeLessThan(outage.recoveryMs);
    await outage.expectCountsMatch();
    outage.expectUnnoticed();
    expect((await outage.transitions()).closed).toBeGreaterThan(0);
    await outage.expectWritesStored();
    await outage.expectNothingOld();
  });

  it('no visitor notices a frozen master that returns as a read-only replica', async () => {
    await outage.breakRedis(() => setup.master.freeze(), 300);
    expect(
      await outage.repair(async () => {
        await promoted();
        setup.master.resume();
      }),
    ).toBeLessThan(outage.recoveryMs);
    await outage.expectCountsMatch();
    outage.expectUnnoticed();
    await outage.expectWritesStored();
    await outage.expectNothingOld();
  });
});
