import { Controller, Get, Headers, type INestApplication, UseGuards, VersioningType } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { RouteConstraints } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';
import { Open } from '../support/guards.js';

@Controller('prices')
class Prices {
  @Get('open')
  @Cached('open:*', { clientCache: '1m' })
  open() {
    return { price: 1 };
  }

  @Get('guarded')
  @UseGuards(Open)
  @Cached('guarded:*', { clientCache: '1m' })
  guarded() {
    return { price: 1 };
  }

  @Get('shared')
  @UseGuards(Open)
  @Cached('shared:*', { clientCache: '1m', shared: true })
  shared() {
    return { price: 1 };
  }

  @Get('public')
  @UseGuards(Open)
  @Cached('public:*', { clientCache: { maxAge: '1m', scope: 'public' } })
  public() {
    return { price: 1 };
  }

  @Get('silent')
  @UseGuards(Open)
  @Cached('silent:*')
  silent() {
    return { price: 1 };
  }

  @Get('tenant')
  @Cached('tenant:*', { vary: 'headers.x-tenant', clientCache: { maxAge: '1m', scope: 'public' } })
  tenant(@Headers('accept-language') language: string) {
    return { language };
  }
}

@Controller('vault')
@UseGuards(Open)
class Vault {
  @Get()
  @Cached('vault:*', { clientCache: '1m' })
  all() {
    return { price: 1 };
  }
}

@Controller({ path: 'versioned', version: '2' })
class Versioned {
  @Get()
  @Cached('versioned:*', { clientCache: '1m' })
  all(@Headers('accept-language') language: string) {
    return { language };
  }
}

const imports = [CacheObservabilityModule.forRoot({ prometheus: false })];
afterEach(closeApps);

/** `Cache-Control` of a miss and of a hit. */
async function controls({ ask }: Awaited<ReturnType<typeof boot>>, path: string): Promise<unknown[]> {
  const answers = [await ask().get(path).expect(200), await ask().get(path).expect(200)];
  expect(answers.map(({ headers }) => headers['x-cache'])).toEqual(['MISS', 'HIT']);
  return answers.map(({ headers }) => headers['cache-control']);
}

describe.each(platforms)('Cache-Control for clients on %s', (platform) => {
  it('Cache-Control contains private behind a guard of the method or the controller, unless the options say otherwise', async () => {
    const started = await boot(platform, { imports, controllers: [Prices, Vault] });
    const twice = (value: string) => [value, value];
    expect(await controls(started, '/prices/open')).toEqual(twice('public, max-age=60'));
    expect(await controls(started, '/prices/guarded')).toEqual(twice('private, max-age=60'));
    expect(await controls(started, '/vault')).toEqual(twice('private, max-age=60'));
    expect(await controls(started, '/prices/shared')).toEqual(twice('public, max-age=60'));
    expect(await controls(started, '/prices/public')).toEqual(twice('public, max-age=60'));
  });

  it('Cache-Control is not sent by a guarded handler that does not ask for it', async () => {
    const started = await boot(platform, { imports, controllers: [Prices] });
    expect(await controls(started, '/prices/silent')).toEqual([undefined, undefined]);
  });

  it.each<[string, Parameters<typeof boot>[1], ((app: INestApplication) => void) | undefined]>([
    ['useGlobalGuards', {}, (app) => void app.useGlobalGuards(new Open())],
    ['APP_GUARD', { providers: [{ provide: APP_GUARD, useClass: Open }] }, undefined],
  ])('Cache-Control contains private behind a global guard by %s', async (_, metadata, configure) => {
    const started = await boot(
      platform,
      { imports, controllers: [Prices], ...metadata },
      configure === undefined ? {} : { configure },
    );
    expect(await controls(started, '/prices/open')).toEqual(['private, max-age=60', 'private, max-age=60']);
  });

  it('Cache-Control contains private on a response that sets a cookie, in the handler or elsewhere', async () => {
    const started = await boot(
      platform,
      { imports, controllers: [Prices] },
      {
        configure: (app) =>
          void app.use((_: unknown, response: { setHeader(name: string, value: string): void }, next: () => void) => {
            response.setHeader('Set-Cookie', 'visit=1');
            next();
          }),
      },
    );
    expect(await controls(started, '/prices/open')).toEqual(['private, max-age=60', 'private, max-age=60']);
  });

  it('Cache-Control contains private if the response varies by caller, on a bypass too', async () => {
    const { ask } = await boot(platform, { imports, controllers: [Prices] });
    for (const state of ['MISS', 'HIT']) {
      const { headers } = await ask().get('/prices/tenant').set('X-Tenant', 'one').expect('x-cache', state);
      expect(headers).toMatchObject({ 'cache-control': 'private, max-age=60', vary: 'accept-language, x-tenant' });
    }
    const { headers } = await ask()
      .get('/prices/tenant')
      .expect('x-cache', /^BYPASS/);
    expect(headers).toMatchObject({ 'cache-control': 'private', vary: 'accept-language, x-tenant' });
  });
});

const versionings: [string, Parameters<INestApplication['enableVersioning']>[0], Record<string, string>, string][] = [
  ['a header', { type: VersioningType.HEADER, header: 'X-API-Version' }, { 'X-API-Version': '2' }, 'x-api-version'],
  ['the media type', { type: VersioningType.MEDIA_TYPE, key: 'v=' }, { Accept: 'application/json;v=2' }, 'accept'],
  ['a function of the application', { type: VersioningType.CUSTOM, extractor: () => '2' }, {}, '*'],
];

describe.each(platforms)('Vary on %s', (platform) => {
  it.each(versionings)('Vary names the headers that versions are read from: %s', async (_, versioning, asked, name) => {
    const { ask } = await boot(
      platform,
      { imports, controllers: [Versioned] },
      { configure: (app) => void app.enableVersioning(versioning) },
    );
    for (const state of ['MISS', 'HIT']) {
      const { headers } = await ask().get('/versioned').set(asked).expect(200).expect('x-cache', state);
      expect(headers.vary).toBe(name === '*' ? '*' : `accept-language, ${name}`);
    }
  });

  it('Vary names no header for versions in the path', async () => {
    const { ask } = await boot(
      platform,
      { imports, controllers: [Versioned] },
      { configure: (app) => void app.enableVersioning({ type: VersioningType.URI }) },
    );
    for (let turn = 0; turn < 2; turn++) await ask().get('/v2/versioned').expect(200).expect('vary', 'accept-language');
  });
});

describe('Vary on Fastify', () => {
  it('Vary contains * if routes have constraints other than hosts', async () => {
    @Controller()
    class Constrained {
      @Get('feed')
      @Cached('feed:*')
      feed() {
        return { feed: 'open' };
      }

      @Get('feed')
      @RouteConstraints({ version: '2' })
      other() {
        return { feed: 'other' };
      }
    }
    const { ask } = await boot('fastify' satisfies Platform, { imports, controllers: [Constrained] });
    for (let turn = 0; turn < 2; turn++) await ask().get('/feed').expect({ feed: 'open' }).expect('vary', '*');
  });
});
