import { Controller, Get, Header, Param } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { boot, closeApps, platforms } from '../support/apps.js';

afterEach(closeApps);

const shared = { amount: 5 };

/** What handlers return, by the name in the address. */
const answers: Record<string, () => unknown> = {
  rows: () => Array.from({ length: 50 }, (_, id) => ({ id, name: `Product ${id}`, price: id / 4, tags: ['new'] })),
  date: () => ({ at: new Date(0) }),
  missing: () => ({ a: undefined, b: [undefined, 1] }),
  numbers: () => ({ zero: -0, none: NaN }),
  twice: () => ({ first: shared, second: shared }),
  apart: () => ({ first: shared, between: Array.from({ length: 40 }, (_, id) => ({ id })), second: shared }),
  named: () => Object.assign([1, 2], { total: 3 }),
  map: () => ({ byId: new Map([[1, 'one']]) }),
  nested: () => ({ __proto__: null, list: [[], {}, null, true, 'ä€'] }),
};

@Controller()
class AnswerController {
  @Get('json/:name')
  @Cached('json:{params.name}', { ttl: '5m' })
  json(@Param('name') name: string) {
    return answers[name]!();
  }

  @Get('typed/:name')
  @Header('content-type', 'application/vnd.shop+json')
  @Cached('typed:{params.name}', { ttl: '5m' })
  typed(@Param('name') name: string) {
    return answers[name]!();
  }
}

describe.each(platforms)('answers that are sent as JSON on %s', (platform) => {
  const start = async (policy?: { clone: boolean }) => {
    const { app, ask } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot({ prometheus: false, ...(policy && { policy }) })],
      controllers: [AnswerController],
    });
    return { ask, cache: app.get(ObservedCache) };
  };

  it.each(Object.keys(answers))('a hit sends %s like the miss, and readers of its key get the value', async (name) => {
    const { ask, cache } = await start();
    for (const route of ['json', 'typed']) {
      const miss = await ask().get(`/${route}/${name}`).expect('x-cache', 'MISS');
      const hit = await ask().get(`/${route}/${name}`).expect('x-cache', 'HIT');
      expect(hit.text).toBe(miss.text);
      expect(hit.headers.etag).toBe(miss.headers.etag);
      expect(hit.headers['content-type']).toBe(miss.headers['content-type']);
      expect(await cache.get(`${route}:${name}`)).toEqual(answers[name]!());
      expect(cache.peek(`${route}:${name}`)).toEqual(answers[name]!());
    }
  });

  it.each(['twice', 'apart'])(
    'the object that occurs twice in %s is one object for readers of the key',
    async (name) => {
      const { ask, cache } = await start();
      await ask().get(`/json/${name}`).expect('x-cache', 'MISS');
      const value = (await cache.get<{ first: object; second: object }>(`json:${name}`))!;
      expect(value.first).toBe(value.second);
    },
  );

  it('readers of a key share its value, frozen', async () => {
    const { ask, cache } = await start();
    await ask().get('/json/rows').expect('x-cache', 'MISS');
    const rows = (await cache.get<{ name: string }[]>('json:rows'))!;
    expect(Object.isFrozen(rows) && rows.every((row) => Object.isFrozen(row))).toBe(true);
    expect(await cache.get('json:rows')).toBe(rows);
  });

  it('with `clone: true` each reader of a key gets a copy that it may change', async () => {
    const { ask, cache } = await start({ clone: true });
    const { text } = await ask().get('/json/rows').expect('x-cache', 'MISS');
    const rows = (await cache.get<{ name: string }[]>('json:rows'))!;
    rows[0]!.name = 'changed';
    expect((await ask().get('/json/rows').expect('x-cache', 'HIT')).text).toBe(text);
    expect((await cache.get<{ name: string }[]>('json:rows'))![0]!.name).toBe('Product 0');
  });

  it('an answer that is sent as JSON takes no more memory than its text twice', async () => {
    const { ask, cache } = await start();
    const { text } = await ask().get('/json/rows');
    expect(cache.layers[0]!.status().bytes).toBeLessThan(2 * text.length);
  });
});
