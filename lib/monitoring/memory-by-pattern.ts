import { forEachInSlices } from '../cache/base/slices.js';
import type { Layer } from '../cache/layers/layer.js';

/** What a memory layer of this instance holds, by pattern. */
export interface MemoryByPattern {
  readonly layer: string;
  readonly entries: number;
  readonly bytes: number;
  /** The part of the entries that was looked at, 0–1; below 1 the figures of the patterns are estimates. */
  readonly sampled: number;
  /** Most bytes first. */
  readonly patterns: readonly PatternMemory[];
}

export interface PatternMemory {
  readonly pattern: string;
  readonly entries: number;
  readonly bytes: number;
  /** Of the bytes of the layer, 0–1. */
  readonly share: number;
}

export interface MemoryFilter {
  /** One pattern instead of all. */
  readonly pattern?: string | undefined;
  /** How many patterns. @default all */
  readonly limit?: number | undefined;
}

type PatternOf = (key: string) => string | undefined;

/** Entries whose patterns are looked up: of more, so many drawn at random. A fixed step would be misled by keys that come in turns. */
const LOOKED_UP = 20_000;

/**
 * What the memory layers among these hold, in slices.
 * @param patternOf the pattern of a key in statistics; undefined if there are none, and its patterns are empty then.
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
