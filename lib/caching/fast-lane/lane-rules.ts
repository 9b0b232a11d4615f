import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { CachedSite } from '../decoration/method-site.js';
import { methodsOf } from '../decoration/route-carriers.js';
import { type ChainSubject, chainReasons } from '../handlers/chain-rules.js';
import type { DeclaredInput } from '../inputs/declared-inputs.js';
import { type LaneChoice, unskippable } from './fast-lane.options.js';

/** What is to be known of a handler to say whether its hits may leave before the framework. */
export interface LaneSubject extends ChainSubject {
  readonly site: CachedSite;
  readonly inputs: readonly DeclaredInput[];
  readonly headers: 'minimal' | 'standard' | false;
  readonly choice: LaneChoice;
}

/** Everything that keeps a handler's hits on the full path; empty where nothing does. */
export function laneRefusals(subject: LaneSubject, config: ApplicationConfig, middleware: readonly string[]): string[] {
  const { site, inputs, headers, choice } = subject;
  const reasons = chainReasons(subject, config);
  if (headers === false) reasons.push('`http.headers: false` leaves it without entity tags');
  const unknown = unreadable(site, inputs);
  if (unknown.length > 0) reasons.push(`its key holds ${unknown.join(', ')}, which the address does not say`);
  const left = unskippable(choice, middleware);
  if (left.length > 0)
    reasons.push(
      `requests go through ${left.join(', ')} first (name what hits need not run: \`fastLane: { skipMiddleware: [${left
        .map((name) => `'${name}'`)
        .join(', ')}] }\`)`,
    );
  return reasons;
}

const IN_ADDRESS = new Set(['params', 'query']);
const SECRET = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** What goes into the key and stands neither in the address nor in a header that may be looked at. */
function unreadable({ options, pattern }: CachedSite, inputs: readonly DeclaredInput[]): string[] {
  if (options.key !== undefined) return ['what its own `key` finds'];
  const ignored = new Set(options.ignore ?? []);
  const declared = inputs.filter(({ identifying, path }) => identifying === undefined && !ignored.has(path));
  return [
    ...declared.filter(({ path }) => !isReadable(path)).map(({ written }) => written),
    ...varyOf(options.vary).flatMap((path) =>
      path === undefined ? ['what a function finds'] : isReadable(pathOf(path, inputs)) ? [] : [path],
    ),
    ...(pattern.kind === 'template' ? pattern.template.paths.filter((path) => !isReadable(pathOf(path, inputs))) : []),
  ];
}

function varyOf(vary: CachedSite['options']['vary']): (string | undefined)[] {
  const list: readonly unknown[] = vary === undefined ? [] : Array.isArray(vary) ? vary : [vary];
  return list.map((entry) => (typeof entry === 'string' ? entry : undefined));
}

/** An argument by its number is what its decorator reads. */
function pathOf(path: string, inputs: readonly DeclaredInput[]): string {
  const [root] = path.split('.');
  return inputs.find(({ index }) => String(index) === root)?.path ?? path;
}

function isReadable(path: string): boolean {
  const header = headerOf(path);
  return header === undefined ? IN_ADDRESS.has(path.split('.')[0]!) : !SECRET.has(header);
}

function headerOf(path: string): string | undefined {
  return path.startsWith('headers.') ? path.slice('headers.'.length).toLowerCase() : undefined;
}

/** Request headers that a handler's keys are made of, lower case. */
export function keyHeaders({ options, pattern }: CachedSite, inputs: readonly DeclaredInput[]): string[] {
  const paths = [
    ...inputs.map(({ path }) => path),
    ...varyOf(options.vary).flatMap((path) => path ?? []),
    ...(pattern.kind === 'template' ? pattern.template.paths : []),
  ];
  return [...new Set(paths.flatMap((path) => headerOf(pathOf(path, inputs)) ?? []))];
}

/** True where some controller is bound to a host, so that one address may mean two handlers. */
export function hostsDecide(modules: ModulesContainer): boolean {
  return [...modules.values()].some((module) =>
    [...module.controllers.values()].some(
      ({ metatype }) => typeof metatype === 'function' && Reflect.getMetadata('host', metatype) !== undefined,
    ),
  );
}

/** By what Fastify chooses between routes of one address. */
export function routeConstraints(modules: ModulesContainer): ReadonlySet<string> {
  const names = new Set<string>();
  for (const module of modules.values()) {
    for (const { metatype } of module.controllers.values()) {
      for (const method of methodsOf(metatype?.prototype as object | undefined)) {
        const constraints: unknown = Reflect.getMetadata('__fastify_route_constraints__', method);
        if (typeof constraints === 'object') for (const name in constraints) names.add(name);
      }
    }
  }
  return names;
}
