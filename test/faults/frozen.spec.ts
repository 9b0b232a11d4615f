import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Outage } from '../support/outage.js';
import { RedisServer } from '../support/redis.js';
import { beforeTimer } from '../support/before-timer.js';

describe('Redis keeps its connections and does not answer', () => {
  let server: RedisServer;
  let outage: Outage;
  beforeEach(async () => {
    server = await RedisServer.start();
    outage = await Outage.begin({ url: server.url });
  });
  afterEach(async () => {
    await outage.end();
    await server.dispose();
  });

  it('no visitor notices a Redis frozen for ten seconds, which serves again within five', async () => {
    await outage.breakRedis(() => server.freeze(), 10_000);
    expect(await outage.repair(() => server.resume())).toBeLessThan(outage.recoveryMs);
    await outage.expectCountsMatch();
    outage.expectUnnoticed();
    const { open, half_open, closed } = await outage.transitions();
    // The health check probes Redis once a second; no request does.
    expect(half_open).toBeGreaterThan(3);
    expect(half_open).toBeLessThan(16);
    expect(open).toBe(half_open - closed + 1);
    expect(closed).toBe(1);
    await outage.expectWritesStored();
    await outage.expectNothingOld();
  });

  it('no visitor notices a Redis paused by an operator (CLIENT PAUSE)', async () => {
    const client = await server.client();
    await outage.breakRedis(() => client.sendCommand(['CLIENT', 'PAUSE', '4000', 'ALL']));
    // The pause ends after its time; this command waits for the end.
    expect(await outage.repair(() => client.ping())).toBeLessThan(outage.recoveryMs);
    await outage.expectCountsMatch();
    outage.expectUnnoticed();
    expect((await outage.transitions()).closed).toBeGreaterThan(0);
    await outage.expectWritesStored();
    await outage.expectNothingOld();
  });

  it('the cache closes within five seconds while Redis is frozen', async () => {
    await outage.injectFault(() => server.freeze(), 200);
    await outage.visitors.leave();
    await beforeTimer(5_500, outage.app.close());
    server.resume();
  });
});
