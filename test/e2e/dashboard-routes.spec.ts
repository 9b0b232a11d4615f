import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { get as request, type IncomingMessage } from 'node:http';
import { VersioningType, type INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { CacheObservabilityModule, type CacheObservabilityOptions } from '../../lib/index.js';
import { boot, type BootOptions, closeApps, type Platform, platforms } from '../support/apps.js';
import { addressOf, ensureClient } from '../support/dashboard-page.js';

const start = async (platform: Platform, monitoring = {}, configure?: BootOptions['configure']) => {
  const options: CacheObservabilityOptions = { prometheus: false, monitoring };
  const made = await boot(
    platform,
    { imports: [CacheObservabilityModule.forRoot(options)] },
    configure === undefined ? {} : { configure },
  );
  await made.app.listen(0, '127.0.0.1');
  return made;
};

/** The response as sent, without decoding. */
const raw = (app: INestApplication, path: string, headers: Record<string, string> = {}) =>
  new Promise<{ answer: IncomingMessage; body: Buffer }>((resolve, reject) => {
    request(`${addressOf(app)}${path}`, { headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => resolve({ answer, body: Buffer.concat(parts) }));
    }).on('error', reject);
  });

const filesOf = (html: string) => [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, file]) => file!);

beforeAll(async () => void (await ensureClient()));
afterEach(closeApps);

describe.each(platforms)('the dashboard on %s', (platform) => {
  it('the page keeps its own policy under the security headers of Nest', async () => {
    const { app } = await start(platform, {}, (made) => void made.useSecurityHeaders());
    const page = await raw(app, '/cache/dashboard');
    expect(page.answer.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'/);
    expect(page.answer.headers['content-security-policy']).not.toContain('upgrade-insecure-requests');
    const stats = await raw(app, '/cache/stats');
    expect(stats.answer.headers['content-security-policy']).toContain('upgrade-insecure-requests');
  });

  it('GET /cache/dashboard sends a page without data that names its files by relative URLs, with a policy without unsafe-inline', async () => {
    const { app } = await start(platform);
    const { answer, body } = await raw(app, '/cache/dashboard');
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    });
    expect(answer.headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'/,
    );
    expect(answer.headers['content-security-policy']).not.toContain('unsafe');
    const html = body.toString();
    expect(html).not.toMatch(/<script>|<style|style=|\son\w+=/);
    expect(filesOf(html)).toHaveLength(3);
    for (const file of filesOf(html)) expect(file).toMatch(/^dashboard\/assets\/\w+-[\w-]{12}\.(js|css|svg)$/);
  });

  it('the dashboard sends each file as immutable, in the smallest encoding that the browser accepts', async () => {
    const { app } = await start(platform);
    const page = (await raw(app, '/cache/dashboard')).body.toString();
    for (const file of filesOf(page)) {
      const plain = await raw(app, `/cache/${file}`);
      const br = await raw(app, `/cache/${file}`, { 'accept-encoding': 'gzip, deflate, br' });
      const gzip = await raw(app, `/cache/${file}`, { 'accept-encoding': 'br;q=0, gzip' });
      expect(plain.answer.headers['content-encoding']).toBeUndefined();
      expect(br.answer.headers['content-encoding']).toBe('br');
      expect(gzip.answer.headers['content-encoding']).toBe('gzip');
      expect(brotliDecompressSync(br.body).equals(plain.body)).toBe(true);
      expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true);
      expect(br.answer.headers).toMatchObject({
        'cache-control': 'public, max-age=31536000, immutable',
        vary: 'Accept-Encoding',
        'content-type': expect.stringMatching(/^(text\/javascript|text\/css|image\/svg\+xml)/),
      });
    }
  });

  it.each(['main-AAAAAAAAAAAA.js', '..%2f..%2fpackage.json', '__proto__', 'constructor'])(
    'the dashboard returns a 404 for a file that does not belong to it: %s',
    async (name) => {
      const { app } = await start(platform);
      const { answer, body } = await raw(app, `/cache/dashboard/assets/${name}`);
      expect(answer.statusCode).toBe(404);
      expect(answer.headers['cache-control']).not.toMatch(/immutable/);
      expect(JSON.parse(body.toString())).toMatchObject({ statusCode: 404 });
    },
  );

  it('the dashboard opens without rights, while its context and its writes require the guards', async () => {
    const guards = [
      { canActivate: (context: any) => context.switchToHttp().getRequest().headers.authorization === 'Bearer 1' },
    ];
    const { app, ask } = await start(platform, { guards });
    await ask().get('/cache/dashboard').expect(200);
    const [file] = filesOf((await raw(app, '/cache/dashboard')).body.toString());
    await ask().get(`/cache/${file}`).expect(200);
    await ask().get('/cache/dashboard/context').expect(403);
    await ask().post('/cache/dashboard/write-access').expect(403);
    const context = await ask().get('/cache/dashboard/context').set('authorization', 'Bearer 1').expect(200);
    expect(context.body).toMatchObject({ metrics: true, fleet: false, caches: ['default'], strategies: [] });
    await ask().post('/cache/dashboard/write-access').set('authorization', 'Bearer 1').expect(200, { writes: true });
  });

  it('the dashboard refuses writes from pages of other sites', async () => {
    const { ask } = await start(platform);
    await ask().post('/cache/dashboard/write-access').expect(200);
    const refused = await ask().post('/cache/dashboard/write-access').set('Sec-Fetch-Site', 'cross-site').expect(403);
    expect(refused.body.code).toBe('CROSS_SITE_REQUEST');
  });

  it('the dashboard is absent with dashboard: false, while the other routes remain', async () => {
    const { ask } = await start(platform, { dashboard: false });
    await ask().get('/cache/dashboard').expect(404);
    await ask().get('/cache/dashboard/context').expect(404);
    await ask().get('/cache/stats').expect(200);
  });

  it('the dashboard works under a prefix, with versions in the path, and at a custom path', async () => {
    const { ask } = await start(platform, { path: 'ops/cache' }, (app) => {
      app.setGlobalPrefix('api/v1');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '3' });
    });
    const { text } = await ask().get('/api/v1/ops/cache/dashboard').expect(200);
    for (const file of filesOf(text)) await ask().get(`/api/v1/ops/cache/${file}`).expect(200);
  });

  it('the OpenAPI document does not contain the dashboard', async () => {
    const { app } = await start(platform, { swagger: true });
    const { paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    expect(Object.keys(paths).filter((path) => path.includes('dashboard'))).toEqual([]);
  });
});

it('a dashboard URL with a slash at its end redirects to the URL without it on Express', async () => {
  const { app } = await start('express');
  const { answer } = await raw(app, '/cache/dashboard/?a=1');
  expect(answer.statusCode).toBe(301);
  const location = new URL(answer.headers.location!, 'http://shop.test/proxy/cache/dashboard/');
  expect(location.href).toBe('http://shop.test/proxy/cache/dashboard?a=1');
});
