import ms from 'ms';

/* How recommendations write figures and code. Each rule in the `*-recommendations.ts` files writes its own title and reason. */

/** Returns the code that changes the policy of one pattern: its decorator, or the call that stores its values. */
export function policyCode(pattern: string, declared: string | undefined, option: string): string {
  if (declared !== undefined) return `@Cached('${declared.replaceAll("'", "\\'")}', { ${option} })`;
  return `cache.getOrSet(key, load, { ${option} }) // keys ${pattern}`;
}

/** Writes an exact duration as options accept it: `5m`, `1h`, `1500ms`. */
export function duration(milliseconds: number): string {
  if (milliseconds === Infinity) return '0';
  const whole = Math.round(milliseconds);
  for (const [unit, size] of UNITS) if (whole >= size && whole % size === 0) return `${whole / size}${unit}`;
  return `${whole}ms`;
}

const UNITS: readonly (readonly [unit: string, milliseconds: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
];

/** Writes a duration for a sentence, rounded to seconds. */
export function spoken(milliseconds: number): string {
  return milliseconds >= 1_000 ? ms(Math.round(milliseconds / 1_000) * 1_000) : `${figure(milliseconds)} ms`;
}

/** `83 %`, `0.4 %`. */
export function percent(share: number): string {
  const of100 = share * 100;
  return `${of100 > 0 && of100 < 1 ? of100.toFixed(1) : Math.round(of100)} %`;
}

/** Writes the hit rate of a rung with its error: `83 % ± 1.2`. */
export function rateText({
  hitRate,
  hitRateError,
}: Readonly<Record<'hitRate' | 'hitRateError', number | null>>): string {
  return `${percent(hitRate ?? 0)} ± ${((hitRateError ?? 0) * 100).toFixed(1)}`;
}

/** Writes a figure with two significant digits, or from 10 on as a whole number with thousands separators. */
export function figure(value: number): string {
  if (value >= 10) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(2)));
}

/** `3.4 MB`, `12 kB`. */
export function bytesText(bytes: number): string {
  const [size, unit] = bytes >= 1_048_576 ? [bytes / 1_048_576, 'MB'] : [bytes / 1_024, 'kB'];
  return `${size >= 10 ? Math.round(size) : Number(size.toPrecision(2))} ${unit}`;
}
