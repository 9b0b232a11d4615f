import {
  Body,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Get,
  Header,
  Headers,
  HttpCode,
  Injectable,
  NotFoundException,
  Param,
  Post,
  Query,
  Redirect,
  Req,
  Res,
  StreamableFile,
  UseGuards,
  VersioningType,
} from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import type { CacheObservabilityOptions } from '../../lib/options/cache-observability.options.js';
import { boot, closeApps, platforms } from '../support/apps.js';

const calls = new Map<string, number>();
const called = (name: string): number => {
  const count = (calls.get(name) ?? 0) + 1;
  calls.set(name, count);
  return count;
};

const CurrentUser = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest<{ user?: unknown }>();
  return request.user;
});

@Injectable()
class TokenGuard {
  canActivate(context: ExecutionContext): boolean {
    const request = context
      .switchToHttp()
      .getRequest<{ headers: Record<string, string | undefined>; user?: { id: string } }>();
    const { authorization } = request.headers;
    if (authorization !== undefined) request.user = { id: authorization.replace('Bearer ', '') };
    return true;
  }
}

@Controller('feeds')
class FeedController {
  @Get('discover')
  @Cached('feed:*', { ttl: '5m' })
  discover(@Query('page') page = '1') {
    return { page, call: called('discover') };
  }

  @Cached('feed:*')
  @Get('whole')
  whole(@Query() query: Record<string, unknown>) {
    return { query, call: called('whole') };
  }

  @Get('language')
  @Cached('feed:*')
  language(@Headers('accept-language') language: string) {
    return { language, call: called('language') };
  }

  @Get('items/:id')
  @Cached('item:{params.id}')
  item(@Param('id') id: string) {
    return { id, call: called('item') };
  }

  @Get('missing/:id')
  @Cached('missing:{params.id}')
  missing(@Param('id') id: string) {
    throw new NotFoundException({ id, call: called('missing') });
  }

  @Get('text')
  @Cached('feed:*')
  text() {
    return `text ${called('text')}`;
  }

  @Get('nothing')
  @Cached('feed:*', { negativeTtl: '1m' })
  nothing() {
    called('nothing');
    return null;
  }

  @Get('observable')
  @Cached('feed:*')
  observable() {
    return of({ call: called('observable') });
  }

  @Get('decorated')
  @HttpCode(203)
  @Header('X-Origin', 'handler')
  @Cached('feed:*')
  decorated() {
    return { call: called('decorated') };
  }

  @Get('passthrough')
  @Cached('feed:*', { shared: true })
  passthrough(@Res({ passthrough: true }) response: any) {
    response.status(202);
    response.header('X-Set', 'by handler');
    return { call: called('passthrough') };
  }

  @Get('cookie')
  @Cached('feed:*', { shared: true })
  cookie(@Res({ passthrough: true }) response: any) {
    response.header('Set-Cookie', 'sid=1');
    return { call: called('cookie') };
  }

  @Get('stream')
  @Cached('feed:*')
  stream() {
    return new StreamableFile(Buffer.from(`stream ${called('stream')}`));
  }

  @Get('redirect')
  @Redirect('/feeds/discover')
  @Cached('feed:*')
  redirect() {
    called('redirect');
    return {};
  }

  @Post('search')
  @HttpCode(200)
  @Cached('search:*', { methods: ['POST'] })
  search(@Body() body: unknown) {
    return { body, call: called('search') };
  }

  @Post('plain')
  @Cached('search:*')
  plain(@Body() body: unknown) {
    return { body, call: called('plain') };
  }
}

@Controller('me')
@UseGuards(TokenGuard)
class MeController {
  @Get('cart')
  @Cached('cart:*', { vary: ['user.id'] })
  cart(@Req() request: { user?: { id: string } }) {
    return { owner: request.user?.id ?? null, call: called('cart') };
  }

  @Get('profile')
  @Cached('profile:*', { vary: '0.id' })
  profile(@CurrentUser() user: { id: string }) {
    return { owner: user.id, call: called('profile') };
  }

  @Get('template')
  @Cached('template:{0.id}')
  template(@CurrentUser() user: { id: string }) {
    return { owner: user.id, call: called('template') };
  }

  @Get('tenant')
  @Cached('tenant:*', { vary: ['headers.x-tenant'] })
  tenant(@Req() request: { headers: Record<string, string> }) {
    return { tenant: request.headers['x-tenant'], call: called('tenant') };
  }

