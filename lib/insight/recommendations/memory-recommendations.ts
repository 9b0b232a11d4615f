import type { LayerEvidence, MemoryRung, PatternEvidence } from '../evidence/evidence.js';
import { bytesText, figure, percent, policyCode, rateText } from './figures-in-text.js';
import { type Advice } from './recommendation-types.js';

/*
 * Rules about memory: the size of a memory layer, and the entries that fill it.
 */

/** The proposed size is the smallest one with this share of the best gain. */
const ENOUGH_OF_GAIN = 0.9;
const LEAST_GAIN = 0.01;
/** The maximum loss of hit rate with a smaller size. */
const MOST_LOSS = 0.005;
/** A layer whose size is below this share of its bound is not limited by the bound. */
const FULL = 0.9;

/** Proposes more memory if the memory ladder shows a higher hit rate for it. */
export function moreMemory(evidence: LayerEvidence): Advice | undefined {
  const { layer, stats, ladder, withheld } = evidence;
  const today = rungAt(ladder, 1);
  if (withheld !== undefined || today === undefined || stats.evictions === 0) return undefined;
  const larger = ladder.filter((rung) => rung.factor > 1 && gainOf(rung, today) > errorOf(rung, today));
  const best = Math.max(0, ...larger.map((rung) => gainOf(rung, today)));
  const chosen = larger.find((rung) => gainOf(rung, today) >= best * ENOUGH_OF_GAIN);
  if (chosen === undefined || best < LEAST_GAIN) return undefined;
  const { bound, bytes, advice } = resized(evidence, today, chosen);
  return {
    code: 'MORE_MEMORY',
    title: `Raise ${bound.option} of ${layer} from ${boundText(bound, 'from')} to ${boundText(bound, 'to')}`,
    why:
      `${figure(stats.evictions)} entries were evicted because the layer was full. With ${bound.option}: ${bound.to} the hit rate of the layer ` +
      `is ${rateText(chosen)} instead of ${rateText(today)}, for about ${bytesText(bytes)} more.`,
    ...advice,
    confidence: gainOf(chosen, today) > 2 * errorOf(chosen, today) ? 'high' : 'medium',
  };
}

/** Proposes less memory if a smaller layer would have nearly the same hit rate. */
export function lessMemory(evidence: LayerEvidence): Advice | undefined {
  const { layer, ladder, withheld } = evidence;
  const today = rungAt(ladder, 1);
  if (withheld !== undefined || today === undefined || !isFull(evidence)) return undefined;
  const smaller = ladder
    .filter((rung) => rung.factor < 1 && rung.hitRate !== null)
    .filter((rung) => -gainOf(rung, today) + errorOf(rung, today) <= MOST_LOSS)
    .sort((a, b) => a.factor - b.factor);
  const [chosen] = smaller;
  if (chosen === undefined) return undefined;
  const { bound, bytes, advice } = resized(evidence, today, chosen);
  return {
    code: 'LESS_MEMORY',
    title: `Lower ${bound.option} of ${layer} from ${boundText(bound, 'from')} to ${boundText(bound, 'to')}`,
    why:
      `With ${bound.option}: ${bound.to} the hit rate of the layer is ${rateText(chosen)} instead of ${rateText(today)}: the other ` +
      `entries are rarely requested. That frees about ${bytesText(-bytes)}.`,
    ...advice,
    confidence: 'medium',
  };
}

/** What both advices say of another size. @returns `bytes` that it takes more than today's; less than 0 if it takes fewer. */
function resized(evidence: LayerEvidence, today: MemoryRung, chosen: MemoryRung) {
  const { stats, hours, loadMs } = evidence;
  const bound = boundOf(evidence, chosen.factor);
  const bytes = (stats.totalSizeBytes ?? 0) * (chosen.factor - 1);
  const predicted = {
    hitRate: chosen.hitRate,
    hitRateError: chosen.hitRateError,
    staleShare: null,
    timeSavedMsPerHour: gainOf(chosen, today) * (stats.totalRequests / hours) * loadMs,
    bytes,
  };
  return { bound, bytes, advice: { change: bound, evidence: sizeFigures(evidence, today), predicted } };
}

