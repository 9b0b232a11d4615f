import { CacheError } from '../../cache/errors.js';
import { boundedKey } from './key-length.js';
import { keyTemplate } from './key-template.js';

/** The inputs of one request, as far as a template names them. */
export interface TemplateInputs {
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly hosts?: Readonly<Record<string, string>>;
}

/**
 * The key that an HTTP handler with this template makes of such a request: for whoever writes, reads or deletes its entries
 * from elsewhere, as warming and jobs do.
 *
 * @example
 * ```ts
 * const SEARCH_KEY = 'search:{query.q}'; // @Cached(SEARCH_KEY)
 * yield { key: cacheKeyOf(SEARCH_KEY, { query: { q: 'desk lamp' } }), load: () => this.search('desk lamp') };
 * ```
 *
 * @throws CacheError `INVALID_TEMPLATE` for what is no template, names something else than a part of the request that is
 *   always text, or names what the inputs do not hold.
 * @publicApi
 */
export function cacheKeyOf(template: string, inputs: TemplateInputs): string {
  const { text, literals, paths, escapes } = keyTemplate(template);
  if (text.includes('*')) throw invalid(text, "stands for many keys; only a template without '*' makes one");
  return boundedKey(
    paths.reduce(
      (key, path, index) => key + escapes[index]!(valueOf(path, inputs, text)) + literals[index + 1]!,
      literals[0]!,
    ),
  );
}

function valueOf(path: string, inputs: TemplateInputs, template: string): string {
  const dot = path.indexOf('.');
  const root = path.slice(0, Math.max(dot, 0));
  if (root !== 'params' && root !== 'query' && root !== 'headers' && root !== 'hosts') {
    throw invalid(
      template,
      `names {${path}}, which is known to its handler only; params, query, headers and hosts can be filled in`,
    );
  }
  const name = path.slice(dot + 1);
  const held: Readonly<Record<string, string | number>> = inputs[root] ?? {};
  const value = held[name] ?? (root === 'headers' ? held[name.toLowerCase()] : undefined);
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw invalid(template, `names {${path}}, and the inputs hold no text of that name`);
  }
  return String(value);
}

function invalid(template: string, why: string): CacheError {
  return new CacheError('INVALID_TEMPLATE', `cacheKeyOf: '${template}' ${why}.`);
}
