import { Controller, Get, Query } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import http2, { type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';

@Controller()
class Feeds {
  @Get('feeds')
  @Cached('feed:*', { ttl: '5m' })
  feed(@Query('page') page: string) {
    return { page, text: 'é' };
  }

  @Get('lane')
  @Cached('lane:*', { ttl: '5m', fastLane: true })
  lane(@Query('page') page: string) {
    return { page, text: 'é' };
  }
}

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

/** Requests that reached the framework. */
let full = 0;

async function start() {
  full = 0;
  const module = await Test.createTestingModule({
    imports: [CacheObservabilityModule.forRoot({ prometheus: false, http: { fastLane: true } })],
    controllers: [Feeds],
  }).compile();
  const app = module.createNestApplication(new FastifyAdapter({ http2: true }) as never, { logger: false });
  (app.getHttpServer() as Http2Server).prependListener('request', () => void full++);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const client = http2.connect(`http://127.0.0.1:${port}`);
  opened.push(
    () => client.destroy(),
    () => app.close(),
  );
  return (path: string, headers: http2.OutgoingHttpHeaders = {}) =>
    new Promise<{ headers: http2.IncomingHttpHeaders; text: string }>((resolve, reject) => {
      const stream = client.request({ ':path': path, ...headers }).setEncoding('utf8');
      let responseHeaders: http2.IncomingHttpHeaders = {};
      let text = '';
      stream.on('response', (received) => (responseHeaders = received));
      stream.on('data', (chunk: string) => (text += chunk));
      stream.on('end', () => resolve({ headers: responseHeaders, text }));
      stream.on('error', reject);
    });
}

describe('HTTP/2', () => {
  it.each(['/feeds?page=1', '/lane?page=1'])(
    'the full path answers HTTP/2 requests from the cache: %s',
    async (path) => {
      const ask = await start();
      const miss = await ask(path);
      expect(miss).toMatchObject({ headers: { ':status': 200, 'x-cache': 'MISS' }, text: '{"page":"1","text":"é"}' });
      // More requests than the lane needs to learn a URL.
      for (let again = 0; again < 5; again++) {
        expect(await ask(path)).toEqual({
          text: miss.text,
          headers: { ...miss.headers, 'x-cache': 'HIT', date: expect.any(String) },
        });
      }
      expect(await ask(path, { ':method': 'HEAD' })).toMatchObject({
        headers: { ':status': 200, 'x-cache': 'HIT' },
        text: '',
      });
      const unchanged = await ask(path, { 'if-none-match': miss.headers.etag });
      expect(unchanged).toMatchObject({ headers: { ':status': 304, etag: miss.headers.etag }, text: '' });
      expect(full).toBe(8);
    },
  );
});
