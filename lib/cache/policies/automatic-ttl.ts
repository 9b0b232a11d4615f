import { type Duration, milliseconds } from '../base/duration.js';
import {
  duration,
  isRecord,
  lengthOf,
  number,
  type Report,
  type Rule,
  shape,
  someTime,
} from '../options/option-rules.js';
import { DEFAULT_TTL } from './default-ttl.js';

/** A TTL that the cache computes from its observations. */
export interface AutomaticTtl {
  readonly auto: {
    /** The shortest TTL. */
    readonly min: Duration;
    /** The longest TTL. */
    readonly max: Duration;
    /** The largest share of hits that may return an outdated value, 0–1. @default 0.01 */
    readonly maxStaleShare?: number;
    /** The TTL before there are enough observations. @default '5m', or the nearest bound */
    readonly start?: Duration;
  };
}

/** An automatic TTL with every field set, in milliseconds. */
export interface AutomaticTtlBounds {
  readonly startMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly maxStaleShare: number;
}

const DEFAULT_START_MS = milliseconds(DEFAULT_TTL, 'ttl');
const DEFAULT_STALE_SHARE = 0.01;

export function isAutomatic(ttl: unknown): ttl is AutomaticTtl {
  return isRecord(ttl) && 'auto' in ttl;
}

/** Reads an automatic TTL; undefined for a TTL that is fixed or that a function computes. */
export function automaticTtl(ttl: unknown): AutomaticTtlBounds | undefined {
  if (!isAutomatic(ttl)) return undefined;
  const { min, max, maxStaleShare = DEFAULT_STALE_SHARE, start } = ttl.auto;
  const [minMs, maxMs] = [milliseconds(min, 'ttl.auto.min'), milliseconds(max, 'ttl.auto.max')];
  const startMs = start === undefined ? DEFAULT_START_MS : milliseconds(start, 'ttl.auto.start');
  return { startMs: Math.min(maxMs, Math.max(minMs, startMs)), minMs, maxMs, maxStaleShare };
}

const fields = shape({ min: someTime, max: someTime, maxStaleShare: number(0, 1), start: duration }, ['min', 'max']);

const automatic: Rule = (value, path, report) => {
  shape({ auto: orderedBounds }, ['auto'])(value, path, report);
};

function orderedBounds(value: unknown, path: string, report: Report): void {
  fields(value, path, report);
  const { min, max } = isRecord(value) ? value : {};
  const [shortest, longest] = [lengthOf(min), lengthOf(max)];
  if (shortest !== undefined && longest !== undefined && shortest > longest) {
    report(`${path}.min: must not be longer than ${path}.max`);
  }
}

/** Allows an automatic TTL, or a value of another rule. */
export const orAutomatic =
  (rule: Rule): Rule =>
  (value, path, report) =>
    isAutomatic(value) ? automatic(value, path, report) : rule(value, path, report);
