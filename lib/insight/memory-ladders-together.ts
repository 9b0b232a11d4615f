import { FACTORS, type MemoryLadder, type MemoryRung } from './memory-ladder.js';

/*
 * The memory ladders of several instances, as one.
 *
 * Each instance has a memory layer of its own, so a size means that every instance has so many times its own bounds. The hit rate of all is
 * the mean of theirs, weighted by their requests. All instances simulate a sample of the same keys, so their errors are not independent:
 * they are added up, weighted as the hit rates, and not their squares. An instance that withholds a figure counts with everything
 * between 0 and 1.
 */

/** The ladder of a memory layer, and its requests per second. */
export interface InstanceMemory extends MemoryLadder {
  readonly requestsPerSecond: number;
}

/** A running instance, as `GET /cache/instances` lists it. */
export interface InstanceName {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
}

/** An instance whose memory layer is not like those of the others. */
export interface DifferingInstance extends InstanceName {
  /** Its share of the requests, 0–1. */
  readonly share: number;
  /** Today's; null if it is withheld. */
  readonly hitRate: number | null;
  /** What differs, with the figures of both sides. */
  readonly why: string;
}

/** A size of the memory layers of several instances. */
export interface FleetMemoryRung extends MemoryRung {
  /** Requests per second that memory passes on to the next layer or to a load, in all instances. */
  readonly missesPerSecond: number | null;
}

/** How the hit rate of the memory layers of several instances depends on their bounds. */
export interface FleetMemoryLadder extends MemoryLadder {
  /** Of all instances. */
  readonly requestsPerSecond: number;
  readonly ladder: readonly FleetMemoryRung[];
  /** How many instances it covers. */
  readonly instances: number;
  /** Live instances that are left out because they note no memory ladder, as an earlier release; present if there are any. */
  readonly missing?: number;
  /** Those with other bounds, another eviction or much other hit rates than most. */
  readonly differing: readonly DifferingInstance[];
}

/** What an instance notes of its memory layers. */
export interface MemoryOfInstance {
  readonly instance: InstanceName;
  readonly layers: readonly InstanceMemory[];
}

const TODAY = FACTORS.indexOf(1);
const MOST_ERROR = 0.03;
/** Hit rates differ much if they do by this much more than their errors. */
const MUCH = 0.05;
/** Bounds that differ by less are the same: default ones follow from the size of the heap. */
const SAME_BOUND = 0.01;

interface Member {
  readonly instance: InstanceName;
  readonly memory: InstanceMemory;
  /** Of the requests, 0–1. */
  readonly share: number;
}

/** The memory ladders of several instances together, by the name of the layer. */
export function memoryTogether(all: readonly MemoryOfInstance[]): readonly FleetMemoryLadder[] {
  const byLayer = new Map<string, { readonly instance: InstanceName; readonly memory: InstanceMemory }[]>();
  for (const { instance, layers } of all) {
    for (const memory of layers) {
      const known = byLayer.get(memory.layer) ?? [];
      byLayer.set(memory.layer, [...known, { instance, memory }]);
    }
  }
  return [...byLayer.values()].map((measured) => ladderOf(withShares(measured)));
}

/** Without any requests all instances count alike. */
function withShares(measured: readonly Omit<Member, 'share'>[]): readonly Member[] {
  const total = sum(measured, ({ memory }) => memory.requestsPerSecond);
  return measured.map((one) => ({
    ...one,
    share: total === 0 ? 1 / measured.length : one.memory.requestsPerSecond / total,
  }));
}

function ladderOf(members: readonly Member[]): FleetMemoryLadder {
  const usual = usualOf(members);
  const requestsPerSecond = sum(members, ({ memory }) => memory.requestsPerSecond);
  const ladder = FACTORS.map((_, rung): FleetMemoryRung => {
    const { factor, maxEntries, maxBytes } = usual.ladder[rung]!;
    const size = { factor, maxEntries, maxBytes };
    const figure = figureOf(members, rung);
    if (typeof figure === 'string')
      return { ...size, hitRate: null, hitRateError: null, missesPerSecond: null, withheld: figure };
    return { ...size, ...figure, missesPerSecond: requestsPerSecond * (1 - figure.hitRate) };
  });
  const { withheld } = ladder[TODAY]!;
  return {
    layer: usual.layer,
    eviction: usual.eviction,
    accesses: sum(members, ({ memory }) => memory.accesses),
    observedMs: Math.max(...members.map(({ memory }) => memory.observedMs)),
    requestsPerSecond,
    ...(withheld !== undefined && { withheld }),
    ladder,
    instances: members.length,
    differing: members.flatMap((member) => {
      const why = differenceOf(member, members, usual);
      if (why === undefined) return [];
      const { instance, memory, share } = member;
      return [{ ...instance, share, hitRate: memory.ladder[TODAY]!.hitRate, why }];
    }),
  };
}

