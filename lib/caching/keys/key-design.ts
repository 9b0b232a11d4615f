import type { ExecutionContext } from '@nestjs/common';
import { CacheError, type CacheErrorCode } from '../../cache/base/errors.js';
import type { CachedOptions, VaryFunction } from '../options/cached.options.js';
import { isPerson, unknownCaller } from '../inputs/authorization.js';
import { type Call, CallContext, type Reader, type Transport } from '../inputs/call.js';
import type { DeclaredInput } from '../inputs/declared-inputs.js';
import { type InputPath, inputPath, isSecretPath } from '../inputs/input-path.js';
import { meantPath } from '../inputs/known-roots.js';
import { escapeText } from './escape.js';
import { type KeyPart, queryLabel, type TemplatePart } from './key-recipe.js';
import type { KeyTemplate } from './key-template.js';
import { type SlotKind, TemplateSlot } from './template-slot.js';
import { encodeInput, encodeSecret, encodeTypedInput } from './value-encoding.js';
import type { MissingInputs } from './missing-inputs.js';

/** Why a handler cannot be cached as written. */
export interface Fault {
  readonly code: CacheErrorCode;
  /** Begins with the handler or method: `ProductController.find(): …`. */
  readonly message: string;
}

/** One input of `vary`. */
export interface VaryPart extends KeyPart {
  readonly path: InputPath | undefined;
  /** True if it identifies callers. */
  readonly identifying: boolean;
}

/** Collects faults instead of throwing the first one. */
export class FaultList {
  readonly list: Fault[] = [];
  readonly #meantInKeys = new Map<string, readonly string[]>();

  /** Adds a fault. The same fault from several places is added once. */
  add(code: CacheErrorCode, message: string): void {
    if (!this.list.some((known) => known.message === message)) this.list.push({ code, message });
  }

  /**
   * Records the inputs that misspelt placeholders of a key probably mean. The missing input is then not reported as a second
   * fault.
   */
  meanInKey(owner: string, paths: readonly string[]): void {
    this.#meantInKeys.set(owner, [...this.meantInKey(owner), ...paths]);
  }

  meantInKey(owner: string): readonly string[] {
    return this.#meantInKeys.get(owner) ?? [];
  }

