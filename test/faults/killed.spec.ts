import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Outage } from '../support/outage.js';
import { RedisServer } from '../support/redis.js';

describe('Redis is killed', () => {
  let server: RedisServer;
  let outage: Outage | undefined;
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(async () => {
    await outage?.end();
    await server.dispose();
  });

  it.each(['fastify', 'express'] as const)('no visitor of %s notices a killed and emptied Redis', async (platform) => {
    outage = await Outage.begin({ url: server.url }, platform);
    await outage.breakRedis(() => server.kill());
    expect(await outage.repair(() => server.up())).toBeLessThan(outage.recoveryMs);
    await outage.expectCountsMatch();
    outage.expectUnnoticed();
    expect(await outage.transitions()).toMatchObject({ open: expect.any(Number), closed: 1 });
    await outage.expectWritesStored();
    await outage.expectNothingOld();
  });
});
