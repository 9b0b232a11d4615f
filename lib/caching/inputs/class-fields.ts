import { nearest } from '../../cache/options/unknown-option.js';
import { validatedFields } from './dto-metadata.js';
import type { ClassRef } from './route-arguments.js';

const BUILT_IN: ReadonlySet<unknown> = new Set([
  String, Number, Boolean, BigInt, Symbol, Array, Date, Map, Set, RegExp, Buffer,
]); // prettier-ignore

/**
 * Returns why a value of a declared type cannot have a property, as the end of a sentence; undefined if it may have it. All
 * properties of built-in types are known. For other classes, the compiler's output may not list the fields. So only two kinds
 * of names are reported: a name that resembles a validated field, and a name that does not occur in the source of a class whose
 * output lists its fields.
 * @param path the names of nested properties, the outermost first. @param what the value, for the message.
 * @param surely true if the path is marked as optional: then only names that cannot exist are reported.
 */
export function unknownField(
  type: unknown,
  [field, ...rest]: readonly string[],
  what: string,
  surely: boolean,
): string | undefined {
  if (field === undefined || typeof type !== 'function') return undefined;
  const cls = type as unknown as ClassRef;
  if (typeof cls.prototype !== 'object' || cls.prototype === null) return undefined;
  const declared: unknown = Reflect.getMetadata('design:type', cls.prototype, field);
  if (declared !== undefined) return unknownField(declared, rest, `${what} (${field})`, surely);
  if (field in cls.prototype) return undefined;
  if (BUILT_IN.has(type)) {
    if (/^\d+$/.test(field)) return undefined;
    return `but ${what} is declared as ${cls.name}, which has no field '${field}'. Name a field that it has.`;
  }
  if (surely) return undefined;
  const validated = validatedFields(cls);
  const meant = nearlyOneOf(field, validated);
  const none = `but ${what} (${cls.name}) has no field '${field}'.`;
  if (meant !== undefined) return `${none} Did you mean '${meant}'?`;
  const fields = listedFields(type);
  if (fields === undefined || validated.includes(field) || mentions(type, field)) return undefined;
  const resembling = nearest(field, fields);
  if (resembling !== undefined) return `${none} Did you mean '${resembling}'?`;
  return `${none} Known are ${fields.map((name) => `'${name}'`).join(', ')}. End the placeholder with '?' if it may have others.`;
}

/** Returns a known name that differs by a letter from the given one. */
export function nearlyOneOf(name: string, known: readonly string[]): string | undefined {
  return known.includes(name) ? undefined : known.find((each) => isOneLetterAway(name, each));
}

/** True if the texts differ by one letter that is added, left out, replaced or swapped with its neighbour. */
function isOneLetterAway(one: string, other: string): boolean {
  if (one === other || Math.abs(one.length - other.length) > 1) return false;
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  const [restOfOne, restOfOther] = [one.slice(at), other.slice(at)];
  return (
    restOfOne.slice(1) === restOfOther ||
    restOfOne === restOfOther.slice(1) ||
    restOfOne.slice(1) === restOfOther.slice(1) ||
    (restOfOne[0] === restOfOther[1] && restOfOne[1] === restOfOther[0] && restOfOne.slice(2) === restOfOther.slice(2))
  );
}

const COMMENTS = /\/\*[^]*?\*\/|\/\/[^\n]*/g;
/** Matches a field at the beginning of a class body: `id;`, `tags = [];`. */
const FIELD = /^\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*(?:=[^;]*)?;/u;

/**
 * Returns the fields at the beginning of the sources of a class and its base classes. Undefined if one source does not begin
 * with a field, because the compiler may have left all fields out.
 */
function listedFields(cls: object): string[] | undefined {
  const fields: string[] = [];
  for (const source of sourcesOf(cls)) {
    const before = fields.length;
    let body = source.slice(source.indexOf('{') + 1);
    for (let field = FIELD.exec(body); field !== null; field = FIELD.exec(body)) {
      fields.push(field[1]!);
      body = body.slice(field[0].length);
    }
    if (fields.length === before) return undefined;
  }
  return [...new Set(fields)];
}

function mentions(cls: object, field: string): boolean {
  return sourcesOf(cls).some((source) => source.split(/[^\p{ID_Continue}$]+/u).includes(field));
}

/** Returns the sources of a class and its base classes, without comments. */
function sourcesOf(cls: object): string[] {
  const sources: string[] = [];
  for (
    let level: unknown = cls;
    typeof level === 'function' && level !== Function.prototype;
    level = Object.getPrototypeOf(level) as unknown
  )
    sources.push(Function.prototype.toString.call(level).replace(COMMENTS, ''));
  return sources;
}
