import { isRecord } from '../cache/options/option-rules.js';
import { type Alert, CODES, SEVERITIES } from '../insight/alerts/alert.js';
import { type HotKeyFigures, notedHotKeys, readHotKeys } from '../insight/hot-key-figures.js';
import { figuresBytes, readFigures } from '../insight/ladder-figures.js';
import type { LadderFigures } from '../insight/ladder-report.js';
import { FACTORS, type MemoryRung } from '../insight/memory-ladder.js';
import type { InstanceMemory, MemoryOfInstance } from '../insight/memory-ladders-together.js';
import { type Recommendation, RECOMMENDATION_CODES } from '../insight/recommendations/recommendation-types.js';

/*
 * Encodes the insight of an instance for the others: length of the JSON u32, the JSON, figures of the ladders.
 *
 * Bytes from a shared layer are untrusted. Of the JSON only the fields below are read, each if its type and length are
 * valid; everything else is ignored.
 */

/** The insight of one instance. */
export interface InsightNotes {
  readonly alerts: readonly Alert[];
  readonly recommendations: readonly Recommendation[];
  /** The ladders by pattern. */
  readonly ladders: ReadonlyMap<string, LadderFigures>;
  /** Undefined if the instance publishes none (an earlier release). */
  readonly hotKeys: readonly HotKeyFigures[] | undefined;
  /** Undefined in the same case. */
  readonly memory: MemoryOfInstance | undefined;
}

/** The maximum size of notes that are written or read, bytes. */
const MOST_BYTES = 1_048_576;
const MOST_ALERTS = 250;
const MOST_RECOMMENDATIONS = 200;
const MOST_FIGURES = 32;
const MOST_CACHES = 256;
const SHORT = 64;
const NAME = 1_024;
const TEXT = 4_096;

/** Encodes notes for {@link readInsightNotes}; undefined if they are too large. */
export function insightBytes({
  alerts,
  recommendations,
  ladders,
  hotKeys,
  memory,
}: InsightNotes): Uint8Array | undefined {
  const known = {
    alerts: alerts.slice(0, MOST_ALERTS),
    recommendations: recommendations.slice(0, MOST_RECOMMENDATIONS),
    ...(hotKeys !== undefined && { hotKeys: notedHotKeys(hotKeys) }),
    memory,
  };
  const json = Buffer.from(JSON.stringify(known));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  const bytes = Buffer.concat([length, json, figuresBytes(ladders)]);
  return bytes.length > MOST_BYTES ? undefined : bytes;
}

