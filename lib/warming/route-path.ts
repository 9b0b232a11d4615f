import { CacheError } from '../cache/base/errors.js';

/** Values for the parameters and the query of a route, not encoded. */
export type RouteValues = Readonly<Record<string, unknown>>;

/**
 * Returns the URL of a route with its parameters filled in. Supports `:name`, `*name` and the optional `{…}` of path-to-regexp 8,
 * and `*` and `:name?` of its older versions.
 * @throws CacheError `INVALID_OPTIONS` naming a parameter without a value.
 */
export function routeUrl(path: string, params: RouteValues = {}, query: RouteValues = {}): string {
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) =>
      [value].flat().map((item): [string, string] => [name, String(item)]),
    ),
  ).toString();
  const filled = fill(withoutEmptyGroups(path, params), params, path);
  return search === '' ? filled : `${filled}?${search}`;
}

/** Keeps the content of an optional group if all its parameters have values; otherwise drops the group. */
function withoutEmptyGroups(path: string, params: RouteValues): string {
  const group = /\{([^{}]*)\}/;
  let rest = path;
  for (let match = group.exec(rest); match !== null; match = group.exec(rest)) {
    const inside = match[1] ?? '';
    const named = [...inside.matchAll(/[:*]([A-Za-z_$][\w$]*)/g)].map(([, name]) => name!);
    rest = rest.replace(match[0], named.every((name) => params[name] !== undefined) ? inside : '');
  }
  return rest;
}

function fill(template: string, params: RouteValues, path: string): string {
  return template
    .replace(/\/:([A-Za-z_$][\w$]*)\?/g, (_, name: string) => (params[name] === undefined ? '' : `/:${name}`))
    .replace(/([:*])([A-Za-z_$][\w$]*)(\([^)]*\))?|\*/g, (_, kind: string | undefined, name: string | undefined) => {
      const value = params[name ?? '0'];
      if (value === undefined) {
        throw new CacheError(
          'INVALID_OPTIONS',
          `warm: the route ${path} has no value for "${name ?? '*'}". Give it as params: { ${JSON.stringify(name ?? '0')}: … }.`,
        );
      }
      const several = kind === ':' ? [value] : [value].flat().flatMap((part) => String(part).split('/'));
      return several.map((part) => encodeURIComponent(String(part))).join('/');
    });
}
