import { crc32 } from 'node:zlib';
import type { HeldStatus } from './ledger-reading.js';
import { BypassReason, Operation, Result } from '../../cache/base/observer.js';
import { ACCESS_COUNTERS, ACCESS_HISTOGRAMS } from '../windows/access-track.js';
import { BUCKETS, MIN_INDEX } from '../windows/buckets.js';
import { ImageFault, ImageReader, ImageWriter } from '../images/image-bytes.js';
import type { Ledger } from './ledger.js';
import { runAtOnce, runInSlices } from '../../cache/base/slices.js';
import { layerShape } from '../windows/layer-track.js';
import { LEVELS } from '../windows/windows.js';

/** Larger images are neither made nor read. */
export const MAX_IMAGE_BYTES = 16 * 1024 * 1024;
/** A clock that is further ahead than this is wrong. */
const AHEAD_MS = 60_000;

const MAGIC = Buffer.from('NCO1');
/** The mark, and the checksum of everything behind it. */
const HEADER = MAGIC.length + 4;
const MAX_LAYERS = 64;

/** What decides where a figure stands: another layout is another version, and cannot be read. */
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

/** What stands in an image beside what was counted. */
export interface ImageFacts {
  /** Milliseconds since the Unix epoch. */
  readonly savedAt: number;
  /** In the order of the ledger's layers. */
  readonly layers: readonly HeldStatus[];
}

/**
 * Everything that a ledger counts, in every window, as bytes: kept over a restart, and sent from process to process.
 * @throws ImageFault beyond {@link MAX_IMAGE_BYTES}.
 */
export function encodeImage(ledger: Ledger, layers: ImageFacts['layers']): Uint8Array<ArrayBuffer> {
  const image = begun(ledger, layers);
  for (const _step of ledger.save(image));
  return runAtOnce(sealing(image));
}

/** How many tracks are written in one turn of the event loop. */
const SLICE = 16;
/** How often an image is begun anew because figures moved meanwhile, before it is taken in one turn. */
const ATTEMPTS = 3;

/**
 * As {@link encodeImage}, a few patterns at a time: between them the event loop is free.
 * @param room bytes that the image will take, as far as is known: moving what is written already would take as long as all of it.
 */
export async function encodeImageInSlices(
  ledger: Ledger,
  layers: ImageFacts['layers'],
  room?: number,
): Promise<Uint8Array<ArrayBuffer>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const image = begun(ledger, layers, room);
    const { closings } = ledger;
    let steps = 0;
    for (const _step of ledger.save(image)) {
      if (++steps % SLICE === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      if (ledger.closings !== closings) break;
    }
    if (ledger.closings === closings) return runInSlices(sealing(image));
  }
  return encodeImage(ledger, layers);
}

function begun(ledger: Ledger, layers: ImageFacts['layers'], room?: number): ImageWriter {
  const image = new ImageWriter(room);
  image.packed.append(MAGIC);
  image.packed.append(new Uint8Array(4));
  image.text(LAYOUT);
  image.number(ledger.clock.now());
  image.number(layers.length);
  for (const status of layers) {
    image.optional(status.entries);
    image.optional(status.bytes);
    image.flag(status.connected);
    image.number(status.sweepsPending ?? 0);
    image.number(status.invalidationsPending ?? 0);
    image.flag(status.busNotSent === true);
    image.flag(status.busUnreachable === true);
  }
  return image;
}

/** How much the checksum takes in at a time. */
const CHECKED_BYTES = 1024 * 1024;

function* sealing(image: ImageWriter): Generator<void, Uint8Array<ArrayBuffer>> {
  if (image.length > MAX_IMAGE_BYTES) {
    throw new ImageFault(`They take ${image.length} bytes, more than ${MAX_IMAGE_BYTES}; lower metrics.maxPatterns.`);
  }
  const bytes = image.take();
  let checksum = 0;
  for (let at = HEADER; at < bytes.length; at += CHECKED_BYTES) {
    checksum = crc32(bytes.subarray(at, at + CHECKED_BYTES), checksum);
    yield;
  }
  checksums(bytes).setUint32(MAGIC.length, checksum);
  return bytes;
}

/**
 * Fills a ledger with what an image holds.
 * @param states also takes states of the moment and layers that are not attached: a ledger that stands for another process.
 * @throws ImageFault for bytes that are not an image, incomplete, of another version, or from the future; the ledger holds
 *   nothing useful then.
 */
export function restoreImage(bytes: Uint8Array, ledger: Ledger, states: boolean): ImageFacts {
  return runAtOnce(restoreImageInSteps(bytes, ledger, states));
}

/** As {@link restoreImage}, a few patterns at a time. */
export function* restoreImageInSteps(bytes: Uint8Array, ledger: Ledger, states: boolean): Generator<void, ImageFacts> {
  const { image, ...facts } = opened(bytes, ledger.clock.now());
  try {
    yield* ledger.restoreInSteps(image, facts.savedAt, states);
  } catch (error) {
    if (error instanceof ImageFault) throw error;
    throw new ImageFault('Its figures cannot be read.', { cause: error });
  }
  return facts;
}

function opened(given: Uint8Array, now: number): ImageFacts & { readonly image: ImageReader } {
  if (given.length < HEADER || given.length > MAX_IMAGE_BYTES || !MAGIC.equals(given.subarray(0, MAGIC.length))) {
    throw new ImageFault('They are not metrics of this library.');
  }
  const bytes = new Uint8Array(given);
  if (checksums(bytes).getUint32(MAGIC.length) !== crc32(bytes.subarray(HEADER))) {
    throw new ImageFault('They are incomplete or damaged.');
  }
  const image = new ImageReader(bytes, HEADER, bytes.length, now + AHEAD_MS);
  if (image.text() !== LAYOUT) throw new ImageFault('They are of another version of this library.');
  const savedAt = image.number();
  if (savedAt > now + AHEAD_MS) throw new ImageFault('They were written by a clock that is ahead of this one.');
  const layers = Array.from({ length: image.count(MAX_LAYERS) }, () => ({
    entries: image.optional(),
    bytes: image.optional(),
    connected: image.flag(),
    sweepsPending: image.number(),
    invalidationsPending: image.number(),
    busNotSent: image.flag(),
    busUnreachable: image.flag(),
  }));
  return { savedAt, layers, image };
}

function checksums(bytes: Uint8Array<ArrayBuffer>): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
