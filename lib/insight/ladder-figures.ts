import type { LadderFigures } from './ladder-report.js';
import { LadderSums, PLACES, RUNG_COUNT, sumsOf } from './ladder-sums.js';
import { MOST_PATTERNS } from './pattern-sample.js';

/*
 * Encodes figures of ladders for other instances and for the next run. Bytes that are read are untrusted: lengths are checked,
 * and bytes with any impossible count are refused as a whole.
 *
 *   mark u32, patterns u16; for each: length of the name u16, name, TTL f64, then numbers f32.
 */

const MARK = 0x4c46_3031;
const HEAD = 6;
const MOST_NAME = 1_024;
/** Single numbers after the TTL: observedMs, share, accessesPerHour, loads, loadMs, lateMs. Then unclassified hits by rung, then the sums. */
const SINGLE = 6;
const NUMBERS = SINGLE + RUNG_COUNT + PLACES;
const TTL = 8;
/** TTLs are equal if they differ by less than this share. */
const SAME_TTL = 0.01;

/** Encodes figures by pattern. */
export function figuresBytes(figures: ReadonlyMap<string, LadderFigures>): Uint8Array {
  const names = [...figures.keys()].filter((name) => Buffer.byteLength(name) <= MOST_NAME).slice(0, MOST_PATTERNS);
  const length = names.reduce((sum, name) => sum + 2 + Buffer.byteLength(name) + TTL + 4 * NUMBERS, HEAD);
  const bytes = Buffer.allocUnsafe(length);
  let at = bytes.writeUInt16BE(names.length, bytes.writeUInt32BE(MARK));
  for (const name of names) {
    const { ttlMs, unchecked, sums, ...rest } = figures.get(name)!;
    const single = [rest.observedMs, rest.share, rest.accessesPerHour, rest.loads, rest.loadMs, rest.lateMs];
    at = bytes.writeUInt16BE(Buffer.byteLength(name), at);
    at += bytes.write(name, at);
    at = bytes.writeDoubleBE(ttlMs, at);
    for (const one of single) at = bytes.writeFloatBE(one, at);
    for (let rung = 0; rung < RUNG_COUNT; rung++) at = bytes.writeFloatBE(unchecked[rung]!, at);
    for (const sum of sums.values) at = bytes.writeFloatBE(sum, at);
  }
  return bytes;
}

/** Reads the result of {@link figuresBytes}; undefined for any other bytes. */
export function readFigures(from: Uint8Array): ReadonlyMap<string, LadderFigures> | undefined {
  const bytes = Buffer.from(from.buffer, from.byteOffset, from.byteLength);
  if (bytes.length < HEAD || bytes.readUInt32BE(0) !== MARK) return undefined;
  const count = bytes.readUInt16BE(4);
  if (count > MOST_PATTERNS) return undefined;
  const figures = new Map<string, LadderFigures>();
  let at = HEAD;
  for (let left = count; left > 0; left--) {
    if (at + 2 > bytes.length) return undefined;
    const length = bytes.readUInt16BE(at);
    const end = at + 2 + length + TTL + 4 * NUMBERS;
    if (length > MOST_NAME || end > bytes.length) return undefined;
    const name = bytes.toString('utf8', at + 2, at + 2 + length);
    const read = figuresOf(bytes.readDoubleBE(at + 2 + length), numbersAt(bytes, at + 2 + length + TTL));
    if (read === undefined) return undefined;
    figures.set(name, read);
    at = end;
  }
  return at === bytes.length ? figures : undefined;
}

function numbersAt(bytes: Buffer, from: number): Float64Array {
  const numbers = new Float64Array(NUMBERS);
  for (let at = 0; at < NUMBERS; at++) numbers[at] = bytes.readFloatBE(from + 4 * at);
  return numbers;
}

type Single = [number, number, number, number, number, number];

function figuresOf(ttlMs: number, numbers: Float64Array): LadderFigures | undefined {
  if (!(ttlMs > 0 && ttlMs < Infinity) || numbers.some((one) => !(one >= 0 && one < Infinity))) return undefined;
  const [observedMs, share, accessesPerHour, loads, loadMs, lateMs] = [...numbers.subarray(0, SINGLE)] as Single;
  const sums = sumsOf(numbers.subarray(SINGLE + RUNG_COUNT));
  if (sums === undefined || share > 1) return undefined;
  const unchecked = numbers.subarray(SINGLE, SINGLE + RUNG_COUNT);
  return { ttlMs, observedMs, share, accessesPerHour, loads, loadMs, lateMs, sums, unchecked };
}

/** Merges the figures of several instances; if their TTLs differ, only those with the TTL of the most accesses. Undefined if empty. */
export function togetherOf(all: readonly LadderFigures[]): LadderFigures | undefined {
  const most = all.reduce<LadderFigures | undefined>(
    (one, other) => (one === undefined || other.sums.accesses > one.sums.accesses ? other : one),
    undefined,
  );
  if (most === undefined) return undefined;
  const alike = all.filter(({ ttlMs }) => Math.abs(ttlMs - most.ttlMs) <= most.ttlMs * SAME_TTL);
  const sums = new LadderSums();
  for (const one of alike) sums.mergeOfFleet(one.sums);
  const total = (of: (figures: LadderFigures) => number) => alike.reduce((sum, one) => sum + of(one), 0);
  return {
    ttlMs: most.ttlMs,
    observedMs: Math.max(...alike.map(({ observedMs }) => observedMs)),
    share: Math.min(...alike.map(({ share }) => share)),
    accessesPerHour: total(({ accessesPerHour }) => accessesPerHour),
    loads: total(({ loads }) => loads),
    loadMs: total(({ loadMs }) => loadMs),
    lateMs: Math.max(...alike.map(({ lateMs }) => lateMs)),
    sums,
    unchecked: Array.from({ length: RUNG_COUNT }, (_, rung) => total(({ unchecked }) => unchecked[rung]!)),
  };
}
