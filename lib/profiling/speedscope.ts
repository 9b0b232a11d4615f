import type { FoldedStack } from './folded-stacks.js';

/** Returns the samples in speedscope's file format (`sampled` profile), in microseconds. */
export function speedscope(stacks: readonly FoldedStack[], name: string): object {
  const index = new Map<string, number>();
  const frame = (text: string): number => {
    let at = index.get(text);
    if (at === undefined) {
      at = index.size;
      index.set(text, at);
    }
    return at;
  };
  const samples = stacks.map(({ frames }) => frames.map(frame));
  const weights = stacks.map(({ microseconds }) => microseconds);
  return {
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    shared: { frames: [...index.keys()].map((text) => ({ name: text })) },
    profiles: [
      {
        type: 'sampled',
        name,
        unit: 'microseconds',
        startValue: 0,
        endValue: weights.reduce((sum, weight) => sum + weight, 0),
        samples,
        weights,
      },
    ],
    name,
    exporter: 'nestjs-cache-observability',
    activeProfileIndex: 0,
  };
}
