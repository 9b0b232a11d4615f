import { describe, expect, it } from '@jest/globals';
import { figuresBytes, readFigures, togetherOf } from '../../../lib/insight/ladder-figures.js';
import { LadderNotesWriter, readLadderNotes } from '../../../lib/insight/ladder-notes.js';
import { LadderSums, Sum } from '../../../lib/insight/ladder-sums.js';
import { seededRandom } from '../../support/seeded-traffic.js';

const NOW = 1_700_000_000_000;
const key = (hash: number, isHot = false) => ({
  hash, isHot, digest: -hash, checkedAt: NOW - 30,
  fills: [{ rung: 0, at: NOW - 40, outdated: false }, { rung: 7, at: NOW - 5_000, outdated: true }],
}); // prettier-ignore

function notes(): Uint8Array {
  const writer = new LadderNotesWriter(4_096, NOW);
  writer.pattern('user:*', 1_000, 2 ** 31);
  writer.key(key(-5, true));
  writer.key(key(7));
  writer.pattern('größe:*', 60_000, 2 ** 32);
  return writer.bytes();
}

function figures(hits = 60) {
  const sums = new LadderSums();
  sums.access(3, 100);
  sums.add(3, 2, Sum.hits, hits);
  return {
    ttlMs: 1_000, observedMs: 5_000, share: 0.5, accessesPerHour: 10, loads: 40, loadMs: 80, lateMs: 9_000, sums, unchecked: new Float64Array(8),
  }; // prettier-ignore
}

/** Reads bytes of which one was changed, or which end early. */
function tampered(bytes: Uint8Array, read: (bytes: Uint8Array) => unknown): void {
  const random = seededRandom(5);
  for (let round = 0; round < 5_000; round++) {
    const copy = bytes.slice(0, random() < 0.5 ? bytes.length : Math.floor(random() * bytes.length));
    if (copy.length > 0) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
    read(copy);
  }
}

describe('notes of ladders', () => {
  it('notes of ladders are read as they were written', () => {
    expect(readLadderNotes(notes())).toEqual({
      at: NOW,
      patterns: [
        { name: 'user:*', ttlMs: 1_000, room: 2 ** 31, keys: [key(-5, true), key(7)] },
        { name: 'größe:*', ttlMs: 60_000, room: 2 ** 32, keys: [] },
      ],
    });
  });

  it('notes of ladders stay within their limit of bytes', () => {
    const writer = new LadderNotesWriter(200, NOW);
    writer.pattern('user:*', 1_000, 2 ** 32);
    let fits = 0;
    for (let hash = 1; hash < 100 && writer.key(key(hash)); hash++) fits++;
    expect(fits).toBeLessThan(14);
    expect(writer.bytes().length).toBeLessThanOrEqual(200);
    expect(readLadderNotes(writer.bytes())!.patterns[0]!.keys).toHaveLength(fits);
  });

  it('damaged notes of ladders are refused as a whole', () => {
    tampered(notes(), (bytes) => {
      const read = readLadderNotes(bytes);
      for (const { ttlMs, keys } of read?.patterns ?? []) {
        expect(ttlMs).toBeGreaterThan(0);
        for (const { hash } of keys) expect(hash).not.toBe(0);
      }
    });
    expect(readLadderNotes(notes().slice(0, -1))).toBeUndefined();
    expect(readLadderNotes(new Uint8Array(0))).toBeUndefined();
  });
});

describe('figures of ladders', () => {
  it('figures of ladders are read as they were written', () => {
    const read = readFigures(figuresBytes(new Map([['user:*', figures()]])))!;
    expect(read.get('user:*')).toMatchObject({ ttlMs: 1_000, observedMs: 5_000, share: 0.5, loads: 40, lateMs: 9_000 });
    expect(read.get('user:*')!.sums.hitRate(2, 1).value).toBeCloseTo(0.6);
  });

  it('figures of ladders with impossible counts are refused', () => {
    const bytes = figuresBytes(new Map([['user:*', figures()]]));
    tampered(bytes, (copy) => {
      for (const { sums } of readFigures(copy)?.values() ?? [])
        expect(sums.hitRate(2, 1).value).toBeLessThanOrEqual(1.01);
    });
    expect(readFigures(figuresBytes(new Map([['user:*', figures(200)]])))).toBeUndefined();
    expect(readFigures(bytes.slice(0, -1))).toBeUndefined();
  });

  it('figures of several instances are added up, without those of another TTL', () => {
    const together = togetherOf([figures(60), figures(80), { ...figures(100), ttlMs: 9_000, sums: new LadderSums() }])!;
    expect(together).toMatchObject({ ttlMs: 1_000, loads: 80, accessesPerHour: 20, observedMs: 5_000 });
    expect(together.sums.hitRate(2, 1).value).toBeCloseTo(0.7);
    expect(togetherOf([])).toBeUndefined();
  });
});
