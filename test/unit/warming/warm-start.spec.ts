import { describe, expect, it } from '@jest/globals';
import type { Layer, SharedMap } from '../../../lib/cache/layers/layer.js';
import { WarmStart } from '../../../lib/warming/warm-start.js';
import { ManualClock } from '../../support/manual-clock.js';

const never = new Promise<never>(() => undefined);

interface Parts {
  readonly read?: SharedMap['read'];
  readonly freshKeys?: (keys: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly memory?: Partial<Layer>;
}

function started({ read = () => Promise.resolve(undefined), freshKeys, memory }: Parts) {
  const clock = new ManualClock();
  const published: { slot: string; keys: string[] }[] = [];
  const logged: string[] = [];
  const map: SharedMap = {
    read,
    publish: (slot, bytes) => {
      published.push({ slot, keys: (JSON.parse(Buffer.from(bytes).toString()) as { keys: string[] }).keys });
      return Promise.resolve();
    },
    readAll: () => Promise.resolve(new Map()),
    withdraw: () => Promise.resolve(),
  };
  const layers = [
    {
      name: 'memory',
      shared: false,
      hottestKeys: () => Promise.resolve(['feed:1']),
      status: () => ({ entries: 0, bytes: 0 }),
      ...memory,
    },
    { name: 'redis', shared: true, sharedMap: () => map },
  ] as unknown as Layer[];
  const cache = { layers, freshKeys: freshKeys ?? ((keys: readonly string[]) => Promise.resolve(new Set(keys))) };
  const start = new WarmStart({ cache, maxKeys: 600, clock, log: (_, code) => logged.push(code), random: () => 0.6 });
  return { clock, start, published, logged };
}

const note = (at: number, keys: readonly string[]) => Promise.resolve(Buffer.from(JSON.stringify({ at, keys })));

describe('a warm start', () => {
  it.each([
    ['notes', { read: () => never }],
    ['entries', { read: () => note(1, ['feed:1']), freshKeys: () => never }],
  ])('a warm start is given up after 500 ms if Redis does not respond for %s', async (_, parts) => {
    const { clock, start } = started(parts);
    let isReady = false;
    const ready = start.start().then(() => (isReady = true));
    await clock.advance(499);
    expect(isReady).toBe(false);
    await clock.advance(1);
    await ready;
  });

  it('a warm start logs that Redis cannot be read, and continues', async () => {
    const { start, logged } = started({ read: () => Promise.reject(new Error('down')) });
    await start.start();
    expect(logged).toEqual(['WARM_START_FAILED']);
  });

  it('a warm start reads the hottest keys of all notes first, each once, in batches, up to its limit', async () => {
    const asked: string[] = [];
    const sizes: number[] = [];
    const lists = [['a', 'b'], ['c', 'a'], Array.from({ length: 900 }, (_, at) => `d${at}`), []];
    const { start } = started({
      read: (slot) => note(Number(slot), lists[Number(slot)]!),
      freshKeys: (keys) => {
        asked.push(...keys);
        sizes.push(keys.length);
        return Promise.resolve(new Set(keys));
      },
    });
    await start.start();
    expect(asked.slice(0, 5)).toEqual(['d0', 'c', 'a', 'd1', 'b']);
    expect(asked).toHaveLength(600);
    expect(new Set(asked).size).toBe(600);
    expect(sizes).toEqual([250, 250, 100]);
  });

  it('a warm start fills four fifths of the bound of memory at most', async () => {
    let entries = 0;
    const { start } = started({
      read: () =>
        note(
          1,
          Array.from({ length: 600 }, (_, at) => `d${at}`),
        ),
      memory: { status: () => ({ entries, bytes: 0, bounds: { entries: 300 } }) as ReturnType<Layer['status']> },
      freshKeys: (keys) => {
        entries += keys.length;
        return Promise.resolve(new Set(keys));
      },
    });
    await start.start();
    expect(entries).toBe(240);
  });

  it('a warm start writes the hottest keys after 15 seconds, each minute, and when it stops', async () => {
    const { clock, start, published } = started({});
    await start.start();
    await clock.advance(15_000);
    expect(published).toEqual([{ slot: '2', keys: ['feed:1'] }]);
    await clock.advance(60_000);
    await clock.advance(60_000);
    expect(published).toHaveLength(3);
    await start.stop();
    await start.stop();
    expect(published).toHaveLength(4);
    await clock.advance(600_000);
    expect(published).toHaveLength(4);
  });

  it('a warm start does nothing if memory is not in front of a shared layer', async () => {
    const { clock, start, published } = started({ memory: { hottestKeys: undefined as never } });
    await start.start();
    await clock.advance(600_000);
    await start.stop();
    expect(published).toEqual([]);
  });
});
