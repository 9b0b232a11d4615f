import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import {
  Cached,
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  createObservedCache,
  ObservedCache,
} from '../../lib/index.js';
import { boot, closeApps, platforms } from '../support/apps.js';

@Controller('feeds')
class FeedController {
  @Get('discover')
  @Cached('feed:*', { ttl: '1m' })
  async discover() {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { items: ['a'] };
  }
}

const off: CacheObservabilityOptions = { prometheus: { defaultMetrics: false } };
const start = (platform: (typeof platforms)[number], options: CacheObservabilityOptions) =>
  boot(platform, {
    imports: [CacheObservabilityModule.forRoot({ ...off, ...options })],
    controllers: [FeedController],
  });

/** As flamegraph.pl reads its input: frames separated by semicolons, one space, one whole number. */
const FOLDED = /^[^;\s]+(?:;[^;\s]+)* [1-9]\d*$/;

const environment = process.env['NODE_ENV'];
afterEach(async () => {
  process.env['NODE_ENV'] = environment;
  await closeApps();
});

describe.each(platforms)('the cache profile on %s', (platform) => {
  it('GET /cache/flamegraph returns folded text that flamegraph.pl reads, with misses, loads and hits in memory', async () => {
    const { app, ask } = await start(platform, { profiling: { every: 1 } });
    await ask().get('/feeds/discover').expect(200);
    await ask().get('/feeds/discover').expect(200);
    const cache = app.get(ObservedCache);
    await cache.getOrSet('user:471147114711:cart', () => 'x');
    await cache.set('user:471147114711:name', 'x');
    await cache.del('user:471147114711:name');
    await cache.mdel(['user:471147114711:name', 'user:471247124712:name']);
    const { text, headers } = await ask().get('/cache/flamegraph').expect(200);
    expect(headers['content-type']).toMatch(/^text\/plain/);
    expect(headers['cache-control']).toBe('no-store');
    const lines = text.trimEnd().split('\n');
    for (const line of lines) expect(line).toMatch(FOLDED);
    for (const line of lines.filter((one) => one.includes('(feed:*)'))) expect(line).toMatch(/^GET_\/feeds\/discover;/);
    expect(text).toMatch(/^GET_\/feeds\/discover;cache\.get\(feed:\*\);local \d+$/m);
    expect(text).toMatch(/^GET_\/feeds\/discover;cache\.load\(feed:\*\);origin \d+$/m);
    expect(text).toMatch(/cache\.get\(user:\*:\*\)/);
    expect(text).toMatch(/cache\.set\(user:\*:\*\)/);
    expect(text).toMatch(/cache\.delete\(user:\*:\*\)/);
    expect(text).not.toContain('471147114711');
  });

  it('GET /cache/flamegraph returns an SVG, or a file that fits the schema of speedscope', async () => {
    const { ask } = await start(platform, { profiling: { every: 1 } });
    await ask().get('/feeds/discover').expect(200);
    const svg = await ask().get('/cache/flamegraph?format=svg').expect(200);
    expect(svg.headers['content-type']).toMatch(/^image\/svg\+xml/);
    expect(String(svg.body instanceof Buffer ? svg.body : svg.text)).toMatch(/^<svg .*<\/svg>\s*$/s);
    const { body } = await ask().get('/cache/flamegraph?format=speedscope').expect(200);
    expectSpeedscope(body);
  });

  it('GET /cache/flamegraph returns how to turn profiling on while it is off', async () => {
    const { ask } = await start(platform, {});
    expect((await ask().get('/cache/flamegraph').expect(404)).body).toEqual({
      statusCode: 404,
      code: 'PROFILING_OFF',
      message: expect.stringContaining('profiling: true'),
    });
  });

  it('GET /cache/flamegraph lists the formats if the requested format is unknown', async () => {
    const { ask } = await start(platform, { profiling: true });
    await ask().get('/cache/flamegraph').expect(200);
    const { body } = await ask().get('/cache/flamegraph?format=png').expect(400);
    expect(body).toMatchObject({
      code: 'INVALID_PARAMETER',
      message: expect.stringMatching(/folded, svg, speedscope/),
    });
  });

  it('POST /cache/cpu-profile returns one CPU profile to all concurrent requests, as a file for DevTools', async () => {
    const { ask } = await start(platform, {});
    const [one, other] = await Promise.all([
      ask().post('/cache/cpu-profile').send({ seconds: 0.2 }).expect(200),
      ask().post('/cache/cpu-profile').send({ seconds: 0.2 }).expect(200),
    ]);
    expect(one.body).toMatchObject({
      nodes: expect.arrayContaining([expect.objectContaining({ callFrame: expect.anything() })]),
      startTime: expect.any(Number),
      endTime: expect.any(Number),
    });
    expect(other.body).toEqual(one.body);
    expect(one.headers['content-disposition']).toMatch(/^attachment; filename="cache-.*\.cpuprofile"$/);
  });

  it.each([{ seconds: 0 }, { seconds: 61 }, { seconds: '5' }, { minutes: 1 }])(
    'POST /cache/cpu-profile refuses %j',
    async (body) => {
      const { ask } = await start(platform, {});
      expect((await ask().post('/cache/cpu-profile').send(body).expect(400)).body.code).toBe('INVALID_BODY');
    },
  );

  it('POST /cache/cpu-profile is refused in production without guards', async () => {
    const { ask } = await start(platform, {});
    process.env['NODE_ENV'] = 'production';
    expect((await ask().post('/cache/cpu-profile').send({}).expect(403)).body.code).toBe('WRITES_DISABLED');
  });
});

describe('a cache without Nest', () => {
  it('a cache without Nest takes samples only with the option profiling', async () => {
    const cache = createObservedCache({ profiling: { every: 1 } });
    await cache.getOrSet('feed:1', () => 1);
    await cache.getOrSet('feed:1', () => 1);
    expect(cache.profiler?.stacks().length).toBeGreaterThan(1);
    expect(createObservedCache().profiler).toBeUndefined();
    await cache.close();
  });
});

/** Checks the parts of https://www.speedscope.app/file-format-schema.json that a sampled profile uses. */
function expectSpeedscope(file: any): void {
  expect(file.$schema).toBe('https://www.speedscope.app/file-format-schema.json');
  expect(Object.keys(file.shared)).toEqual(['frames']);
  for (const frame of file.shared.frames) expect(typeof frame.name).toBe('string');
  for (const profile of file.profiles) {
    expect(profile).toMatchObject({ type: 'sampled', name: expect.any(String), unit: 'microseconds', startValue: 0 });
    expect(profile.samples).toHaveLength(profile.weights.length);
    expect(profile.endValue).toBe(profile.weights.reduce((sum: number, weight: number) => sum + weight, 0));
    for (const index of profile.samples.flat()) {
      expect(Number.isInteger(index) && index >= 0 && index < file.shared.frames.length).toBe(true);
    }
  }
  expect(file.profiles.length).toBeGreaterThan(file.activeProfileIndex);
}
