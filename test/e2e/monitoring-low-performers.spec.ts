import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { BadGatewayException, Controller, Get, HttpStatus, Param, Res, StreamableFile } from '@nestjs/common';
import { Cached, CacheObservabilityModule } from '../../lib/index.js';
import { boot, closeApps, platforms } from '../support/apps.js';

interface PlatformResponse {
  header(name: string, value: string): unknown;
  status(code: number): unknown;
}

@Controller()
class UnkeptController {
  @Get('cookie')
  @Cached('cookie', { shared: true })
  cookie(@Res({ passthrough: true }) response: PlatformResponse) {
    response.header('Set-Cookie', 'seen=1');
    return { answer: 1 };
  }

  @Get('stream')
  @Cached('stream')
  stream() {
    return new StreamableFile(Readable.from(['answer']));
  }

  @Get('status')
  @Cached('status', { shared: true })
  status(@Res({ passthrough: true }) response: PlatformResponse) {
    response.status(HttpStatus.NOT_FOUND);
    return { answer: 1 };
  }

  @Get('refused')
  @Cached('refused', { cacheIf: () => false })
  refused() {
    return { answer: 1 };
  }

  @Get('large')
  @Cached('large', { maxEntrySize: 200 })
  large() {
    return { answer: 'x'.repeat(1000) };
  }

  @Get('failing')
  @Cached('failing')
  failing() {
    throw new BadGatewayException();
  }

  @Get('kept/:id')
  @Cached('kept:{params.id}')
  kept(@Param('id') id: string) {
    return { id };
  }
}

afterEach(closeApps);

describe.each(platforms)('GET /cache/stats/low-performers on %s', (platform) => {
  it('GET /cache/stats/low-performers returns why the responses of one URL requested 30 times are never stored', async () => {
    const { ask } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot({ prometheus: false })],
      controllers: [UnkeptController],
    });
    const reasons = {
      cookie: ['cookie', /the handler sets a cookie/],
      stream: ['stream', /a stream/],
      status: ['status', /a status that is not cached/],
      refused: ['cache_if', /cacheIf returned false/],
      large: ['size', /larger than maxEntrySize/],
      failing: ['error', /the load failed/],
    } as const;
    for (const url of Object.keys(reasons)) for (let n = 0; n < 30; n++) await ask().get(`/${url}`);
    for (let id = 0; id < 30; id++) await ask().get(`/kept/${id}`).expect(200);

    const low = (await ask().get('/cache/stats/low-performers').expect(200)).body as Record<string, unknown>[];
    for (const [pattern, [reason, text]] of Object.entries(reasons)) {
      const found = low.find((each) => each['pattern'] === pattern);
      expect(found).toMatchObject({
        hit_rate: 0,
        total_requests: 30,
        code: 'NOT_CACHED',
        recommendation: expect.stringMatching(text),
        not_kept: { [reason]: 30 },
      });
      expect(found!['recommendation']).not.toMatch(/only once|longer TTL/);
    }
    expect(low.find(({ pattern }) => pattern === 'kept:*')).toMatchObject({
      code: 'COLD_KEYS',
      recommendation: expect.not.stringMatching(/TTL/),
    });
  });
});
