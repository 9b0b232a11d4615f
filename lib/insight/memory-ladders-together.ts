import { FACTORS, type MemoryLadder, type MemoryRung } from './memory-ladder.js';

/*
 * Merges the memory ladders of several instances.
 *
 * Each instance has its own memory layer, so a size is a multiple of the bounds in every instance. The common hit rate is
 * the mean of all, weighted by requests. All instances simulate a sample of the same keys, so their errors are not independent:
 * errors are added with the same weights, not their squares. If an instance withholds a figure, any value from 0 to 1 is possible for it.
 */

/** The ladder of a memory layer, and its requests per second. */
export interface InstanceMemory extends MemoryLadder {
  readonly requestsPerSecond: number;
}

/** A live instance, as `GET /cache/instances` lists it. */
export interface InstanceName {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
}

/** An instance whose memory layer differs from those of the others. */
export interface DifferingInstance extends InstanceName {
  /** Its share of the requests, 0–1. */
  readonly share: number;
  /** Today's hit rate; null if it is withheld. */
  readonly hitRate: number | null;
  /** What differs, with the figures of the instance and of the others. */
  readonly why: string;
}

/** A size of the memory layers of several instances. */
export interface FleetMemoryRung extends MemoryRung {
  /** Requests per second in all instances that memory does not answer. */
  readonly missesPerSecond: number | null;
}

/** How the hit rate of the memory layers of several instances depends on their bounds. */
export interface FleetMemoryLadder extends MemoryLadder {
  /** The requests per second of all instances. */
  readonly requestsPerSecond: number;
  readonly ladder: readonly FleetMemoryRung[];
  /** The number of instances that the ladder covers. */
  readonly instances: number;
  /** The number of live instances that are left out because they publish no memory ladder (an earlier release); absent if 0. */
  readonly missing?: number;
  /** Instances whose bounds, eviction or hit rates differ clearly from those of most others. */
  readonly differing: readonly DifferingInstance[];
}

/** The memory ladders that one instance publishes. */
export interface MemoryOfInstance {
  readonly instance: InstanceName;
  readonly layers: readonly InstanceMemory[];
}

const TODAY = FACTORS.indexOf(1);
const MOST_ERROR = 0.03;
/** Hit rates differ clearly if their difference exceeds their errors by this. */
const MUCH = 0.05;
/** Bounds are equal if they differ by less than this share: default bounds follow from the size of the heap. */
const SAME_BOUND = 0.01;

interface Member {
  readonly instance: InstanceName;
  readonly memory: InstanceMemory;
  /** The share of the requests, 0–1. */
  readonly share: number;
}

/** Merges the memory ladders of several instances, by the name of the layer. */
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

/** Adds shares of the requests. Without requests, all instances have the same share. */
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

/** Returns the figure of a size, or the reason why there is none. */
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
    ? `error: the hit rate is only known to ${points(hitRateError)} points`
    : `instances: ${members.length - known.length} of ${members.length}, with ${percent(unknown)} of the requests, withhold it`;
}

/** Returns the memory with the bounds and eviction that get most of the requests. */
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
    if (a !== b && !(Math.abs(a - b) <= b * SAME_BOUND)) return `${bound}: ${shown(a)}; most others: ${shown(b)}`;
  }
  return undefined;
}

/** Returns what differs between an instance and the others; undefined if nothing does. */
function differenceOf(member: Member, members: readonly Member[], usual: InstanceMemory): string | undefined {
  const { memory } = member;
  if (memory.eviction !== usual.eviction) return `eviction: ${memory.eviction}; most others: ${usual.eviction}`;
  return boundsDifference(memory, usual) ?? hitRateDifference(member, members);
}

/** Compares the hit rates at the size at which they differ most, or at today's. */
function hitRateDifference({ memory }: Member, members: readonly Member[]): string | undefined {
  const differences = FACTORS.map((_, rung) => differenceAt(rung, memory.ladder[rung]!, medianOf(members, rung)));
  const furthest = differences.reduce((one, other) => (other.excess > one.excess ? other : one));
  const chosen = differences[TODAY]!.excess > 0 ? differences[TODAY]! : furthest;
  return chosen.excess > 0 ? chosen.why : undefined;
}

/** Returns by how much the difference of two hit rates exceeds the limit. */
function differenceAt(rung: number, own: MemoryRung, most: Figure | undefined): { excess: number; why: string } {
  if (own.hitRate === null || most === undefined) return { excess: 0, why: '' };
  const excess = Math.abs(own.hitRate - most.hitRate) - own.hitRateError! - most.hitRateError - MUCH;
  const where = rung === TODAY ? 'today' : `with ${FACTORS[rung]} times the memory`;
  return { excess, why: `hit rate ${where}: ${percent(own.hitRate)}; most others: ${percent(most.hitRate)}` };
}

/** Returns the figure of the median instance by requests: a mean would move towards the instance that differs. */
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