  @Get('session')
  @Cached('session:*', { vary: ['cookies.sid'] })
  session(@Req() request: { headers: Record<string, string> }) {
    return { cookie: request.headers.cookie ?? null, call: called('session') };
  }

  @Get('public')
  @Cached('public:*')
  public() {
    return { call: called('public') };
  }

  @Get('shared')
  @Cached('shared:*', { shared: true })
  shared() {
    return { call: called('shared') };
  }

  @Get('own')
  @Cached('own:*', { key: ({ request }) => String(request?.headers['x-group']) })
  own(@Req() request: { headers: Record<string, string> }) {
    return { group: request.headers['x-group'], call: called('own') };
  }
}

afterEach(async () => {
  calls.clear();
  await closeApps();
});

const start = (platform: (typeof platforms)[number], options: CacheObservabilityOptions = {}) =>
  boot(platform, {
    imports: [CacheObservabilityModule.forRoot({ prometheus: false, ...options })],
    controllers: [FeedController, MeController],
  });

describe.each(platforms)('@Cached handlers on %s', (platform) => {
  describe('keys', () => {
    it('@Cached answers the second request from the cache', async () => {
      const { ask } = await start(platform);
      const first = await ask().get('/feeds/discover?page=2').expect(200);
      const second = await ask().get('/feeds/discover?page=2').expect(200);
      expect(first.headers['x-cache']).toBe('MISS');
      expect(second.headers['x-cache']).toBe('HIT');
      expect(second.body).toEqual({ page: '2', call: 1 });
      expect(second.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(first.headers['content-type']).toBe('application/json; charset=utf-8');
    });

    it('@Cached ignores undeclared parameters in the key', async () => {
      const { ask } = await start(platform);
      await ask().get('/feeds/discover?page=2');
      const junk = await ask().get('/feeds/discover?utm_source=mail&page=2&fbclid=x');
      expect(junk.headers['x-cache']).toBe('HIT');
    });

    it('@Cached makes different keys for a missing, an empty and a repeated parameter', async () => {
      const { ask } = await start(platform);
      for (const path of ['', '?page=', '?page=1', '?page=1&page=1', '?page=undefined']) {
        const { headers } = await ask().get(`/feeds/discover${path}`);
        expect(headers['x-cache']).toBe('MISS');
      }
    });

    it('@Cached uses all parameters of a whole query, in any order', async () => {
      const { ask } = await start(platform);
      await ask().get('/feeds/whole?a=1&b=2').expect('x-cache', 'MISS');
      await ask().get('/feeds/whole?b=2&a=1').expect('x-cache', 'HIT');
      await ask().get('/feeds/whole?b=2&a=1&c=3').expect('x-cache', 'MISS');
    });

    it('@Cached makes a key per declared header and names the headers in Vary', async () => {
      const { ask } = await start(platform);
      const german = await ask().get('/feeds/language').set('Accept-Language', 'de');
      const french = await ask().get('/feeds/language').set('Accept-Language', 'fr');
      expect(french.body.language).toBe('fr');
      expect(german.headers.vary).toContain('accept-language');
      expect(german.headers['cache-control']).toBeUndefined();
    });

    it('@Cached uses a template as the whole key', async () => {
      const { ask, app } = await start(platform);
      await ask().get('/feeds/items/7');
      const { ObservedCache } = await import('../../lib/wiring/observed-cache.js');
      expect(await app.get(ObservedCache).get('item:7')).toEqual({ id: '7', call: 1 });
    });

    it('@Cached caches other methods by their body if they opt in', async () => {
      const { ask } = await start(platform);
      await ask().post('/feeds/search').send({ q: 'a' }).expect('x-cache', 'MISS');
      await ask().post('/feeds/search').send({ q: 'b' }).expect('x-cache', 'MISS');
      const again = await ask().post('/feeds/search').send({ q: 'a' }).expect('x-cache', 'HIT');
      expect(again.body).toEqual({ body: { q: 'a' }, call: 1 });
    });

    it('@Cached does not cache other methods by default', async () => {
      const { ask } = await start(platform);
      await ask().post('/feeds/plain').send({ q: 'a' }).expect(201).expect('x-cache', 'BYPASS; reason=method');
    });
  });

  describe('callers', () => {
    it("@Cached never returns one user's response to another", async () => {
      const { ask } = await start(platform);
      for (const path of ['/me/cart', '/me/profile', '/me/template']) {
        const ann = await ask().get(path).set('Authorization', 'Bearer ann');
        const bob = await ask().get(path).set('Authorization', 'Bearer bob');
        const again = await ask().get(path).set('Authorization', 'Bearer ann');
        expect([ann.body.owner, bob.body.owner, again.body.owner]).toEqual(['ann', 'bob', 'ann']);
        expect([ann, bob, again].map(({ headers }) => headers['x-cache'])).toEqual(['MISS', 'MISS', 'HIT']);
        expect(again.headers.vary?.toLowerCase()).toContain('authorization');
        expect(again.headers['cache-control']).toBe('private');
      }
    });

    it('@Cached bypasses requests with Authorization, unless the response is shared', async () => {
      const { ask } = await start(platform);
      await ask().get('/me/public');
      await ask()
        .get('/me/public')
        .set('Authorization', 'Bearer ann')
        .expect('x-cache', 'BYPASS; reason=authorization');
      await ask().get('/me/shared');
      await ask().get('/me/shared').set('Authorization', 'Bearer ann').expect('x-cache', 'HIT');
    });

    it('@Cached varies by headers and cookies', async () => {
      const { ask } = await start(platform);
      const one = await ask().get('/me/tenant').set('X-Tenant', 'one');
      const two = await ask().get('/me/tenant').set('X-Tenant', 'two');
      expect([one.body.tenant, two.body.tenant]).toEqual(['one', 'two']);
      expect(two.headers.vary).toContain('x-tenant');
      await ask()
        .get('/me/tenant')
        .set('X-Tenant', 'one')
        .set('Authorization', 'x')
        .expect('x-cache', 'BYPASS; reason=authorization');
      const sid = await ask().get('/me/session').set('Cookie', 'a=b; sid=1');
      const other = await ask().get('/me/session').set('Cookie', 'sid=2; a=b');
      expect([sid.body.cookie, other.body.cookie]).toEqual(['a=b; sid=1', 'sid=2; a=b']);
    });

    it('@Cached uses a custom key after the route', async () => {
      const { ask } = await start(platform);
      await ask().get('/me/own').set('X-Group', 'a').expect('x-cache', 'MISS');
      await ask().get('/me/own').set('X-Group', 'a').expect('x-cache', 'HIT');
      await ask().get('/me/own').set('X-Group', 'b').expect('x-cache', 'MISS');
    });

    it('@Cached never stores a response that sets a cookie', async () => {
      const { ask } = await start(platform);
      await ask().get('/feeds/cookie');
      const second = await ask().get('/feeds/cookie');
      expect(second.body).toEqual({ call: 2 });
      expect(second.headers['set-cookie']).toEqual(['sid=1']);
    });
  });

  describe('responses', () => {
    it('@Cached sends a weak entity tag, and a 304 without a body to clients that send the tag, also with no-cache', async () => {
      const { ask } = await start(platform);
      const first = await ask().get('/feeds/discover');
      const tag = first.headers.etag as string;
      expect(tag).toMatch(/^W\/"[\w-]+"$/);
      // A proxy may compress the response and remove the mark of a weak tag.
      for (const asked of [tag, tag.slice('W/'.length), `"other", ${tag}`, '*']) {
        const same = await ask().get('/feeds/discover').set('If-None-Match', asked).set('Cache-Control', 'no-cache');
        expect(same.status).toBe(304);
        expect(same.text).toBe('');
        expect(same.headers.etag).toBe(tag);
        expect(same.headers['x-cache']).toBe('HIT');
      }
      await ask().get('/feeds/discover').set('If-None-Match', '"other"').expect(200);
    });

    it('@Cached answers HEAD from the entry of GET', async () => {
      const { ask } = await start(platform);
      const get = await ask().get('/feeds/discover');
      const head = await ask().head('/feeds/discover').expect(200);
      expect(head.headers['x-cache']).toBe('HIT');
      expect(head.headers.etag).toBe(get.headers.etag);
      expect(head.headers['content-length']).toBe(get.headers['content-length']);
      expect(head.text ?? '').toBe('');
    });

    it('@Cached sends text, null and Observables as Nest does', async () => {
      const { ask } = await start(platform);
      const plain = platform === 'express' ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8';
      for (const state of ['MISS', 'HIT']) {
        const text = await ask().get('/feeds/text').expect('x-cache', state);
        expect([text.text, text.headers['content-type']]).toEqual(['text 1', plain]);
        const observable = await ask().get('/feeds/observable').expect('x-cache', state);
        expect(observable.body).toEqual({ call: 1 });
        await ask().get('/feeds/nothing').expect(200).expect('x-cache', state);
      }
      expect(calls.get('nothing')).toBe(1);
    });

    it('@Cached replays status and headers', async () => {
      const { ask } = await start(platform);
      for (const state of ['MISS', 'HIT']) {
        const decorated = await ask().get('/feeds/decorated').expect('x-cache', state);
        expect([decorated.status, decorated.headers['x-origin']]).toEqual([203, 'handler']);
        const passthrough = await ask().get('/feeds/passthrough').expect('x-cache', state);
        expect([passthrough.status, passthrough.headers['x-set'], passthrough.body]).toEqual([
          202,
          'by handler',
          { call: 1 },
        ]);
      }
    });

    it('@Cached passes errors through unchanged and never caches them', async () => {
      const { ask } = await start(platform);
      await ask().get('/feeds/missing/1').expect(404, { id: '1', call: 1 });
      await ask().get('/feeds/missing/1').expect(404, { id: '1', call: 2 });
    });

    it('@Cached never caches streams and redirects', async () => {
      const { ask } = await start(platform);
      expect((await ask().get('/feeds/stream')).body.toString()).toBe('stream 1');
      expect((await ask().get('/feeds/stream')).body.toString()).toBe('stream 2');
      await ask().get('/feeds/redirect').expect(302);
      await ask().get('/feeds/redirect').expect(302);
      expect(calls.get('redirect')).toBe(2);
    });

    it('@Cached gives each concurrent caller its own stream', async () => {
      const { ask } = await start(platform);
      const all = await Promise.all([1, 2, 3].map(() => ask().get('/feeds/stream')));
      expect(new Set(all.map(({ body }) => body.toString())).size).toBe(3);
    });

    it('@Cached runs the handler once for many concurrent callers', async () => {
      const { ask } = await start(platform);
      await Promise.all([1, 2, 3, 4].map(() => ask().get('/feeds/discover')));
      expect(calls.get('discover')).toBe(1);
    });
  });

  it('Cache-Status follows RFC 9211 and contains the age of the response', async () => {
    const { ask } = await start(platform, { http: { headers: 'standard' } });
    const miss = await ask().get('/feeds/discover');
    expect(miss.headers['cache-status']).toBe('nestjs-cache-observability; fwd=miss; stored');
    const hit = await ask().get('/feeds/discover');
    expect(hit.headers['cache-status']).toMatch(/^nestjs-cache-observability; hit; ttl=(299|300)$/);
    expect(hit.headers.age).toBe('0');
    const bypass = await ask().get('/feeds/discover').set('Authorization', 'x');
    expect(bypass.headers['cache-status']).toBe('nestjs-cache-observability; fwd=bypass; detail=authorization');
  });

  it('@Cached sends no cache headers if they are off', async () => {
    const { ask } = await start(platform, { http: { headers: false } });
    const miss = await ask().get('/feeds/discover');
    expect(miss.headers['x-cache']).toBeUndefined();
    expect(miss.headers['cache-status']).toBeUndefined();
  });

  it('statistics name endpoints with global prefix and URI version, and keys with header versions', async () => {
    @Controller({ path: 'things', version: '1' })
    class ThingsOne {
      @Get()
      @Cached('thing:*')
      all() {
        return { version: 1 };
      }
    }
    @Controller({ path: 'things', version: '2' })
    class ThingsTwo {
      @Get()
      @Cached('thing:*')
      all() {
        return { version: 2 };
      }
    }
    const { CacheMetrics } = await import('../../lib/metrics/cache-metrics.js');
    const metadata = {
      imports: [CacheObservabilityModule.forRoot({ prometheus: false })],
      controllers: [ThingsOne, ThingsTwo],
    };
    const uri = await boot(platform, metadata, {
      configure: (app) => app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI }),
    });
    expect((await uri.ask().get('/api/v1/things')).body).toEqual({ version: 1 });
    expect((await uri.ask().get('/api/v2/things')).body).toEqual({ version: 2 });
    const endpoints = uri.app.get(CacheMetrics).getEndpointStats();
    expect(endpoints.map(({ endpoint }) => endpoint).sort()).toEqual(['GET /api/v1/things', 'GET /api/v2/things']);

    const header = await boot(platform, metadata, {
      configure: (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version' }),
    });
    expect((await header.ask().get('/things').set('X-Version', '1')).body).toEqual({ version: 1 });
    expect((await header.ask().get('/things').set('X-Version', '2')).body).toEqual({ version: 2 });
  });
});
