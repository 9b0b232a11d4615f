/** Writes numbers for readers, each with its unit; “–” if there is no value. */

export const NONE = '–';
/** The space between a number and its unit, which keeps both on one line. */
const GAP = ' ';

const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

type Maybe = number | null | undefined;

const missing = (value: Maybe): value is null | undefined => value === null || value === undefined || !isFinite(value);

/** 0.583 → 58.3 % */
export function percent(share: Maybe): string {
  if (missing(share)) return NONE;
  const digits = share > 0 && share < 0.001 ? '< 0.1' : (share * 100).toFixed(share === 0 || share === 1 ? 0 : 1);
  return `${digits}${GAP}%`;
}

/** 12345 → 12.3 k */
export function count(value: Maybe): string {
  if (missing(value)) return NONE;
  if (Math.abs(value) < 1_000) return number.format(value);
  if (Math.abs(value) < 1e6) return `${number.format(value / 1_000)}${GAP}k`;
  return Math.abs(value) < 1e9 ? `${number.format(value / 1e6)}${GAP}M` : `${number.format(value / 1e9)}${GAP}G`;
}

/** Writes every digit, for tables and tooltips. */
export function exact(value: Maybe): string {
  return missing(value) ? NONE : whole.format(value);
}

/** Writes milliseconds as µs, ms, s, min, h or d. */
export function duration(ms: Maybe): string {
  if (missing(ms)) return NONE;
  const [value, unit] = inUnit(ms);
  return `${number.format(value)}${GAP}${unit}`;
}

function inUnit(ms: number): [number, string] {
  if (ms === 0) return [0, 'ms'];
  if (ms < 1) return [ms * 1000, 'µs'];
  if (ms < 1_000) return [ms, 'ms'];
  if (ms < 90_000) return [ms / 1_000, 's'];
  if (ms < 5_400_000) return [ms / 60_000, 'min'];
  return ms < 172_800_000 ? [ms / 3_600_000, 'h'] : [ms / 86_400_000, 'd'];
}

export function bytes(value: Maybe): string {
  if (missing(value)) return NONE;
  if (value < 0) return `−${bytes(-value)}`;
  if (value < 1024) return `${whole.format(value)}${GAP}B`;
  if (value < 1024 ** 2) return `${number.format(value / 1024)}${GAP}KB`;
  return value < 1024 ** 3
    ? `${number.format(value / 1024 ** 2)}${GAP}MB`
    : `${number.format(value / 1024 ** 3)}${GAP}GB`;
}

export function perSecond(value: Maybe): string {
  return missing(value) ? NONE : `${count(value)}/s`;
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** Writes a time: the time of day within half a day of now, otherwise date and time. */
export function moment(at: string | number): string {
  const date = new Date(at);
  if (isNaN(date.getTime())) return NONE;
  return Math.abs(Date.now() - date.getTime()) < 43_200_000 ? clock.format(date) : day.format(date);
}

/** Makes a name visible: puts a blank name in quotes and replaces control characters by symbols. */
export function visible(name: string): string {
  const shown = name.replace(/\p{Cc}/gu, (control) => {
    const code = control.charCodeAt(0);
    return String.fromCharCode(code < 0x20 ? 0x2400 + code : 0x2421);
  });
  return shown.trim() === '' ? `“${shown}”` : shown;
}

/** Writes a value of an option or of evidence as text. */
export function plain(value: unknown): string {
  if (value === null || value === undefined) return NONE;
  if (typeof value === 'number') return Number.isInteger(value) ? whole.format(value) : number.format(value);
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map((field) => labelled(...field).join(' '))
    .join(', ');
}

/** `time_saved_ms_per_hour` → a label and a value with its unit. */
export function labelled(name: string, value: unknown): [string, string] {
  const label = name === 'bytes' ? 'memory' : name.replace(/_ms\b|_ms(?=_)/, '').replaceAll('_', ' ');
  if (typeof value !== 'number') return [label, plain(value)];
  if (/_ms(_|$)/.test(name)) return [label, duration(value)];
  if (/(rate|share|error)$/.test(name) && value <= 1) return [label, percent(value)];
  return [label, /bytes|size/.test(name) ? bytes(value) : count(value)];
}
