import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Outage } from '../support/outage.js';
import { RedisServer } from '../support/redis.js';

describe('a full Redis (maxmemory, noeviction)', () => {
  let server: RedisServer;
  let outage: Outage;
  beforeEach(async () => {
    server = await RedisServer.start({ 'maxmemory-policy': 'noeviction' });
    outage = await Outage.begin({ url: server.url });
  });
  afterEach(async () => {
    await outage.end();
    await server.dispose();
  });

  it('a full Redis answers reads, refused writes are counted, and writes succeed when there is room', async () => {
    const admin = await server.client();
    const { cache_hits: hits } = await outage.redis();
    await outage.injectFault(() => admin.configSet('maxmemory', '1mb'), 2_000);
    const full = await outage.redis();
    expect(full.cache_hits).toBeGreaterThan(hits);
    expect(full.circuit_state).toBe('closed');
    expect(full.writes_dropped).toBeGreaterThan(0);
    expect(await outage.repair(() => admin.configSet('maxmemory', '0'))).toBeLessThan(outage.recoveryMs);
    await outage.expectCountsMatch();
    outage.expectUnnoticed();
    expect(await outage.transitions()).toEqual({ open: 0, half_open: 0, closed: 0 });
    await outage.expectNothingOld();
  });
});
