import { CacheError } from '../../cache/base/errors.js';
import { literalGlob } from '../../cache/base/glob.js';
import { checkGlob, checkKey, isWellFormed } from '../../cache/base/keys.js';
import { isSecretPath } from '../inputs/input-path.js';
import { keyPattern, type KeyTemplate, keyTemplate } from './key-template.js';
import { TemplateSlot } from './template-slot.js';

/** The inputs of one request, for the placeholders of a template. */
export interface TemplateInputs {
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly hosts?: Readonly<Record<string, string>>;
}

/**
 * Returns the key that an HTTP handler with this template has for a request with these inputs. Use it to write, read or delete
 * the entry in other code, such as warming and jobs.
 *
 * @example
 * ```ts
 * const SEARCH_KEY = 'search:{query.q}'; // @Cached(SEARCH_KEY)
 * yield { key: cacheKeyOf(SEARCH_KEY, { query: { q: 'desk lamp' } }), load: () => this.search('desk lamp') };
 * ```
 *
 * @throws CacheError `INVALID_TEMPLATE` for an invalid template, for a missing input, or for a path that is not in params,
 *   query, headers or hosts; `INVALID_KEY` for values that are not well-formed Unicode.
 * @publicApi
 */
export function cacheKeyOf(template: string, inputs: TemplateInputs): string {
  const parsed = keyTemplate(template);
  const { text, literals, paths } = parsed;
  if (text.includes('*')) {
    throw invalid('cacheKeyOf', text, "matches many keys; only a template without '*' makes one");
  }
  let key = literals[0]!;
  paths.forEach((path, index) => {
    const value = valueOf(path, inputs);
    if (value === undefined) throw invalid('cacheKeyOf', text, missing(path));
    key += written('cacheKeyOf', parsed, index, value) + literals[index + 1]!;
  });
  checkKey(key);
  return key;
}

/**
 * Returns a glob for `ObservedCache.deleteByPattern`. It matches all keys that an HTTP handler with this pattern has for
 * requests with these inputs. Values are written as in keys; `*` replaces each missing value.
 *
 * @example
 * ```ts
 * await cache.deleteByPattern(cacheGlobOf('offer:{params.id}:{query.page}', { params: { id } })); // every page of one offer
 * ```
 *
 * @throws CacheError `INVALID_TEMPLATE` for an invalid pattern, and for inputs that the pattern does not name.
 * @publicApi
 */
export function cacheGlobOf(pattern: string, inputs: TemplateInputs): string {
  const parsed = keyPattern(pattern);
  const template = parsed.kind === 'template' ? parsed.template : undefined;
  const paths = template?.paths ?? [];
  for (const name of namesOf(inputs)) {
    if (!paths.some((path) => sameInput(path, name))) {
      throw invalid(
        'cacheGlobOf',
        pattern,
        `does not name {${name}}; a glob without it would match keys of other inputs`,
      );
    }
  }
  if (template === undefined) return `${literalGlob(pattern.slice(0, -1))}*`;
  let glob = literalGlob(template.literals[0]!);
  paths.forEach((path, index) => {
    const value = valueOf(path, inputs);
    glob += value === undefined ? '*' : literalGlob(written('cacheGlobOf', template, index, value));
    glob += literalGlob(template.literals[index + 1]!);
  });
  checkGlob(glob);
  return glob;
}

/** Writes a value as the keys of handlers contain it. */
function written(where: string, { text, paths, stops }: KeyTemplate, index: number, value: string): string {
  const path = paths[index]!;
  if (!isWellFormed(value)) {
    throw new CacheError(
      'INVALID_KEY',
      `${where}: '${text}': the value of {${path}} is not well-formed Unicode. Use text that UTF-8 can encode.`,
    );
  }
  return new TemplateSlot(isSecretPath(path) ? 'secret' : 'text', stops[index]!).encode(value);
}

function valueOf(path: string, inputs: TemplateInputs): string | undefined {
  const dot = path.indexOf('.');
  const root = path.slice(0, Math.max(dot, 0));
  if (!isRoot(root)) return undefined;
  const name = path.slice(dot + 1);
  const held: Readonly<Record<string, string | number | undefined>> = inputs[root] ?? {};
  const value = held[name] ?? (root === 'headers' ? held[name.toLowerCase()] : undefined);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** Returns the names of the given inputs as in templates. */
function namesOf(inputs: TemplateInputs): string[] {
  return Object.entries(inputs).flatMap(([root, held]: [string, object | undefined]) =>
    Object.keys(held ?? {}).map((name) => `${root}.${name}`),
  );
}

function sameInput(path: string, name: string): boolean {
  return path === name || (path.startsWith('headers.') && path.toLowerCase() === name.toLowerCase());
}

function missing(path: string): string {
  return isRoot(path.split('.')[0]!)
    ? `names {${path}}, and the inputs have no text of that name`
    : `names {${path}}, which only its handler can read; params, query, headers and hosts are allowed`;
}

function isRoot(root: string): root is keyof TemplateInputs {
  return root === 'params' || root === 'query' || root === 'headers' || root === 'hosts';
}

function invalid(where: string, pattern: string, why: string): CacheError {
  return new CacheError('INVALID_TEMPLATE', `${where}: '${pattern}' ${why}.`);
}
