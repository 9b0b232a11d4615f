/** Checks at boot that the inputs in the options `ignore` and `warm` of `@Cached` exist. Unknown inputs would have no effect. */
import { nearest } from '../../cache/options/unknown-option.js';
import type { CachedOptions } from '../options/cached.options.js';
import { type FaultList, ignores } from '../keys/key-design.js';
import { knownArity, type NamingSubject } from './named-inputs.js';

/** Reports names in `ignore` that are not inputs of the handler under any transport, or not arguments of the method. */
export function refuseUnknownIgnored(
  { ignore = [], key }: CachedOptions,
  subjects: readonly NamingSubject[],
  faults: FaultList,
): void {
  // The function `key` may use any input.
  if (key !== undefined) return;
  const unknown = ignore.filter((name) => !subjects.some((subject) => isInput(name, subject)));
  const [subject] = subjects;
  if (unknown.length === 0 || subject === undefined) return;
  const known = [...new Set(subjects.flatMap(inputsOf))];
  const what = `${unknown.length === 1 ? 'is not an input' : 'are not inputs'} of the ${subject.transport === 'method' ? 'method' : 'handler'}`;
  faults.add(
    'INVALID_OPTIONS',
    `${subject.owner}: ignore names ${listed(unknown)}, which ${what}. ${known.length === 0 ? 'It has none.' : `Known are ${listed(known)}.`}`,
  );
}

function isInput(name: string, subject: NamingSubject): boolean {
  const { transport, inputs } = subject;
  if (transport === 'method') {
    const count = knownArity(subject);
    return /^\d+$/.test(name) && (count === undefined || Number(name) < count);
  }
  return inputs.some((input) => ignores(name, input) || (input.path === 'query' && /^query\../.test(name)));
}

function inputsOf(subject: NamingSubject): string[] {
  if (subject.transport !== 'method') return subject.inputs.map(({ path }) => path);
  return Array.from({ length: knownArity(subject) ?? 0 }, (_, index) => String(index));
}

/** Reports requests in `warm` that have a parameter which the route does not have, or lack a required one. */
export function refuseUnknownWarmed(
  { warm = [] }: CachedOptions,
  subjects: readonly NamingSubject[],
  faults: FaultList,
): void {
  const http = subjects.find(({ transport }) => transport === 'http');
  if (warm.length === 0 || subjects.length === 0) return;
  if (http === undefined) {
    const { owner } = subjects[0]!;
    faults.add('INVALID_OPTIONS', `${owner}: warm is only for HTTP handlers. Write a @WarmingStrategy instead.`);
    return;
  }
  const { owner, parameters, hosts, route = '' } = http;
  if (parameters === undefined || hosts === undefined) return;
  const known = [...parameters, ...hosts];
  const needed = requiredParameters(route);
  warm.forEach(({ params = {} }, index) => {
    for (const name of Object.keys(params)) {
      if (known.includes(name)) continue;
      const meant = nearest(name, known);
      const advice =
        known.length === 0
          ? 'It has none.'
          : meant === undefined
            ? `Known are ${listed(known)}.`
            : `Did you mean '${meant}'?`;
      faults.add(
        'INVALID_OPTIONS',
        `${owner}: warm[${index}].params names '${name}', but the route has no parameter '${name}'. ${advice}`,
      );
    }
    const missing = needed.filter((name) => params[name] === undefined);
    if (missing.length > 0)
      faults.add('INVALID_OPTIONS', `${owner}: warm[${index}].params has no value for ${listed(missing)}.`);
  });
}

const PARAMETER = /[:*]([\p{ID_Start}$_][\p{ID_Continue}$]*)(\?)?/gu;

/** Returns the parameters of a route that are outside its optional groups. */
function requiredParameters(route: string): string[] {
  let path = route;
  for (let before = ''; before !== path; path = path.replace(/\{[^{}]*\}/g, '')) before = path;
  return [...path.matchAll(PARAMETER)].flatMap(([, name, optional]) => (optional === undefined ? [name!] : []));
}

function listed(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}
