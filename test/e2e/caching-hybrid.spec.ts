import { Controller, Get, type INestApplication, Param } from '@nestjs/common';
import { ClientProxyFactory, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { AddressInfo, Server } from 'node:net';
import { lastValueFrom } from 'rxjs';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { type Platform, platforms } from '../support/apps.js';
import { Named } from '../support/guards.js';

const calls: string[] = [];

@Controller('prices')
class Prices {
  @Get('near')
  @MessagePattern('near')
  @Cached('near:*')
  near() {
    calls.push('near');
    return { calls: calls.length };
  }

  @Get(':id')
  @Cached('price:{params.id}')
  overHttp(@Param('id') id: string) {
    calls.push(`http ${id}`);
    return { id };
  }

  @MessagePattern('price')
  @Cached('message:*')
  overMessages(@Payload('id') id: string) {
    calls.push(`message ${id}`);
    return { id };
  }
}

const opened: (() => unknown)[] = [];
afterEach(async () => {
  calls.length = 0;
  for (const close of opened.splice(0)) await close();
});

/** As an application's `main.ts` starts it: messages first, then `listen`, which initialises. */
async function started(platform: Platform, configure: (app: INestApplication) => void = () => {}) {
  const module = await Test.createTestingModule({
    imports: [CacheObservabilityModule.forRoot({ prometheus: false })],
    controllers: [Prices],
  }).compile();
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
  const app = module.createNestApplication<INestApplication>(adapter, { logger: false });
  configure(app);
  const service = app.connectMicroservice(
    { transport: Transport.TCP, options: { port: 0 } },
    { inheritAppConfig: true },
  );
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  const { port } = service.unwrap<Server>().address() as AddressInfo;
  const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { port } });
  opened.push(
    () => client.close(),
    () => app.close(),
  );
  return {
    get: async (path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${await app.getUrl()}${path}`, { headers });
      return {
        status: response.status,
        cache: response.headers.get('x-cache'),
        body: (await response.json()) as unknown,
      };
    },
    send: (pattern: string, data: unknown) => lastValueFrom(client.send<unknown>(pattern, data)),
  };
}

describe.each(platforms)('an application with routes and messages on %s', (platform) => {
  it('routes and messages are answered from the cache, each from its own entries', async () => {
    const { get, send } = await started(platform);
    for (const cache of ['MISS', 'HIT']) {
      expect(await get('/prices/1')).toEqual({ status: 200, cache, body: { id: '1' } });
      expect(await send('price', { id: '1' })).toEqual({ id: '1' });
    }
    expect(calls).toEqual(['http 1', 'message 1']);
    for (const cache of ['MISS', 'HIT']) {
      expect(await get('/prices/near')).toEqual({ status: 200, cache, body: { calls: 3 } });
      expect(await send('near', '')).toEqual({ calls: 4 });
    }
  });

  it('a global guard protects cached routes and messages', async () => {
    const { get, send } = await started(platform, (app) => app.useGlobalGuards(new Named()));
    expect(await get('/prices/1', { 'x-name': 'a' })).toMatchObject({ status: 200, cache: 'MISS' });
    expect(await get('/prices/1', { 'x-name': 'a' })).toMatchObject({ status: 200, cache: 'HIT' });
    expect(await get('/prices/1')).toMatchObject({ status: 403 });
    await expect(send('price', { id: '1' })).rejects.toBeDefined();
    expect(calls).toEqual(['http 1']);
  });
});