/** Reads the result of {@link insightBytes}; undefined for any other bytes. @param hashOf returns the hash of a key. */
export function readInsightNotes(from: Uint8Array, hashOf: (key: string) => number): InsightNotes | undefined {
  const bytes = Buffer.from(from.buffer, from.byteOffset, from.byteLength);
  if (bytes.length < 4 || bytes.length > MOST_BYTES) return undefined;
  const end = 4 + bytes.readUInt32BE(0);
  const ladders = end > bytes.length ? undefined : readFigures(bytes.subarray(end));
  const known = ladders === undefined ? undefined : parsed(bytes.toString('utf8', 4, end));
  if (ladders === undefined || !isRecord(known)) return undefined;
  return {
    ladders,
    alerts: listOf(known['alerts'], MOST_ALERTS).flatMap((one) => alertOf(one) ?? []),
    recommendations: listOf(known['recommendations'], MOST_RECOMMENDATIONS).flatMap(
      (one) => recommendationOf(one) ?? [],
    ),
    hotKeys: readHotKeys(known['hotKeys'], hashOf),
    memory: memoryOf(known['memory']),
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads an alert; undefined if it is invalid. */
function alertOf(from: unknown): Alert | undefined {
  if (!isRecord(from)) return undefined;
  const { id, code, severity, subject, message, value, expected, openedAt, closedAt, caches } = from;
  const fits =
    isText(id, SHORT) &&
    isText(code, SHORT) &&
    Object.hasOwn(CODES, code) &&
    SEVERITIES.includes(severity as Alert['severity']) &&
    isText(subject, NAME) &&
    isText(message, TEXT) &&
    isFigure(value) &&
    isFigure(expected) &&
    isMoment(openedAt) &&
    (closedAt === null || isMoment(closedAt)) &&
    (caches === undefined || (Array.isArray(caches) && caches.length <= MOST_CACHES && caches.every(isName)));
  if (!fits) return undefined;
  return Object.freeze({
    id,
    code,
    severity,
    subject,
    message,
    value,
    expected,
    openedAt,
    closedAt,
    ...(caches !== undefined && { caches }),
  } as Alert);
}

/** Reads a recommendation; undefined if it is invalid. */
function recommendationOf(from: unknown): Recommendation | undefined {
  if (!isRecord(from)) return undefined;
  const { id, code, pattern, layer, title, why, change, evidence, predicted, confidence, since } = from;
  const fits =
    isText(id, NAME + SHORT) &&
    RECOMMENDATION_CODES.includes(code as Recommendation['code']) &&
    (pattern === undefined || isText(pattern, NAME)) &&
    (layer === undefined || isText(layer, NAME)) &&
    isText(title, TEXT) &&
    isText(why, TEXT) &&
    (confidence === 'high' || confidence === 'medium') &&
    isMoment(since) &&
    isRecord(change) &&
    isRecord(predicted) &&
    isRecord(evidence);
  if (!fits) return undefined;
  const [changed, effect, figures] = [changeOf(change), effectOf(predicted), evidenceOf(evidence)];
  if (changed === undefined || effect === undefined || figures === undefined) return undefined;
  return Object.freeze({
    id,
    code,
    ...(pattern !== undefined && { pattern }),
    ...(layer !== undefined && { layer }),
    title,
    why,
    change: changed,
    evidence: figures,
    predicted: effect,
    confidence,
    since,
  } as Recommendation);
}

function changeOf({ option, from, to, code }: Fields): Recommendation['change'] | undefined {
  const isValue = (value: unknown) => isFigure(value) || typeof value === 'boolean';
  if (!isText(option, SHORT) || !isText(code, TEXT) || !isValue(from) || !isValue(to)) return undefined;
  return { option, from, to, code } as Recommendation['change'];
}

function effectOf(from: Fields): Recommendation['predicted'] | undefined {
  const { hitRate, hitRateError, staleShare, timeSavedMsPerHour, bytes, loadsPerHour } = from;
  const shares = [hitRate, hitRateError, staleShare];
  if (!shares.every((share) => share === null || Number.isFinite(share)) || !Number.isFinite(timeSavedMsPerHour))
    return undefined;
  return {
    hitRate,
    hitRateError,
    staleShare,
    timeSavedMsPerHour,
    ...(Number.isFinite(bytes) && { bytes }),
    ...(Number.isFinite(loadsPerHour) && { loadsPerHour }),
  } as Recommendation['predicted'];
}

function evidenceOf(from: Fields): Recommendation['evidence'] | undefined {
  const figures = Object.entries(from);
  if (figures.length > MOST_FIGURES) return undefined;
  const fits = figures.every(([name, value]) => /^[A-Za-z0-9]{1,64}$/.test(name) && isFigure(value));
  return fits ? (Object.fromEntries(figures) as Recommendation['evidence']) : undefined;
}

const MOST_LAYERS = 4;
const EVICTIONS: readonly unknown[] = ['worth', 'lru'] satisfies InstanceMemory['eviction'][];
/** A larger figure of memory is invalid. */
const MOST_FIGURE = 1e15;

/** Reads the memory ladders of an instance; undefined if they are invalid. */
function memoryOf(from: unknown): MemoryOfInstance | undefined {
  if (!isRecord(from) || !isRecord(from['instance']) || !Array.isArray(from['layers'])) return undefined;
  const { id, host, pid } = from['instance'];
  if (!isText(id, SHORT) || !isText(host, NAME) || !isSize(pid)) return undefined;
  const layers = (from['layers'] as unknown[]).slice(0, MOST_LAYERS).map(memoryLayerOf);
  return layers.every((one) => one !== undefined) ? { instance: { id, host, pid }, layers } : undefined;
}

function memoryLayerOf(from: unknown): InstanceMemory | undefined {
  if (!isRecord(from)) return undefined;
  const { layer, eviction, accesses, observedMs, requestsPerSecond, ladder } = from;
  const fits = isText(layer, NAME) && EVICTIONS.includes(eviction) && Array.isArray(ladder);
  if (!fits || !isSize(accesses) || !isSize(observedMs) || !isSize(requestsPerSecond)) return undefined;
  const rungs = (ladder as unknown[]).slice(0, FACTORS.length).map((one, rung) => memoryRungOf(one, FACTORS[rung]));
  if (rungs.length < FACTORS.length || !rungs.every((one) => one !== undefined)) return undefined;
  return {
    layer,
    eviction: eviction as InstanceMemory['eviction'],
    accesses,
    observedMs,
    requestsPerSecond,
    ladder: rungs,
  };
}

function memoryRungOf(from: unknown, factor: number | undefined): MemoryRung | undefined {
  if (!isRecord(from) || factor === undefined || from['factor'] !== factor) return undefined;
  const { maxEntries, maxBytes, hitRate, hitRateError, withheld } = from;
  if (!isBound(maxEntries) || !isBound(maxBytes)) return undefined;
  const size = { factor, maxEntries, maxBytes };
  if (isShare(hitRate) && isShare(hitRateError)) return { ...size, hitRate, hitRateError };
  if (hitRate !== null || !isText(withheld, NAME)) return undefined;
  return { ...size, hitRate: null, hitRateError: null, withheld };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function listOf(from: unknown, most: number): readonly unknown[] {
  return Array.isArray(from) ? from.slice(0, most) : [];
}

function isText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most;
}

function isName(value: unknown): value is string {
  return isText(value, NAME);
}

function isFigure(value: unknown): value is number | string | null {
  return value === null || Number.isFinite(value) || isText(value, NAME);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MOST_FIGURE;
}

function isBound(value: unknown): value is number | null {
  return value === null || isSize(value);
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

function isMoment(value: unknown): value is string {
  return isText(value, SHORT) && Number.isFinite(Date.parse(value));
}
