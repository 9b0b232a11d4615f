import { describe, expect, it } from '@jest/globals';
import type { RedisLock } from '../../../../lib/cache/layers/redis/redis-lock.js';
import type { RedisConnection } from '../../../../lib/cache/layers/redis/redis-connection.js';
import type { RedisParts } from '../../../../lib/cache/layers/redis/redis-parts.js';
import { RedisKeys } from '../../../../lib/cache/layers/redis/redis-keys.js';
import type { RedisScan, Sweep, SweepProgress } from '../../../../lib/cache/layers/redis/redis-scan.js';
import { RedisGlobs } from '../../../../lib/cache/layers/redis/redis-globs.js';
import { recordEvents } from '../../../support/layer-context.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';

/** One walk over the keys, whose progress and end the test decides. */
interface Walk {
  readonly globs: readonly string[];
  readonly progress: SweepProgress;
  end(): void;
  fail(error: Error): void;
}

function make() {
  const clock = new ManualClock();
  const walks: Walk[] = [];
  const recorded = recordEvents();
  const scan = {
    sweep: (sweeps: readonly Sweep[], progress: SweepProgress) =>
      new Promise<void>((end, fail) => walks.push({ globs: sweeps.map(({ glob }) => glob), progress, end, fail })),
    close: () => undefined,
  } as unknown as RedisScan;
  const connection = { send: () => Promise.resolve(1), cluster: false } as unknown as RedisConnection;
  const keys = new RedisKeys('cache');
  const sweeps = new RedisGlobs(
    { connection, keys, clock, name: 'redis', deadlineMs: 500 } as unknown as RedisParts,
    scan,
    {} as RedisLock,
    recorded.events,
  );
  return { clock, walks, sweeps, logs: recorded.logs };
}

describe('a sweep', () => {
  it('a sweep returns how many entries it has removed', async () => {
    const { walks, sweeps } = make();
    const sweeping = sweeps.sweep({ glob: 'a*', epoch: 1 });
    walks[0]!.progress.removed(2);
    walks[0]!.progress.removed(3);
    walks[0]!.end();
    expect(await sweeping).toBe(5);
    expect(sweeps.pending).toBe(0);
  });

  it('a long sweep delays its caller by ten seconds at most, and stays pending until it has ended', async () => {
    const { clock, walks, sweeps } = make();
    const sweeping = sweeps.sweep({ glob: 'a*', epoch: 1 });
    walks[0]!.progress.removed(2);
    await clock.advance(10_000);
    expect(await sweeping).toBe(2);
    expect(sweeps.pending).toBe(1);
    walks[0]!.end();
    await settle();
    expect([sweeps.pending, walks.length]).toEqual([0, 1]);
  });

  it('a sweep with a step that times out does not delay its caller', async () => {
    const { walks, sweeps } = make();
    const sweeping = sweeps.sweep({ glob: 'a*', epoch: 1 });
    walks[0]!.progress.late();
    expect(await sweeping).toBe(0);
    expect(sweeps.pending).toBe(1);
  });

  it('failed sweeps are retried together at growing intervals', async () => {
    const { clock, walks, sweeps, logs } = make();
    const first = sweeps.sweep({ glob: 'a*', epoch: 1 });
    walks[0]!.fail(new Error('no right to SCAN'));
    await first;
    const second = sweeps.sweep({ glob: 'b*', epoch: 2 });
    walks[1]!.fail(new Error('no right to SCAN'));
    await second;
    expect(sweeps.pending).toBe(2);
    await clock.advance(1_000);
    expect(walks[2]!.globs).toEqual(['a*', 'b*']);
    walks[2]!.fail(new Error('no right to SCAN'));
    await settle();
    await clock.advance(1_999);
    expect(walks).toHaveLength(3);
    await clock.advance(1);
    expect(walks[3]!.globs).toEqual(['a*', 'b*']);
    walks[3]!.end();
    await settle();
    expect(sweeps.pending).toBe(0);
    await clock.advance(3_600_000);
    expect(walks).toHaveLength(4);
    expect(logs.map(({ code, level }) => [code, level])).toEqual([
      ['SWEEP_PENDING', 'warn'],
      ['SWEEP_DONE', 'log'],
    ]);
  });

  it('a sweep of a glob that was invalidated again meanwhile stays pending', async () => {
    const { walks, sweeps } = make();
    const first = sweeps.sweep({ glob: 'a*', epoch: 1 });
    const second = sweeps.sweep({ glob: 'a*', epoch: 2 });
    walks[1]!.fail(new Error('gone'));
    await second;
    walks[0]!.end();
    await first;
    expect(sweeps.pending).toBe(1);
    sweeps.close();
  });
});
