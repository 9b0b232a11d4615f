import { afterEach, expect, it, jest } from '@jest/globals';
import type { Layer } from '../../../lib/cache/layers/layer.js';
import { memoryByPattern } from '../../../lib/monitoring/memory-by-pattern.js';
import { seededRandom } from '../../support/seeded-traffic.js';

afterEach(() => void jest.restoreAllMocks());

/** A layer with `entries` entries; one in ten is a large entry of another pattern. */
const layerOf = (entries: number): Layer =>
  ({
    name: 'memory',
    status: () => ({ entries }),
    *entrySizes() {
      for (let n = 0; n < entries; n++) yield n % 10 === 0 ? [`large:${n}`, 910] : [`small:${n}`, 10];
    },
  }) as unknown as Layer;
const patternOf = (key: string) => key.replace(/\d+/, '*');

it('memory by pattern counts every entry of a small layer', async () => {
  expect(await memoryByPattern([layerOf(1_000)], patternOf)).toEqual([
    {
      layer: 'memory',
      entries: 1_000,
      bytes: 100_000,
      sampled: 1,
      patterns: [
        { pattern: 'large:*', entries: 100, bytes: 91_000, share: 0.91 },
        { pattern: 'small:*', entries: 900, bytes: 9_000, share: 0.09 },
      ],
    },
  ]);
});

it('memory by pattern estimates the patterns of a large layer from a sample, and reports the share', async () => {
  jest.spyOn(Math, 'random').mockImplementation(seededRandom(7));
  let lookedUp = 0;
  const [held] = await memoryByPattern([layerOf(250_000)], (key) => {
    lookedUp += 1;
    return patternOf(key);
  });
  expect(lookedUp / 20_000).toBeCloseTo(1, 1);
  expect(held).toMatchObject({ entries: 250_000, bytes: 25_000_000, patterns: [{ pattern: 'large:*' }, {}] });
  expect(held!.sampled).toBeCloseTo(lookedUp / 250_000, 6);
  expect(held!.patterns[0]!.share).toBeCloseTo(0.91, 2);
  expect(held!.patterns[0]!.entries / 25_000).toBeCloseTo(1, 1);
});

it('memory by pattern leaves out layers outside of this process', async () => {
  expect(await memoryByPattern([{ name: 'redis', status: () => ({ entries: null }) } as Layer], patternOf)).toEqual([]);
});
