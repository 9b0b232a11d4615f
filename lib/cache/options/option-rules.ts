import { nearest, unknownNames } from './unknown-option.js';
import { type Bytes, bytesIn } from '../base/bytes.js';
import { milliseconds } from '../base/duration.js';
import { CacheError, type CacheErrorCode } from '../base/errors.js';
import { shown } from '../base/shown.js';

/** One fault of the options: where it is, what was given, and what is allowed. */
export interface OptionFault {
  readonly code: CacheErrorCode;
  readonly text: string;
}

/** Reports a fault. The text begins with the path of the option: `ttl: …`. */
export type Report = (text: string, code?: CacheErrorCode) => void;

/** Checks a value and reports its faults. A value without a report is accepted. */
export type Rule = (value: unknown, path: string, report: Report) => void;

/** Returns the faults that a rule finds in a value. */
export function faultsIn(rule: Rule, value: unknown, path = ''): OptionFault[] {
  const faults: OptionFault[] = [];
  readAndCheck(
    rule,
    () => value,
    path,
    (text, code = 'INVALID_OPTIONS') => void faults.push({ code, text }),
  );
  return faults;
}

/** Returns one error for all faults, with the code of the first. @param where the owner of the options. */
export function faultsError(where: string, faults: readonly OptionFault[]): CacheError {
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  const lines = faults.map(({ text }) => `  - ${text}`).join('\n');
  return new CacheError(faults[0]?.code ?? 'INVALID_OPTIONS', `${where}: ${count} in the options:\n${lines}`);
}

/** Reads a value and applies its rule. An error thrown by a getter or Proxy of the application is reported as a fault. */
function readAndCheck(rule: Rule, read: () => unknown, path: string, report: Report): void {
  try {
    rule(read(), path, report);
  } catch {
    report(`${path || 'options'}: threw an error while it was read`);
  }
}

/** Accepts undefined or a missing field, which takes its default. */
const orDefault =
  (rule: Rule): Rule =>
  (value, path, report) => {
    if (value !== undefined) rule(value, path, report);
  };

const must =
  (what: string, holds: (value: unknown) => boolean, show = shown): Rule =>
  (value, path, report) => {
    if (!holds(value)) report(`${path}: must be ${what}, not ${show(value)}`);
  };

export const flag = must('true or false', (value) => typeof value === 'boolean');
export const callable = must('a function', (value) => typeof value === 'function');
export const text = must('non-empty text', (value) => typeof value === 'string' && value.trim() !== '');
/** A text that messages must not show. */
export const secret = must(
  'a text',
  (value) => typeof value === 'string',
  (value) => (value === null ? 'null' : `a ${typeof value}`),
);
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

export const oneOf =
  (...allowed: readonly unknown[]): Rule =>
  (value, path, report) => {
    if (allowed.includes(value)) return;
    const names = allowed.filter((one): one is string => typeof one === 'string');
    const meant = typeof value === 'string' && value.length > 3 ? nearest(value, names) : undefined;
    const hint = meant === undefined ? '' : `; did you mean ${shown(meant)}?`;
    report(`${path}: must be one of ${allowed.map(shown).join(', ')}, not ${shown(value)}${hint}`);
  };

/** A number of milliseconds or a string such as `'5m'`. */
export const duration: Rule = (value, path, report) => {
  try {
    milliseconds(value as string | number, path);
  } catch (error) {
    const { message, code } = error as CacheError;
    report(message.replace(/\.$/, ''), code);
  }
};

/** A number of bytes or a text such as `'64mb'`. */
export const bytes: Rule = (value, path, report) => {
  try {
    bytesIn(value as Bytes, path);
  } catch (error) {
    report((error as CacheError).message);
  }
};

/** A duration that is not zero. */
export const someTime: Rule = (value, path, report) => {
  duration(value, path, report);
  if (lengthOf(value) === 0) report(`${path}: must be longer than 0`);
};

export const listOf =
  (rule: Rule): Rule =>
  (value, path, report) => {
    if (!Array.isArray(value)) return report(`${path}: must be an array, not ${shown(value)}`);
    // Iterate by index, because holes are faults, too.
    for (let index = 0; index < value.length; index++) {
      readAndCheck(rule, () => (value as unknown[])[index], `${path}[${index}]`, report);
    }
  };

/** Applies the first alternative that fits the value, or the last one if none fits. */
export const either =
  (...alternatives: readonly (readonly [fits: (value: unknown) => boolean, rule: Rule])[]): Rule =>
  (value, path, report) => {
    const chosen = alternatives.find(([fits]) => fits(value)) ?? alternatives.at(-1)!;
    chosen[1](value, path, report);
  };

/** Allows `false`, which switches the feature off. */
export const orFalse = (rule: Rule): Rule =>
  either([(value) => value === false, anything], [() => true, alsoAllowing('false', rule)]);

/** Allows a boolean, or a value of another rule, which implies `true`. */
export const flagOr = (rule: Rule): Rule =>
  either([(value) => typeof value === 'boolean', anything], [() => true, alsoAllowing('true, false', rule)]);

/** Adds the other allowed values to the message of a rule that requires an object. */
const alsoAllowing =
  (others: string, rule: Rule): Rule =>
  (value, path, report) =>
    rule(value, path, (text, code) => {
      report(text === noObject(path, value) ? noObject(path, value, `${others} or `) : text, code);
    });

/** Allows a function, or a value of the rule. */
export const functionOr = (rule: Rule): Rule =>
  either([(value) => typeof value === 'function', anything], [() => true, rule]);

/** Applies the rule to every value of a record with any keys. */
export const recordOf =
  (rule: Rule): Rule =>
  (value, path, report) => {
    if (!isRecord(value)) return report(noObject(path, value));
    for (const name of Object.keys(value))
      readAndCheck(rule, () => value[name], `${path}[${JSON.stringify(name)}]`, report);
  };

/** Requires an object with only these fields. A field that is missing or undefined takes its default. */
export const shape =
  (fields: Readonly<Record<string, Rule>>, required: readonly string[] = []): Rule =>
  (value, path, report) => {
    if (!isRecord(value)) return report(noObject(path || 'options', value));
    const at = (name: string) => (path === '' ? name : `${path}.${name}`);
    const names: string[] = [];
    for (const name in value) names.push(name);
    const unknown = names.filter((name) => !Object.hasOwn(fields, name));
    const texts = unknownNames(unknown, Object.keys(fields));
    for (const name of names) {
      const rule = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (rule === undefined) report(at(name) + texts.get(name)!);
      else readAndCheck(orDefault(rule), () => value[name], at(name), report);
    }
    for (const name of required) if (!isGiven(value, name)) report(`${at(name)}: is missing`);
  };

function noObject(path: string, value: unknown, others = ''): string {
  return `${path}: must be ${others}an object, not ${shown(value)}`;
}

/** Returns the milliseconds of a value if it is a duration, otherwise undefined. */
export function lengthOf(value: unknown): number | undefined {
  try {
    return milliseconds(value as number | string);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns true if the field is given. If its getter throws, the check of the value reports the error. */
function isGiven(value: Record<string, unknown>, name: string): boolean {
  try {
    return value[name] !== undefined;
  } catch {
    return true;
  }
}

function inRange(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max && Number.isFinite(value);
}
