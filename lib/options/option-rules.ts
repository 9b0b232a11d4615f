import { milliseconds } from '../cache/duration.js';

/** Tells what is wrong with a value, in words that follow its path: `ttl: …`. Nothing told, nothing wrong. */
export type Rule = (value: unknown, path: string, tell: (fault: string) => void) => void;

/** How a value looks in a message: short, and never more of it than its kind where it could hold anything. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

const must =
  (what: string, holds: (value: unknown) => boolean): Rule =>
  (value, path, tell) => {
    if (!holds(value)) tell(`${path}: must be ${what}, not ${shown(value)}`);
  };

export const flag = must('true or false', (value) => typeof value === 'boolean');
export const callable = must('a function', (value) => typeof value === 'function');
export const text = must('a text that is not empty', (value) => typeof value === 'string' && value.trim() !== '');
export const anything: Rule = () => {};

export const textMatching = (pattern: RegExp, what: string): Rule =>
  must(what, (value) => typeof value === 'string' && pattern.test(value));

export const number = (min: number, max = Infinity): Rule =>
  must(max === Infinity ? `a number of ${min} or more` : `a number from ${min} to ${max}`, (value) =>
    inRange(value, min, max),
  );

export const integer = (min: number, max = Infinity): Rule =>
  must(
    max === Infinity ? `a whole number of ${min} or more` : `a whole number from ${min} to ${max}`,
    (value) => inRange(value, min, max) && Number.isInteger(value),
  );

export const oneOf = (...allowed: readonly unknown[]): Rule =>
  must(`one of ${allowed.map(shown).join(', ')}`, (value) => allowed.includes(value));

/** A number of milliseconds or a string such as `'5m'`. */
export const duration: Rule = (value, path, tell) => {
  try {
    milliseconds(value as string | number, path);
  } catch (error) {
    tell((error as Error).message.replace(/\.$/, ''));
  }
};

export const listOf =
  (rule: Rule): Rule =>
  (value, path, tell) => {
    if (!Array.isArray(value)) return tell(`${path}: must be an array, not ${shown(value)}`);
    value.forEach((item, index) => rule(item, `${path}[${index}]`, tell));
  };

/** The first alternative whose kind fits decides; none fitting, the last one tells. */
export const either =
  (...alternatives: readonly (readonly [fits: (value: unknown) => boolean, rule: Rule])[]): Rule =>
  (value, path, tell) => {
    const chosen = alternatives.find(([fits]) => fits(value)) ?? alternatives.at(-1)!;
    chosen[1](value, path, tell);
  };

/** `false` switches the whole thing off. */
export const orFalse = (rule: Rule): Rule => either([(value) => value === false, anything], [() => true, rule]);

/** Every value of a record whose keys are the application's own. */
export const recordOf =
  (rule: Rule): Rule =>
  (value, path, tell) => {
    if (!isRecord(value)) return tell(`${path}: must be an object, not ${shown(value)}`);
    for (const [name, item] of Object.entries(value)) rule(item, `${path}[${JSON.stringify(name)}]`, tell);
  };

/** An object with these fields and no others; a field left out or undefined takes its default. */
export const shape =
  (fields: Readonly<Record<string, Rule>>, required: readonly string[] = []): Rule =>
  (value, path, tell) => {
    if (!isRecord(value)) return tell(`${path || 'options'}: must be an object, not ${shown(value)}`);
    const at = (name: string) => (path === '' ? name : `${path}.${name}`);
    for (const [name, item] of Object.entries(value)) {
      const rule = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (rule === undefined) tell(unknownName(at(name), name, Object.keys(fields)));
      else if (item !== undefined) rule(item, at(name), tell);
    }
    for (const name of required) if (value[name] === undefined) tell(`${at(name)}: is missing`);
  };

/** `<path>: is unknown`, with the name that was probably meant, or all there are. */
export function unknownName(path: string, name: string, known: readonly string[]): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const near = nearest !== undefined && nearest.distance <= Math.max(2, Math.floor(name.length / 3));
  return `${path}: is unknown; ${near ? `did you mean ${nearest.candidate}?` : `there are ${known.join(', ')}`}`;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function inRange(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max && Number.isFinite(value);
}

/** Levenshtein's distance, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const substitution = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
