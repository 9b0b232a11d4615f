import type { ExecutionContext } from '@nestjs/common';
import { CacheError, type CacheErrorCode } from '../../cache/errors.js';
import type { CachedOptions, VaryFunction } from '../cached.options.js';
import { type Call, CallContext, type Reader, requestOf, type Transport } from '../inputs/call.js';
import type { DeclaredInput } from '../inputs/declared-inputs.js';
import { type InputPath, inputPath } from '../inputs/input-path.js';
import { escapeText } from './escape.js';
import { type KeyPart, queryLabel, type TemplatePart } from './key-recipe.js';
import { encodeAsText, encodeAsTyped } from './key-parts.js';
import type { KeyTemplate } from './key-template.js';

/** Why a handler cannot be cached as it is written. */
export interface Fault {
  readonly code: CacheErrorCode;
  readonly message: string;
}

/** One thing beside its declared inputs that an answer depends on. */
export interface VaryPart extends KeyPart {
  readonly path: InputPath | undefined;
  /** True where it tells callers apart. */
  readonly identifying: boolean;
}

/** Collects faults instead of throwing the first. */
export class FaultList {
  readonly list: Fault[] = [];

  add(code: CacheErrorCode, message: string): void {
    this.list.push({ code, message });
  }

  /** What `make` returns, or undefined with its fault noted. */
  try<T>(make: () => T): T | undefined {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof CacheError)) throw error;
      this.add(error.code, error.message);
      return undefined;
    }
  }
}

/** What the options' `vary` names. */
export function varyParts(
  vary: CachedOptions['vary'],
  transport: Transport,
  inputs: readonly DeclaredInput[],
  owner: string,
  executionOf: (call: Call) => ExecutionContext,
  faults: FaultList,
): VaryPart[] {
  const list = vary === undefined ? [] : ((Array.isArray(vary) ? vary : [vary]) as readonly (string | VaryFunction)[]);
  return list.flatMap((entry, index) => {
    if (typeof entry === 'function') {
      const read: Reader = (call) => entry(new CallContext(call, transport, executionOf(call)));
      return [
        {
          label: `~${index}`,
          read,
          secret: false,
          path: undefined,
          identifying: true,
          missing: unknownCaller(transport),
        },
      ];
    }
    const path = faults.try(() => inputPath(entry, transport, inputs, owner));
    return path === undefined ? [] : [{ ...partOf(path, transport), label: `~${escapeText(entry)}` }];
  });
}

/** One placeholder of a template. */
export function templateParts(
  template: KeyTemplate,
  paths: readonly InputPath[],
  transport: Transport,
  textual: (path: InputPath) => boolean,
): TemplatePart[] {
  return paths.map((path, index) => {
    const escape = template.escapes[index]!;
    const encode = textual(path) ? encodeAsText : encodeAsTyped;
    return { read: path.read, encode: (value) => encode(value, escape), missing: partOf(path, transport).missing };
  });
}

/** How a declared input stands in a key. */
export function inputPart(input: DeclaredInput, ignored: readonly string[]): KeyPart {
  const { path, read } = input;
  if (path === 'query') {
    const without = ignored.filter((name) => name.startsWith('query.')).map((name) => name.slice('query.'.length));
    return { label: undefined, read, secret: false, without: new Set(without) };
  }
  return { label: labelOf(path), read, secret: /^headers\.(authorization|cookie|proxy-authorization)$/.test(path) };
}

function labelOf(path: string): string {
  if (path.startsWith('query.')) return queryLabel(path.slice('query.'.length));
  if (path.startsWith('params.')) return `:${escapeText(path.slice('params.'.length))}`;
  return `.${escapeText(path)}`;
}

/** True where `name`, as `ignore` or a template has it, stands for that input. */
export function stands(name: string, input: DeclaredInput): boolean {
  const lower = name.toLowerCase().startsWith('headers.') ? name.toLowerCase() : name;
  return lower === input.path || input.path.startsWith(`${lower}.`) || lower.split('.')[0] === String(input.index);
}

function partOf(path: InputPath, transport: Transport): VaryPart {
  const { segments, argument } = path;
  const told = !path.identifying
    ? undefined
    : segments.length > 1 && (argument !== undefined || isPerson(segments[0]!));
  return {
    label: undefined,
    read: path.read,
    secret: path.secret,
    path,
    identifying: path.identifying,
    missing:
      told === undefined
        ? undefined
        : told
          ? present(path, transport)
          : argument !== undefined || isPerson(segments[0]!)
            ? unknownCaller(transport)
            : undefined,
  };
}

/** Roots under which a guard puts who is asking; where they are there, what is named under them must be, too. */
function isPerson(root: string): boolean {
  return ![
    'headers',
    'cookies',
    'signedCookies',
    'session',
    'query',
    'params',
    'body',
    'this',
    'client',
    'data',
  ].includes(root);
}

/** A caller with `Authorization` whom nothing tells apart. */
function unknownCaller(transport: Transport): (call: Call) => boolean {
  return (call) => requestOf(call.args, transport)?.headers.authorization !== undefined;
}

/** A caller who is known, but not by what was named, such as `user.id` of a user without `id`. */
function present(path: InputPath, transport: Transport): (call: Call) => boolean {
  const unknown = unknownCaller(transport);
  return (call) => {
    const root = path.readRoot(call);
    return (root !== undefined && root !== null) || unknown(call);
  };
}