  /** Returns the result of `make`. If it throws a fault, records the fault and returns undefined. */
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

/** Reports an option `query` that is not a list of names, or that a handler without a whole `@Query()` has. */
export function checkQuery(query: unknown, inputs: readonly DeclaredInput[], owner: string, faults: FaultList): void {
  if (query === undefined) return;
  if (!Array.isArray(query) || !query.every((name) => typeof name === 'string' && name !== '')) {
    faults.add('INVALID_OPTIONS', `${owner}: query is not a list of names. Write them as in query: ['page', 'limit'].`);
  } else if (!inputs.some(({ path }) => path === 'query')) {
    faults.add(
      'INVALID_OPTIONS',
      `${owner}: query names parameters of @Query(), which is not declared. Declare @Query(), or leave query out.`,
    );
  }
}

/** Compiles the option `vary`. */
export function varyParts(
  vary: CachedOptions['vary'],
  transport: Transport,
  inputs: readonly DeclaredInput[],
  owner: string,
  executionOf: (call: Call) => ExecutionContext,
  missingInputs: MissingInputs,
  faults: FaultList,
): VaryPart[] {
  const list = vary === undefined ? [] : ((Array.isArray(vary) ? vary : [vary]) as readonly (string | VaryFunction)[]);
  return list.flatMap((entry, index): VaryPart[] => {
    if (typeof entry === 'function') {
      const read: Reader = (call) => entry(new CallContext(call, transport, executionOf(call)));
      return [
        {
          label: `~${index}`,
          read,
          encode: encodeInput,
          path: undefined,
          identifying: true,
          missing: unknownCaller(transport, () => missingInputs.report('the function in `vary`')),
        },
      ];
    }
    const path = faults.try(() => inputPath(entry, transport, inputs, owner));
    if (path === undefined) return [];
    const { read, parser, secret, identifying, text } = path;
    const encode = secret ? encodeSecret : parser?.typed === true ? encodeTypedInput : encodeInput;
    const missing = path.optional
      ? unknownPerson(path, transport, missingInputs)
      : required(path, transport, missingInputs);
    return [{ label: `~${escapeText(text)}`, read, encode, path, identifying, missing }];
  });
}

/**
 * Compiles the placeholders of a template. An input of `vary` is required unless both `vary` and the placeholder allow
 * undefined.
 */
export function templateParts(
  template: KeyTemplate,
  paths: readonly InputPath[],
  vary: readonly VaryPart[],
  transport: Transport,
  missingInputs: MissingInputs,
  kindOf: (path: InputPath) => SlotKind,
): TemplatePart[] {
  return paths.map((path, index) => {
    const { parser } = path;
    const kind = path.secret ? 'secret' : parser?.typed === true ? 'typed' : kindOf(path);
    const varied = vary.find((part) => part.path?.text === path.text)?.path;
    const missing =
      varied?.optional === false || mustBeThere(path, template.optional[index]!)
        ? required(path, transport, missingInputs)
        : unknownPerson(path, transport, missingInputs);
    return {
      name: path.name,
      read: path.read,
      slot: new TemplateSlot(kind, template.stops[index]!, parser?.parse),
      missing,
    };
  });
}

/** True if undefined as a value would give several callers or several arguments the same key. */
function mustBeThere({ optional, identifying, argument, segments }: InputPath, marked: boolean): boolean {
  return !optional && !marked && (identifying || (argument !== undefined && segments.length > 1));
}

/** Compiles a declared input of a key. */
export function inputPart(input: DeclaredInput, ignored: readonly string[]): KeyPart {
  const { path, read, parser } = input;
  if (path === 'query') {
    const without = ignored.filter((name) => name.startsWith('query.')).map((name) => name.slice('query.'.length));
    return { label: undefined, read, encode: encodeInput, without: new Set(without) };
  }
  const label = labelOf(path);
  if (parser === undefined) return { label, read, encode: isSecretPath(path) ? encodeSecret : encodeInput };
  return {
    label,
    read: (call) => parser.parse(read(call)),
    encode: parser.typed ? encodeTypedInput : encodeInput,
  };
}

function labelOf(path: string): string {
  if (path.startsWith('query.')) return queryLabel(path.slice('query.'.length));
  if (path.startsWith('params.')) return `:${escapeText(path.slice('params.'.length))}`;
  return `.${escapeText(path)}`;
}

/** True if `name`, from `ignore` or a template, means the input. */
export function stands(name: string, input: DeclaredInput): boolean {
  const lower = name.toLowerCase().startsWith('headers.') ? name.toLowerCase() : name;
  return lower === input.path || input.path.startsWith(`${lower}.`) || lower.split('.')[0] === String(input.index);
}

/** True if a name in `ignore` means the whole input: its path, its root, or the number of its parameter. */
export function ignores(name: string, input: DeclaredInput): boolean {
  return stands(name, input) && (!/^\d/.test(name) || name === String(input.index));
}

/** Returns a function that reports a call without a value at the path and denies it a key. */
function required(path: InputPath, transport: Transport, missingInputs: MissingInputs): (call: Call) => boolean {
  const report = missingInputs.require(path, meantPath(path.text, transport));
  return (call) => {
    report(call);
    return true;
  };
}

/**
 * For a path whose value may be missing. A call with `Authorization` whose caller is not identified still has no key. Undefined
 * if the path does not identify callers.
 */
function unknownPerson(
  path: InputPath,
  transport: Transport,
  missingInputs: MissingInputs,
): ((call: Call) => boolean) | undefined {
  if (!path.identifying || (path.argument === undefined && !isPerson(path.segments[0]!))) return undefined;
  const unknown = unknownCaller(transport, () => missingInputs.report(`'${path.text}'`));
  return (call) => {
    const root = path.readRoot(call);
    return (root === undefined || root === null) && unknown(call);
  };
}
