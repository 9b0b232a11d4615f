import { CacheError } from '../../cache/base/errors.js';
import { withoutMark } from '../inputs/input-path.js';
import { isPlain } from './escape.js';

/** A pattern of `@Cached`: a prefix before `*`, or a whole key in which `{…}` names inputs. */
export type KeyPattern =
  | { readonly kind: 'prefix'; readonly prefix: string; readonly statistics: string }
  | { readonly kind: 'template'; readonly template: KeyTemplate; readonly statistics: string };

/** Literals with placeholders between them. `literals` has one item more than `paths`. */
export interface KeyTemplate {
  readonly text: string;
  readonly literals: readonly string[];
  readonly paths: readonly string[];
  /** One item for each path: true for `{path?}`, where undefined is a valid value. */
  readonly optional: readonly boolean[];
  /** One item for each path: the first character of the next literal, which values escape; empty at the end. */
  readonly stops: readonly string[];
}

/**
 * Reads a pattern.
 * @throws CacheError `INVALID_TEMPLATE`
 */
export function keyPattern(pattern: unknown): KeyPattern {
  if (typeof pattern !== 'string' || pattern === '') {
    throw invalid(String(pattern), "is not a pattern; write 'feed:*' or a template such as 'product:{params.id}'");
  }
  checkWellFormed(pattern);
  const star = pattern.indexOf('*');
  if (star === -1) {
    const template = keyTemplate(pattern);
    return { kind: 'template', template, statistics: template.literals.join('*') };
  }
  if (star !== pattern.length - 1) throw invalid(pattern, "has text after '*', which is the rest of the key");
  const prefix = pattern.slice(0, -1);
  if (/[{}]/.test(prefix)) throw invalid(pattern, "has both '*' and '{…}'; name all inputs in a template, or none");
  return { kind: 'prefix', prefix, statistics: pattern };
}

/**
 * Reads a template.
 * @throws CacheError `INVALID_TEMPLATE`
 */
export function keyTemplate(text: string): KeyTemplate {
  checkWellFormed(text);
  const literals: string[] = [];
  const paths: string[] = [];
  const optional: boolean[] = [];
  let rest = text;
  for (;;) {
    const open = rest.indexOf('{');
    const literal = open === -1 ? rest : rest.slice(0, open);
    if (literal.includes('}')) throw invalid(text, "has '}' without '{'");
    literals.push(literal);
    if (open === -1) break;
    const close = rest.indexOf('}', open);
    if (close === -1) throw invalid(text, "has '{' without '}'");
    const placeholder = withoutMark(rest.slice(open + 1, close));
    const { path } = placeholder;
    if (path === '' || path.includes('{')) throw invalid(text, 'has braces without an input');
    paths.push(path);
    optional.push(placeholder.optional);
    rest = rest.slice(close + 1);
  }
  const stops = paths.map((path, index) => {
    const behind = literals[index + 1]!;
    if (behind === '' && index + 1 < paths.length) throw invalid(text, `needs text after {${path}}, such as ':'`);
    if (/^[%;~'\u2026]/.test(behind))
      throw invalid(text, `has '${behind[0]}' after {${path}}, which values are written with`);
    return [...behind][0] ?? '';
  });
  return { text, literals, paths, optional, stops };
}

/** True if two templates can make the same key. */
export function overlap(one: KeyTemplate, other: KeyTemplate): boolean {
  return meet(tokensOf(one), 0, tokensOf(other), 0, new Map());
}

/** A character, or undefined for any value. */
type Token = string | undefined;

function tokensOf({ literals }: KeyTemplate): Token[] {
  return literals.flatMap((literal, index) => (index === 0 ? [...literal] : [undefined, ...literal]));
}

function meet(a: readonly Token[], i: number, b: readonly Token[], j: number, known: Map<number, boolean>): boolean {
  const at = i * (b.length + 1) + j;
  const before = known.get(at);
  if (before !== undefined) return before;
  const met = meetAnew(a, i, b, j, known);
  known.set(at, met);
  return met;
}

function meetAnew(
  a: readonly Token[],
  i: number,
  b: readonly Token[],
  j: number,
  known: Map<number, boolean>,
): boolean {
  if (i === a.length && j === b.length) return true;
  if (i < a.length && a[i] === undefined) {
    // A value is empty, or consumes one more character of the other template.
    return meet(a, i + 1, b, j, known) || (j < b.length && canStandIn(b[j]) && meet(a, i, b, j + 1, known));
  }
  if (j < b.length && b[j] === undefined) {
    return meet(a, i, b, j + 1, known) || (i < a.length && canStandIn(a[i]) && meet(a, i + 1, b, j, known));
  }
  return i < a.length && j < b.length && a[i] === b[j] && meet(a, i + 1, b, j + 1, known);
}

function canStandIn(token: Token): boolean {
  return token === undefined || isPlain(token) || "%;~'…".includes(token);
}

function checkWellFormed(text: string): void {
  if (SURROGATE.test(text)) throw invalid(text, 'has a lone surrogate, which UTF-8 cannot encode');
}

const SURROGATE = /\p{Surrogate}/u;

function invalid(pattern: string, why: string): CacheError {
  const shown = pattern.replace(/\p{Surrogate}/gu, '\ufffd');
  return new CacheError('INVALID_TEMPLATE', `The cache pattern '${shown}' ${why}.`);
}
