import type { ApplicationConfig } from '@nestjs/core';
import type { CachedSite } from '../decoration/method-site.js';
import type { EarlySubject } from '../http/early-hits.js';
import { chainReasons } from '../http/chain-rules.js';
import type { DeclaredInput } from '../inputs/declared-inputs.js';
import { withoutMark } from '../inputs/input-path.js';
import { ignores } from '../keys/key-design.js';
import { howToSkip, type InFront, type LaneChoice, listed, unskippable } from './fast-lane.options.js';

/** The facts that decide whether the lane may answer hits of a handler. */
export interface LaneSubject extends EarlySubject {
  readonly headers: 'minimal' | 'standard' | false;
  readonly choice: LaneChoice;
}

/** Lists the reasons why a handler's hits must take the full path; empty if there is none. */
export function laneRefusals(subject: LaneSubject, config: ApplicationConfig, inFront: readonly InFront[]): string[] {
  const { site, inputs, headers, choice } = subject;
  const reasons = chainReasons(subject, config);
  if (headers === false) reasons.push('`http.headers: false` leaves it without entity tags');
  const unknown = unreadable(site, inputs);
  if (unknown.length > 0) reasons.push(`its key holds ${unknown.join(', ')}, which the URL does not contain`);
  const left = unskippable(choice, inFront);
  if (left.length > 0) reasons.push(`requests go through ${listed(left)} first (${howToSkip(left)})`);
  return reasons;
}

const IN_ADDRESS = new Set(['params', 'query']);
const SECRET = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** Lists the inputs in the key that are neither in the URL nor in a readable header. */
function unreadable({ options, pattern }: CachedSite, inputs: readonly DeclaredInput[]): string[] {
  if (options.key !== undefined) return ['what its own `key` finds'];
  const { ignore = [] } = options;
  const declared = inputs.filter(
    (input) => input.identifying === undefined && !ignore.some((name) => ignores(name, input)),
  );
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
  return list.map((entry) => (typeof entry === 'string' ? withoutMark(entry).path : undefined));
}

/** Replaces the number of an argument by the input that its decorator names. */
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

/** Request headers in a handler's keys, lower case. */
export function keyHeaders({ options, pattern }: CachedSite, inputs: readonly DeclaredInput[]): string[] {
  const paths = [
    ...inputs.map(({ path }) => path),
    ...varyOf(options.vary).flatMap((path) => path ?? []),
    ...(pattern.kind === 'template' ? pattern.template.paths : []),
  ];
  return [...new Set(paths.flatMap((path) => headerOf(pathOf(path, inputs)) ?? []))];
}
