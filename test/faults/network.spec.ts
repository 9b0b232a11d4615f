import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { Outage } from '../support/outage.js';
import { RedisServer } from '../support/redis.js';
import { TcpProxy } from '../support/tcp-proxy.js';

describe('the network to Redis is bad', () => {
  let server: RedisServer;
  let proxy: TcpProxy;
  let outage: Outage;
  beforeEach(async () => {
    server = await RedisServer.start();
    proxy = await TcpProxy.start(server.port);
  });
  afterEach(async () => {
    await outage.end();
    await proxy.dispose();
    await server.dispose();
  });

  it('no visitor notices connections that are reset in the middle of replies', async () => {
    outage = await Outage.begin({ url: proxy.url });
    await outage.injectFault(async () => {
      for (let turn = 0; turn < 15; turn++) {
        proxy.cutReplyAfter = 20 + turn;
        await pause(100);
      }
    });
    expect(await outage.repair(() => (proxy.cutReplyAfter = undefined))).toBeLessThan(outage.recoveryMs);
    await outage.expectCountsMatch();
    outage.expectUnnoticed({ memoryKept: false });
    await outage.expectWritesStored();
    await outage.expectNothingOld();
  });

  it('slow replies (300 ms each) open the circuit, and later calls do not wait', async () => {
    outage = await Outage.begin({ url: proxy.url, deadline: 500 });
    await outage.breakRedis(() => (proxy.delayMs = 300), 2_000);
    expect(await outage.repair(() => (proxy.delayMs = 0))).toBeLessThan(outage.recoveryMs);
    await outage.expectCountsMatch();
    outage.expectUnnoticed();
    const { open, closed } = await outage.transitions();
    expect(open).toBeGreaterThan(0);
    expect(closed).toBeGreaterThan(0);
    await outage.expectWritesStored({ url: server.url });
    await outage.expectNothingOld({ url: server.url });
  });

  it('refused connections delay no visitor, and writes during that time reach Redis or replace nothing', async () => {
    outage = await Outage.begin({ url: proxy.url, writes: 'through' });
    await outage.breakRedis(() => {
      proxy.refusing = true;
      proxy.cut();
    });
    expect(await outage.repair(() => (proxy.refusing = false))).toBeLessThan(outage.recoveryMs);
    await outage.expectCountsMatch();
    outage.expectUnnoticed();
    await outage.expectNothingOld();
  });
});
