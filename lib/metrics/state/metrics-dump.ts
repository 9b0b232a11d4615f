import { crc32 } from 'node:zlib';
import type { HeldStatus } from './metrics-reading.js';
import { BypassReason, Operation, Result } from '../../cache/base/observer.js';
import { ACCESS_COUNTERS, ACCESS_HISTOGRAMS } from '../windows/access-track.js';
import { BUCKETS, MIN_INDEX } from '../windows/buckets.js';
import { DumpFault, DumpReader, DumpWriter } from '../dumps/dump-bytes.js';
import type { MetricsState } from './metrics-state.js';
import { runAtOnce, runInSlices } from '../../cache/base/slices.js';
import { layerShape } from '../windows/layer-track.js';
import { LEVELS } from '../windows/window-lengths.js';

/** The most bytes of a dump. Larger dumps are neither written nor read. */
export const MAX_DUMP_BYTES = 16 * 1024 * 1024;
/** How far the clock of another process may be ahead, milliseconds. */
const AHEAD_MS = 60_000;

const MAGIC = Buffer.from('NCO1');
/** The length of the mark and the checksum of the bytes after them. */
const HEADER = MAGIC.length + 4;
const MAX_LAYERS = 64;

/** Describes the position of each figure. A dump with another layout is of another version and cannot be read. */
const LAYOUT = [
  'dense3',
  ACCESS_COUNTERS,
  ACCESS_HISTOGRAMS,
  layerShape().counters,
  layerShape().histograms,
  Object.keys(Operation).length,
  Object.keys(Result).length,
  Object.keys(BypassReason).length,
  BUCKETS,
  -MIN_INDEX,
  ...LEVELS.flatMap(({ slotMs, slots }) => [slotMs, slots]),
].join('.');

/** The facts in a dump in addition to the counts. */
export interface DumpFacts {
  /** Milliseconds since the Unix epoch. */
  readonly savedAt: number;
  /** The status of the layers, in the order of the state's layers. */
  readonly layers: readonly HeldStatus[];
}

/**
 * Encodes all counts of a `MetricsState` in every window, to keep them over a restart or to send them to another process.
 * @throws DumpFault beyond {@link MAX_DUMP_BYTES}.
 */
export function encodeDump(state: MetricsState, layers: DumpFacts['layers']): Uint8Array<ArrayBuffer> {
  const dump = begun(state, layers);
  for (const _step of state.save(dump));
  return runAtOnce(sealing(dump));
}

/** How many tracks are written in one turn of the event loop. */
const SLICE = 16;
/** How often a dump is started again because figures moved during it. Then it is written in one turn. */
const ATTEMPTS = 3;

/**
 * Encodes all counts as {@link encodeDump} does, in slices, so that the event loop stays free.
 * @param room the expected size, bytes. If it is too small, the written bytes are copied, which takes as long as writing them.
 */
export async function encodeDumpInSlices(
  state: MetricsState,
  layers: DumpFacts['layers'],
  room?: number,
): Promise<Uint8Array<ArrayBuffer>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const dump = begun(state, layers, room);
    const { closings } = state;
    let steps = 0;
    for (const _step of state.save(dump)) {
      if (++steps % SLICE === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      if (state.closings !== closings) break;
    }
    if (state.closings === closings) return runInSlices(sealing(dump));
  }
  return encodeDump(state, layers);
}

function begun(state: MetricsState, layers: DumpFacts['layers'], room?: number): DumpWriter {
  const dump = new DumpWriter(room);
  dump.packed.append(MAGIC);
  dump.packed.append(new Uint8Array(4));
  dump.text(LAYOUT);
  dump.number(state.clock.now());
  dump.number(layers.length);
  for (const status of layers) {
    dump.optional(status.entries);
    dump.optional(status.bytes);
    dump.flag(status.connected);
    dump.number(status.sweepsPending ?? 0);
    dump.number(status.invalidationsPending ?? 0);
    dump.flag(status.busNotSent === true);
    dump.flag(status.busUnreachable === true);
  }
  return dump;
}

/** How many bytes of the checksum are computed per slice. */
const CHECKED_BYTES = 1024 * 1024;

function* sealing(dump: DumpWriter): Generator<void, Uint8Array<ArrayBuffer>> {
  if (dump.length > MAX_DUMP_BYTES) {
    throw new DumpFault(`The dump has ${dump.length} bytes, more than ${MAX_DUMP_BYTES}. Lower metrics.maxPatterns.`);
  }
  const bytes = dump.take();
  let checksum = 0;
  for (let at = HEADER; at < bytes.length; at += CHECKED_BYTES) {
    checksum = crc32(bytes.subarray(at, at + CHECKED_BYTES), checksum);
    yield;
  }
  checksums(bytes).setUint32(MAGIC.length, checksum);
  return bytes;
}

/**
 * Fills a `MetricsState` from a dump.
 * @param states true also restores current states, and layers that are not attached, for an object that represents another process.
 * @throws DumpFault for bytes that are not a dump, are incomplete, of another version, or from the future. Discard the state then.
 */
export function restoreDump(bytes: Uint8Array, state: MetricsState, states: boolean): DumpFacts {
  return runAtOnce(restoreDumpInSteps(bytes, state, states));
}

/** Fills a state as {@link restoreDump} does, in slices. */
export function* restoreDumpInSteps(
  bytes: Uint8Array,
  state: MetricsState,
  states: boolean,
): Generator<void, DumpFacts> {
  const { dump, ...facts } = opened(bytes, state.clock.now());
  try {
    yield* state.restoreInSteps(dump, facts.savedAt, states);
  } catch (error) {
    if (error instanceof DumpFault) throw error;
    throw new DumpFault('Its figures cannot be read.', { cause: error });
  }
  return facts;
}

function opened(given: Uint8Array, now: number): DumpFacts & { readonly dump: DumpReader } {
  if (given.length < HEADER || given.length > MAX_DUMP_BYTES || !MAGIC.equals(given.subarray(0, MAGIC.length))) {
    throw new DumpFault('The bytes are not metrics of this library.');
  }
  const bytes = new Uint8Array(given);
  if (checksums(bytes).getUint32(MAGIC.length) !== crc32(bytes.subarray(HEADER))) {
    throw new DumpFault('The dump is incomplete or damaged.');
  }
  const dump = new DumpReader(bytes, HEADER, bytes.length, now + AHEAD_MS);
  if (dump.text() !== LAYOUT) throw new DumpFault('The dump is of another version of this library.');
  const savedAt = dump.number();
  if (savedAt > now + AHEAD_MS) throw new DumpFault('The dump was written by a clock that is ahead of this one.');
  const layers = Array.from({ length: dump.count(MAX_LAYERS) }, () => ({
    entries: dump.optional(),
    bytes: dump.optional(),
    connected: dump.flag(),
    sweepsPending: dump.number(),
    invalidationsPending: dump.number(),
    busNotSent: dump.flag(),
    busUnreachable: dump.flag(),
  }));
  return { savedAt, layers, dump };
}

function checksums(bytes: Uint8Array<ArrayBuffer>): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
