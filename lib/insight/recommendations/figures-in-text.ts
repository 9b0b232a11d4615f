import ms from 'ms';

/* How recommendations write figures and code. Each rule in the `*-recommendations.ts` files writes its own title and reason. */

/** The code of a policy change of one pattern: on its decorator, or on the call that stores it. */
export function policyCode(pattern: string, declared: string | undefined, option: string): string {
  if (declared !== undefined) return `@Cached('${declared.replaceAll("'", "\\'")}', { ${option} })`;
  return `cache.getOrSet(key, load, { ${option} }) // keys ${pattern}`;
}

/** `5m`, `1h`, `1500ms`: what the options take, exact. */
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

/** For sentences: `about 2h`. */
export function spoken(milliseconds: number): string {
  return milliseconds >= 1_000 ? ms(Math.round(milliseconds / 1_000) * 1_000) : `${figure(milliseconds)} ms`;
}

/** `83 %`, `0.4 %`. */
export function percent(share: number): string {
  const of100 = share * 100;
  return `${of100 > 0 && of100 < 1 ? of100.toFixed(1) : Math.round(of100)} %`;
}

/** `83 % ± 1.2`: the hit rate of a rung with its error. */
export function rateText({
  hitRate,
  hitRateError,
}: Readonly<Record<'hitRate' | 'hitRateError', number | null>>): string {
  return `${percent(hitRate ?? 0)} ± ${((hitRateError ?? 0) * 100).toFixed(1)}`;
}

/** At most three decimals, none from ten on; with thousands separators. */
export function figure(value: number): string {
  if (value >= 10) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(2)));
}

/** `3.4 MB`, `12 kB`. */
export function bytesText(bytes: number): string {
  const [size, unit] = bytes >= 1_048_576 ? [bytes / 1_048_576, 'MB'] : [bytes / 1_024, 'kB'];
  return `${size >= 10 ? Math.round(size) : Number(size.toPrecision(2))} ${unit}`;
}
