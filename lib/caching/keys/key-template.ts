import { CacheError } from '../../cache/errors.js';
import { escaperOf, isPlain } from './escape.js';

/** A pattern as `@Cached` takes it: a prefix before `*`, or a whole key in which `{…}` names inputs. */
export type KeyPattern =
  | { readonly kind: 'prefix'; readonly prefix: string; readonly statistics: string }
  | { readonly kind: 'template'; readonly template: KeyTemplate; readonly statistics: string };

/** Literals and what stands between them: `literals` has one more than `paths`. */
export interface KeyTemplate {
  readonly text: string;
  readonly literals: readonly string[];
  readonly paths: readonly string[];
  /** One for each path: writes out what could be taken for the literal behind it. */
  readonly escapes: readonly ((text: string) => string)[];
}

/**
 * Reads a pattern.
 * @throws CacheError `INVALID_TEMPLATE`
 */
export function keyPattern(pattern: unknown): KeyPattern {
  if (typeof pattern !== 'string' || pattern === '') {
    throw invalid(String(pattern), "is no pattern; write 'feed:*' or a template such as 'product:{params.id}'");
  }
  const star = pattern.indexOf('*');
  if (star === -1) {
    const template = keyTemplate(pattern);
    return { kind: 'template', template, statistics: template.literals.join('*') };
  }
  if (star !== pattern.length - 1) throw invalid(pattern, "has text behind '*', which stands for the rest of the key");
  const prefix = pattern.slice(0, -1);
  if (/[{}]/.test(prefix)) throw invalid(pattern, "has both '*' and '{…}'; name all inputs in a template, or none");
  return { kind: 'prefix', prefix, statistics: pattern };
}

/**
 * Reads a template.
 * @throws CacheError `INVALID_TEMPLATE`
 */
export function keyTemplate(text: string): KeyTemplate {
  const literals: string[] = [];
  const paths: string[] = [];
  let rest = text;
  for (;;) {
    const open = rest.indexOf('{');
    const literal = open === -1 ? rest : rest.slice(0, open);
    if (literal.includes('}')) throw invalid(text, "has '}' without '{'");
    literals.push(literal);
    if (open === -1) break;
    const close = rest.indexOf('}', open);
    if (close === -1) throw invalid(text, "has '{' without '}'");
    const path = rest.slice(open + 1, close).trim();
    if (path === '' || path.includes('{')) throw invalid(text, 'has braces that name no input');
    paths.push(path);
    rest = rest.slice(close + 1);
  }
  const escapes = paths.map((path, index) => {
    const behind = literals[index + 1]!;
    if (behind === '' && index + 1 < paths.length) throw invalid(text, `needs text behind {${path}}, such as ':'`);
    if (/^[%;~']/.test(behind))
      throw invalid(text, `has '${behind[0]}' behind {${path}}, which values are written with`);
    const first = [...behind][0] ?? '';
    return escaperOf(first !== '' && isPlain(first) ? first : '');
  });
  return { text, literals, paths, escapes };
}

/** True where two templates can make the same key. */
export function overlap(one: KeyTemplate, other: KeyTemplate): boolean {
  return meet(tokensOf(one), 0, tokensOf(other), 0, new Map());
}

/** Characters, and undefined where any value may stand. */
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
    // A value is empty, or takes one more of the other's characters.
    return meet(a, i + 1, b, j, known) || (j < b.length && canStandIn(b[j]) && meet(a, i, b, j + 1, known));
  }
  if (j < b.length && b[j] === undefined) {
    return meet(a, i, b, j + 1, known) || (i < a.length && canStandIn(a[i]) && meet(a, i + 1, b, j, known));
  }
  return i < a.length && j < b.length && a[i] === b[j] && meet(a, i + 1, b, j + 1, known);
}

function canStandIn(token: Token): boolean {
  return token === undefined || isPlain(token) || "%;~'".includes(token);
}

function invalid(pattern: string, why: string): CacheError {
  return new CacheError('INVALID_TEMPLATE', `The cache pattern '${pattern}' ${why}.`);
}
