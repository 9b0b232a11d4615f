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

/** Larger images are neither written nor read. */
export const MAX_IMAGE_BYTES = 16 * 1024 * 1024;
/** How far the clock of a writer may be ahead of this one. */
const AHEAD_MS = 60_000;

const MAGIC = Buffer.from('NCO1');
/** The mark, and the checksum of the bytes after the header. */
const HEADER = MAGIC.length + 4;
const MAX_LAYERS = 64;

/** Determines the position of each figure: an image with another layout is another version, and cannot be read. */
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

/** The facts in an image besides the counts. */
export interface ImageFacts {
  /** Milliseconds since the Unix epoch. */
  readonly savedAt: number;
  /** In the order of the ledger's layers. */
  readonly layers: readonly HeldStatus[];
}

/**
 * Encodes all counts of a ledger, in every window: stored over a restart, and sent from process to process.
 * @throws ImageFault beyond {@link MAX_IMAGE_BYTES}.
 */
export function encodeImage(ledger: Ledger, layers: ImageFacts['layers']): Uint8Array<ArrayBuffer> {
  const image = begun(ledger, layers);
  for (const _step of ledger.save(image));
  return runAtOnce(sealing(image));
}

/** How many tracks are written per turn of the event loop. */
const SLICE = 16;
/** How often an image is begun again because figures moved meanwhile, before it is written in one turn. */
const ATTEMPTS = 3;

/**
 * As {@link encodeImage}, in slices, so that the event loop stays free.
 * @param room the expected size, bytes: growing copies the written bytes, which would take as long as writing them.
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

/** How many bytes the checksum processes per slice. */
const CHECKED_BYTES = 1024 * 1024;

function* sealing(image: ImageWriter): Generator<void, Uint8Array<ArrayBuffer>> {
  if (image.length > MAX_IMAGE_BYTES) {
    throw new ImageFault(
      `The image has ${image.length} bytes, more than ${MAX_IMAGE_BYTES}. Lower metrics.maxPatterns.`,
    );
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
 * Fills a ledger from an image.
 * @param states also restores current states, and layers that are not attached: for a ledger that represents another process.
 * @throws ImageFault for bytes that are not an image, are incomplete, of another version, or from the future; the ledger must
 *   be discarded then.
 */
export function restoreImage(bytes: Uint8Array, ledger: Ledger, states: boolean): ImageFacts {
  return runAtOnce(restoreImageInSteps(bytes, ledger, states));
}

/** As {@link restoreImage}, in slices. */
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
    throw new ImageFault('The bytes are not metrics of this library.');
  }
  const bytes = new Uint8Array(given);
  if (checksums(bytes).getUint32(MAGIC.length) !== crc32(bytes.subarray(HEADER))) {
    throw new ImageFault('The image is incomplete or damaged.');
  }
  const image = new ImageReader(bytes, HEADER, bytes.length, now + AHEAD_MS);
  if (image.text() !== LAYOUT) throw new ImageFault('The image is of another version of this library.');
  const savedAt = image.number();
  if (savedAt > now + AHEAD_MS) throw new ImageFault('The image was written by a clock that is ahead of this one.');
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
