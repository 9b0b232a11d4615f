import { CacheError } from '../../cache/base/errors.js';

/** The windows of statistics. `all` begins at the start or at the last reset. */
export const WINDOWS = ['1m', '5m', '1h', '24h', 'all'] as const;
export type Window = (typeof WINDOWS)[number];

/** How closed slots are stored: their length, their number, and how many slots of the level below make one. */
export interface Level {
  readonly slotMs: number;
  readonly slots: number;
  readonly merges: number;
}

/** Each level covers at least one slot of the next. */
export const LEVELS: readonly Level[] = [
  { slotMs: 10_000, slots: 6, merges: 1 },
  { slotMs: 60_000, slots: 5, merges: 6 },
  { slotMs: 300_000, slots: 12, merges: 5 },
  { slotMs: 3_600_000, slots: 24, merges: 12 },
];

/** Length of the open slot, milliseconds. */
export const SLOT_MS = LEVELS[0]!.slotMs;

const SPANS: Readonly<Record<Exclude<Window, 'all'>, { readonly spanMs: number; readonly level: number }>> = {
  '1m': { spanMs: 60_000, level: 0 },
  '5m': { spanMs: 300_000, level: 1 },
  '1h': { spanMs: 3_600_000, level: 2 },
  '24h': { spanMs: 86_400_000, level: 3 },
};

/** Returns the level whose slots a window uses. */
export function levelOf(window: Exclude<Window, 'all'>): number {
  return SPANS[window].level;
}

/**
 * Returns the beginning of a window at `now`: its first whole slot. The window is never longer than its name, and up to one slot (10 s for
 * `1m`, 1 min for `5m`, 5 min for `1h`, 1 h for `24h`) shorter.
 */
export function windowStart(window: Exclude<Window, 'all'>, now: number): number {
  const { spanMs, level } = SPANS[window];
  const { slotMs } = LEVELS[level]!;
  return Math.ceil((now - spanMs) / slotMs) * slotMs;
}

/**
 * Returns a window by its name, or `all` without a name.
 * @throws CacheError `UNKNOWN_WINDOW`, which lists the windows.
 */
export function windowNamed(name: string | undefined): Window {
  if (name === undefined) return 'all';
  const window = WINDOWS.find((known) => known === name);
  if (window === undefined) {
    throw new CacheError(
      'UNKNOWN_WINDOW',
      `The window ${JSON.stringify(name)} is unknown. Use one of ${WINDOWS.join(', ')}.`,
    );
  }
  return window;
}
