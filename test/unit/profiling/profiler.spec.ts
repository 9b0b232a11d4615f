import { describe, expect, it } from '@jest/globals';
import type { Series } from '../../../lib/cache/base/observer.js';
import { CpuProfiler } from '../../../lib/profiling/cpu-profile.js';
import { flamegraphSvg } from '../../../lib/profiling/flamegraph-svg.js';
import { foldedText } from '../../../lib/profiling/folded-stacks.js';
import { CacheProfiler } from '../../../lib/profiling/profiler.js';
import { speedscope } from '../../../lib/profiling/speedscope.js';
import { ManualClock } from '../../support/manual-clock.js';

const series: Series = { pattern: 'feed:*', endpoint: undefined };

async function discoverFeed<T>(run: () => T): Promise<Awaited<T>> {
  return await run();
}

describe('the profiler', () => {
  it('the profiler records the phases of an operation under the functions that called it', async () => {
    const clock = new ManualClock();
    const profiler = new CacheProfiler(clock, { every: 1 });
    await discoverFeed(() =>
      profiler.span('get', series, 'feed:secret', async (span) => {
        span.phase('remote', 2, 'redis');
        span.phase('origin', 5);
        await clock.advance(8);
      }),
    );
    const text = foldedText(profiler.stacks());
    expect(text).toMatch(/^.*discoverFeed;.*cache\.get\(feed:\*\);remote_redis 2000$/m);
    expect(text).toMatch(/cache\.get\(feed:\*\);origin 5000$/m);
    expect(text).toMatch(/cache\.get\(feed:\*\) 1000$/m);
    expect(text).not.toContain('secret');
  });

  it('the profiler records an operation that failed and passes its error through', async () => {
    const clock = new ManualClock();
    const profiler = new CacheProfiler(clock, { every: 1 });
    const failing = profiler.span('load', series, 'k', async () => {
      await clock.advance(3);
      throw new Error('origin');
    });
    await expect(failing).rejects.toThrow('origin');
    expect(() =>
      profiler.span('set', series, 'k', () => {
        throw new Error('at once');
      }),
    ).toThrow('at once');
    expect(foldedText(profiler.stacks())).toMatch(/cache\.load\(feed:\*\) 3000$/m);
  });

  it('the profiler records one operation in every n as configured, hits in memory included', () => {
    const draws = [0.5, 0.005, 0.5];
    const clock = new ManualClock();
    const profiler = new CacheProfiler(clock, { every: 100 }, () => draws.shift() ?? 1);
    for (let turn = 0; turn < 3; turn++) profiler.hit(series, clock.now() - 1);
    expect(profiler.stacks().map(({ samples }) => samples)).toEqual([1]);
    profiler.reset();
    expect(profiler.stacks()).toEqual([]);
  });

  it('the profiler keeps no more stacks than its limit and adds up the others', () => {
    const clock = new ManualClock();
    const profiler = new CacheProfiler(clock, { every: 1, maxStacks: 5 });
    for (let turn = 0; turn < 50; turn++) profiler.hit({ pattern: `p${turn}`, endpoint: undefined }, clock.now() - 1);
    const stacks = profiler.stacks();
    expect(stacks).toHaveLength(6);
    expect(stacks.find(({ frames }) => frames[0] === '__other__')?.samples).toBe(45);
  });
});

describe('the formats of a profile', () => {
  const stacks = [
    { frames: ['main', 'cache.get(<b>&"x")', 'local'], samples: 1, microseconds: 30 },
    { frames: ['main', 'cache.load(p)'], samples: 2, microseconds: 70 },
  ];

  it('a profile as SVG has every frame as wide as its time, and no name is markup', () => {
    const svg = flamegraphSvg(stacks, 'Cache <profile>');
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(svg).toContain('main — 0.100 ms, 100.00 %');
    expect(svg).toContain('cache.load(p) — 0.070 ms, 70.00 %');
    expect(svg).toContain('cache.get(&lt;b&gt;&amp;&quot;x&quot;)');
    expect(svg).not.toContain('<b>');
    expect(flamegraphSvg([], 'empty')).toContain('no samples yet');
  });

  it('a profile for speedscope is a sampled profile whose weights add up', () => {
    expect(speedscope(stacks, 'cache')).toMatchObject({
      $schema: 'https://www.speedscope.app/file-format-schema.json',
      shared: {
        frames: [{ name: 'main' }, { name: 'cache.get(<b>&"x")' }, { name: 'local' }, { name: 'cache.load(p)' }],
      },
      profiles: [
        {
          type: 'sampled',
          unit: 'microseconds',
          endValue: 100,
          samples: [
            [0, 1, 2],
            [0, 3],
          ],
          weights: [30, 70],
        },
      ],
    });
  });
});

describe('a CPU profile', () => {
  it('a CPU profile is taken once for all concurrent requests', async () => {
    const profiler = new CpuProfiler();
    const [one, other] = await Promise.all([profiler.take(0.05), profiler.take(0.05)]);
    expect(one).toBe(other);
    expect(one).toHaveProperty('nodes');
  });

  it.each([0, -1, 61, Number.NaN])('a CPU profile refuses %p seconds', async (seconds) => {
    await expect(new CpuProfiler().take(seconds)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  });
});
