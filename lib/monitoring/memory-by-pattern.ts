import { forEachInSlices } from '../cache/base/slices.js';
import type { Layer } from '../cache/layers/layer.js';

/** The contents of a memory layer of this instance, by pattern. */
export interface MemoryByPattern {
  readonly layer: string;
  readonly entries: number;
  readonly bytes: number;
  /** The share of the entries that was examined, 0–1; below 1 the figures of the patterns are estimates. */
  readonly sampled: number;
  /** Most bytes first. */
  readonly patterns: readonly PatternMemory[];
}

export interface PatternMemory {
  readonly pattern: string;
  readonly entries: number;
  readonly bytes: number;
  /** Share of the layer's bytes, 0–1. */
  readonly share: number;
}

export interface MemoryFilter {
  /** One pattern only. */
  readonly pattern?: string | undefined;
  /** The most patterns. @default all */
  readonly limit?: number | undefined;
}

type PatternOf = (key: string) => string | undefined;

/** Of more entries than this, about this many are examined, chosen at random: a fixed step could miss keys that repeat with the same period. */
const LOOKED_UP = 20_000;

/**
 * Returns the contents of those of these layers that are in memory. Computed in slices.
 * @param patternOf returns the pattern of a key, as in statistics. If it returns undefined, as without metrics, the key is not listed.
 */
export async function memoryByPattern(
  layers: readonly Layer[],
  patternOf: PatternOf,
  filter: MemoryFilter = {},
): Promise<MemoryByPattern[]> {
  const all: MemoryByPattern[] = [];
  for (const layer of layers) if (layer.entrySizes !== undefined) all.push(await heldBy(layer, patternOf, filter));
  return all;
}

async function heldBy(
  layer: Layer,
  patternOf: PatternOf,
  { pattern: wanted, limit = Infinity }: MemoryFilter,
): Promise<MemoryByPattern> {
  const part = Math.min(1, LOOKED_UP / (layer.status().entries ?? 0));
  const held = new Map<string, { entries: number; bytes: number }>();
  const all = { entries: 0, bytes: 0 };
  const seen = { entries: 0, bytes: 0 };
  await forEachInSlices(layer.entrySizes!(), ([key, bytes]) => {
    all.entries += 1;
    all.bytes += bytes;
    if (part < 1 && Math.random() >= part) return;
    const pattern = patternOf(key);
    if (pattern === undefined) return;
    let one = held.get(pattern);
    if (one === undefined) held.set(pattern, (one = { entries: 0, bytes: 0 }));
    for (const sum of [one, seen]) {
      sum.entries += 1;
      sum.bytes += bytes;
    }
  });
  const patterns = [...held]
    .filter(([pattern]) => wanted === undefined || pattern === wanted)
    .map(([pattern, { entries, bytes }]) => ({
      pattern,
      entries: Math.round((entries / seen.entries) * all.entries),
      bytes: Math.round((bytes / seen.bytes) * all.bytes),
      share: bytes / seen.bytes,
    }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, limit);
  return { layer: layer.name, ...all, sampled: part < 1 ? seen.entries / all.entries : 1, patterns };
}