const MIN_ENTRIES = 50;
const FEW_ENTRIES = 0.1;
const MOST_BYTES = 0.5;
const FEW_HITS = 0.1;

/** A few large values that take most of the bytes and get few of the hits. */
export function valueTooLarge({ pattern, declared, stats, hours, sizes }: PatternEvidence): Advice | undefined {
  if (sizes === undefined || sizes.entries < MIN_ENTRIES || sizes.largeEntries === 0) return undefined;
  const entriesShare = sizes.largeEntries / sizes.entries;
  if (entriesShare > FEW_ENTRIES || sizes.bytesShare < MOST_BYTES || sizes.hitsShare > FEW_HITS) return undefined;
  const hits = stats.cacheHits * sizes.hitsShare;
  const total = stats.totalRequests;
  return {
    code: 'VALUE_TOO_LARGE',
    title: `Do not store values of ${pattern} above ${bytesText(sizes.aboveBytes)}`,
    why:
      `${percent(entriesShare)} of the entries are larger than ${bytesText(sizes.aboveBytes)} (up to ${bytesText(sizes.largestBytes)}): ` +
      `they hold ${percent(sizes.bytesShare)} of the bytes and have ${percent(sizes.hitsShare)} of the hits. Store smaller values, or ` +
      `leave the large ones out with maxEntrySize: ${sizes.aboveBytes}.`,
    change: {
      option: 'maxEntrySize',
      from: null,
      to: sizes.aboveBytes,
      code: policyCode(pattern, declared, `maxEntrySize: ${sizes.aboveBytes}`),
    },
    evidence: { ...sizes, entriesShare },
    predicted: {
      hitRate: total === 0 ? null : (stats.cacheHits - hits) / total,
      hitRateError: total === 0 ? null : hits / total / 2,
      staleShare: null,
      timeSavedMsPerHour: -(hits / hours) * (stats.avgLoadTimeMs ?? 0),
      bytes: -sizes.largeEntries * sizes.aboveBytes,
    },
    confidence: sizes.entries >= 500 ? 'high' : 'medium',
  };
}

function rungAt(ladder: readonly MemoryRung[], factor: number): MemoryRung | undefined {
  return ladder.find((rung) => rung.factor === factor && rung.hitRate !== null);
}

function gainOf(rung: MemoryRung, today: MemoryRung): number {
  return rung.hitRate === null ? 0 : rung.hitRate - today.hitRate!;
}

function errorOf(rung: MemoryRung, today: MemoryRung): number {
  return Math.max(rung.hitRateError ?? 0, today.hitRateError ?? 0);
}

function isFull({ stats, maxEntries, maxBytes }: LayerEvidence): boolean {
  const byEntries = maxEntries !== null && (stats.entryCount ?? 0) >= maxEntries * FULL;
  return byEntries || (maxBytes !== null && (stats.totalSizeBytes ?? 0) >= maxBytes * FULL);
}

/** Returns the bound that the layer reaches first, times a factor. */
function boundOf({ stats, maxEntries, maxBytes }: LayerEvidence, factor: number): Advice['change'] {
  const fullOfBytes = maxBytes === null ? 0 : (stats.totalSizeBytes ?? 0) / maxBytes;
  const fullOfEntries = maxEntries === null ? 0 : (stats.entryCount ?? 0) / maxEntries;
  const [option, from] = fullOfBytes > fullOfEntries ? (['maxBytes', maxBytes!] as const) : (['maxEntries', maxEntries ?? 0] as const); // prettier-ignore
  const to = Math.round(from * factor);
  return { option, from, to, code: `memoryLayer({ ${option}: ${to} })` };
}

/** Writes a bound as bytes or as a count. */
function boundText({ option, ...change }: Advice['change'], which: 'from' | 'to'): string {
  const bound = change[which] as number;
  return option === 'maxBytes' ? bytesText(bound) : figure(bound);
}

function sizeFigures({ stats, maxEntries, maxBytes, accesses }: LayerEvidence, today: MemoryRung): Advice['evidence'] {
  return {
    accesses,
    evictions: stats.evictions,
    entries: stats.entryCount,
    bytes: stats.totalSizeBytes,
    maxEntries,
    maxBytes,
    hitRate: today.hitRate,
    hitRateError: today.hitRateError,
  };
}