interface Figure {
  readonly hitRate: number;
  readonly hitRateError: number;
}

/** The figure of a size, or the reason for none. */
function figureOf(members: readonly Member[], rung: number): Figure | string {
  const known = members.flatMap(({ share, memory }) => {
    const { hitRate, hitRateError } = memory.ladder[rung]!;
    return hitRate === null ? [] : [{ share, hitRate, error: hitRateError! }];
  });
  const [first] = members;
  if (known.length === 0) return first!.memory.ladder[rung]!.withheld!;
  const knownShare = Math.min(
    1,
    sum(known, ({ share }) => share),
  );
  const mean = (of: (one: (typeof known)[number]) => number) =>
    knownShare === 0 ? sum(known, of) / known.length : sum(known, (one) => (one.share / knownShare) * of(one));
  const hitRate = mean((one) => one.hitRate);
  const unknown = members.length === known.length ? 0 : 1 - knownShare;
  const hitRateError = (1 - unknown) * mean(({ error }) => error) + unknown * Math.max(hitRate, 1 - hitRate);
  if (hitRateError <= MOST_ERROR) return { hitRate, hitRateError };
  return unknown === 0
    ? `error: the hit rate is known to ${points(hitRateError)} points only`
    : `instances: ${members.length - known.length} of ${members.length}, with ${percent(unknown)} of the requests, withhold it`;
}

/** The memory of the instances that have most of the requests, and the same bounds and eviction. */
function usualOf(members: readonly Member[]): InstanceMemory {
  let usual = members[0]!.memory;
  let most = -1;
  for (const { memory } of members) {
    const share = sum(members, (other) => (isAlike(other.memory, memory) ? other.share : 0));
    if (share > most) [usual, most] = [memory, share];
  }
  return usual;
}

function isAlike(one: InstanceMemory, other: InstanceMemory): boolean {
  return one.eviction === other.eviction && boundsDifference(one, other) === undefined;
}

function boundsDifference(one: InstanceMemory, usual: InstanceMemory): string | undefined {
  const [own, most] = [one.ladder[TODAY]!, usual.ladder[TODAY]!];
  for (const bound of ['maxEntries', 'maxBytes'] as const) {
    const [a, b] = [own[bound] ?? Infinity, most[bound] ?? Infinity];
    if (a !== b && !(Math.abs(a - b) <= b * SAME_BOUND)) return `${bound}: ${shown(a)}, of most ${shown(b)}`;
  }
  return undefined;
}

/** What differs between an instance and the others. */
function differenceOf(member: Member, members: readonly Member[], usual: InstanceMemory): string | undefined {
  const { memory } = member;
  if (memory.eviction !== usual.eviction) return `eviction: ${memory.eviction}, of most ${usual.eviction}`;
  return boundsDifference(memory, usual) ?? hitRateDifference(member, members);
}

/** Today's hit rate, or else that of the size at which it differs most. */
function hitRateDifference({ memory }: Member, members: readonly Member[]): string | undefined {
  const differences = FACTORS.map((_, rung) => differenceAt(rung, memory.ladder[rung]!, medianOf(members, rung)));
  const furthest = differences.reduce((one, other) => (other.excess > one.excess ? other : one));
  const chosen = differences[TODAY]!.excess > 0 ? differences[TODAY]! : furthest;
  return chosen.excess > 0 ? chosen.why : undefined;
}

/** By how much two hit rates differ more than much. */
function differenceAt(rung: number, own: MemoryRung, most: Figure | undefined): { excess: number; why: string } {
  if (own.hitRate === null || most === undefined) return { excess: 0, why: '' };
  const excess = Math.abs(own.hitRate - most.hitRate) - own.hitRateError! - most.hitRateError - MUCH;
  const where = rung === TODAY ? 'today' : `with ${FACTORS[rung]} times the memory`;
  return { excess, why: `hit rate ${where}: ${percent(own.hitRate)}, of most ${percent(most.hitRate)}` };
}

/** The figure of the instance in the middle, by requests: a mean would be drawn towards the one that differs. */
function medianOf(members: readonly Member[], rung: number): Figure | undefined {
  const known = members.flatMap(({ share, memory }) => {
    const { hitRate, hitRateError } = memory.ladder[rung]!;
    return hitRate === null ? [] : [{ share, hitRate, hitRateError: hitRateError! }];
  });
  known.sort((one, other) => one.hitRate - other.hitRate);
  let left = sum(known, ({ share }) => share) / 2;
  return known.find(({ share }) => (left -= share) <= 0);
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}

function points(share: number): string {
  return (share * 100).toFixed(1);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function shown(bound: number): string {
  return bound === Infinity ? 'none' : String(bound);
}
